"""Read prompts from a file: conversations in the form of ShareGPT, or the columns of a file with values.

ShareGPT files have hundreds of megabytes. Only their beginning is read, up to MAX_CONVERSATIONS.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from typing import Any

from sseclient_cli.errors import UsageError
from sseclient_cli.request.prompts import ListedPrompts, Message, Prompt
from sseclient_cli.request.values_file import Columns, cannot_read

MAX_CONVERSATIONS = 10_000
"""More than a run of an hour needs at 2 per second; they take 20 to 40 MB in each worker."""

MAX_CONVERSATION_CHARS = 64 * 1024**2
"""A text without its end is read no further."""

READ_CHARS = 1024**2

PROMPT_COLUMNS = ("prompt", "messages", "turns")
"""The columns that make a prompt; a row has one of them."""

_HUMAN = ("human", "user")
_BETWEEN = re.compile(r"[\s,]*")


def is_conversations(name: str) -> bool:
    """Return whether a file begins like a JSON array. Raises UsageError if it cannot be read.

    A pipe can be read only once: it has values.
    """
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):
            return False
        with open(name, encoding="utf-8-sig") as file:
            return file.read(1024).lstrip().startswith("[")
    except (OSError, ValueError) as exc:
        raise _unreadable(name, exc) from exc


def read_conversations(name: str, most: int = MAX_CONVERSATIONS) -> ListedPrompts:
    """Read a JSON array of ``{"conversations": [{"from": "human", "value": ...}, ...]}``. Raises UsageError."""
    prompts: list[Prompt] = []
    skipped, has_more = 0, False
    try:
        with open(name, encoding="utf-8-sig") as file:
            for item in _items(file.read, name):
                turns = _human_turns(item, f"{name}, conversation {len(prompts) + skipped + 1}")
                has_more = bool(turns) and len(prompts) == most
                if has_more:
                    break
                skipped += not turns
                prompts += [Prompt(turns)] if turns else []
    except (OSError, UnicodeError) as exc:
        raise _unreadable(name, exc) from exc
    if not prompts:
        raise UsageError(f"{name} has no conversation with a text of a human", arguments=["values"])
    more = f"{name} has more than the {most:,} conversations that are used: its first ones"
    without = f"conversations without a text of a human are left out: {skipped:,}"
    return ListedPrompts(tuple(prompts), notes=(*[more] * has_more, *[without] * bool(skipped)))


def _items(read: Callable[[int], str], name: str) -> Iterator[Any]:
    """Yield the items of a JSON array, reading no further than needed."""
    decode = json.JSONDecoder().raw_decode
    text, at = read(READ_CHARS), 0
    at = text.index("[") + 1
    while True:
        at = _end_of(_BETWEEN, text, at)
        if text.startswith("]", at):
            return
        try:
            item, at = decode(text, at)
        except (ValueError, RecursionError) as exc:
            text, at = text[at:], 0
            more = read(max(READ_CHARS, len(text))) if len(text) < MAX_CONVERSATION_CHARS else ""
            if not more:
                raise UsageError(f"{name} is not a JSON array: {exc}", arguments=["values"]) from exc
            text += more
        else:
            yield item


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _human_turns(item: Any, where: str) -> tuple[str, ...]:
    turns = item.get("conversations") if isinstance(item, dict) else None
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise UsageError(
            f'{where}: no list of "conversations", as in ShareGPT; write other prompts as JSON lines or CSV',
            arguments=["values"],
        )
    texts = (turn.get("value") for turn in turns if turn.get("from") in _HUMAN)
    return tuple(text for text in texts if isinstance(text, str) and text.strip())


def prompts_of(columns: Columns, name: str) -> ListedPrompts | None:
    """Return the prompts in the columns of a file; None if it has none. Raises UsageError."""
    sources = [column for column in PROMPT_COLUMNS if column in columns]
    if not sources:
        return None
    limits = columns.get("max_tokens") or (None,) * len(columns[sources[0]])
    rows = zip(*(columns[source] for source in sources), strict=True)
    return ListedPrompts(
        tuple(
            _prompt(dict(zip(sources, row, strict=True)), limit, f"{name}, row {number}")
            for number, (row, limit) in enumerate(zip(rows, limits, strict=True), 1)
        )
    )


def _prompt(row: dict[str, str | None], limit: str | None, where: str) -> Prompt:
    given = {column: text for column, text in row.items() if text is not None}
    if len(given) != 1:
        words = f"write one of {', '.join(PROMPT_COLUMNS)}"
        raise UsageError(
            f"{where} has {'no prompt' if not given else 'several prompts'}: {words}", arguments=["values"]
        )
    [(column, text)] = given.items()
    max_tokens = _limit(limit, where)
    match column:
        case "messages":
            return Prompt(messages=_messages(text, where), max_tokens=max_tokens)
        case "turns":
            return Prompt(_turns(text, where), max_tokens=max_tokens)
    return Prompt((text,), max_tokens=max_tokens)


def _limit(text: str | None, where: str) -> int | None:
    if text is None or not text.strip():
        return None
    if not re.fullmatch(r"\s*[0-9]{1,9}\s*", text) or not int(text):
        raise UsageError(f"{where}: max_tokens {text!r} is not a whole number from 1 on", arguments=["values"])
    return int(text)


def _messages(text: str, where: str) -> tuple[Message, ...]:
    messages = _json(text)
    if not _is_list_of(messages, dict) or not all(isinstance(each.get("role"), str) for each in messages):
        raise UsageError(
            f'{where}: messages is not a JSON array like [{{"role": "user", "content": "Hi"}}]', arguments=["values"]
        )
    return tuple(messages)


def _turns(text: str, where: str) -> tuple[str, ...]:
    turns = _json(text)
    if not _is_list_of(turns, str):
        raise UsageError(f'{where}: turns is not a JSON array of texts like ["Hi", "Why?"]', arguments=["values"])
    return tuple(turns)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, kind) for each in value)


def _unreadable(name: str, exc: Exception) -> UsageError:
    if isinstance(exc, UnicodeError):
        return UsageError(f"{name}: the text is not UTF-8", arguments=["values"])
    return cannot_read(name, exc, "values")
