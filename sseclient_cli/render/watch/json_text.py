"""JSON data as coloured text.

JSON is formatted from its tokens, not from parsed values: numbers stay as they were sent (1.10 is not 1.1, 1e400 is not
Infinity), and a duplicate key is shown twice. String escapes are decoded, because escaped non-Latin text is unreadable.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from rich.text import Text

from sseclient_cli.escaping import visible

MAX_DEPTH = 32
"""Deeper JSON would be mostly indentation."""

INDENT = "  "

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')
_WORD_STYLES = {"true": "json.bool_true", "false": "json.bool_false", "null": "json.null"}


class Token(NamedTuple):
    """A piece of JSON, made visible, with its style of rich."""

    text: str
    style: str


def json_tokens(data: str) -> list[Token]:
    """Return the tokens of a JSON object or array; none for other values, invalid JSON, and too deep JSON."""
    if data.lstrip(" \t\n")[:1] not in ("{", "["):
        return []
    try:
        # parse_int: Python limits the digits of an int. NaN and Infinity are extensions of Python, not JSON.
        json.loads(data, parse_int=float, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return []
    tokens: list[Token] = []
    depth = 0
    for text in _TOKEN.findall(data):
        if text == ":":
            tokens[-1] = tokens[-1]._replace(style="json.key")
        depth += (text in "[{") - (text in "]}")
        if depth > MAX_DEPTH:
            return []
        tokens.append(_styled(text))
    return tokens


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _styled(text: str) -> Token:
    if text.startswith('"'):
        # json.dumps escapes backslash, quote and C0 controls again; visible() escapes all other controls.
        return Token(visible(json.dumps(json.loads(text), ensure_ascii=False), keep_lines=False), "json.str")
    if text in "[]{}":
        return Token(text, "json.brace")
    if text in ":,":
        return Token(text, "")
    return Token(text, _WORD_STYLES.get(text, "json.number"))


def in_one_line(tokens: list[Token]) -> Text:
    """Return the tokens as they were sent, without spaces between them."""
    line = Text()
    for token in tokens:
        line.append(token.text + " " if not token.style else token.text, token.style)
    return line


def in_many_lines(tokens: list[Token], most_lines: int | None = None) -> Text:
    """Return the tokens with a line for each member, indented; of very many lines, only the first ones."""
    lines = Text()
    depth = 0
    count = 1
    before = ""
    for text, style in tokens:
        closes = style == "json.brace" and text in "]}"
        depth -= closes
        # Empty objects and arrays stay on one line.
        if (before in ("[", "{") and not closes) or before == "," or (closes and before not in ("[", "{")):
            if count == most_lines:
                break
            count += 1
            lines.append("\n" + INDENT * depth)
        lines.append(text + " " if text == ":" and not style else text, style)
        depth += style == "json.brace" and not closes
        before = text if style in ("json.brace", "") else "value"
    return lines
