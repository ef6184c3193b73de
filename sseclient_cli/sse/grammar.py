r"""The grammar of an event stream (WHATWG HTML 9.2.5 and 9.2.6) as regular expressions, for text with LF as line end.

``segments`` divides complete lines of any kind into segments. A segment has one group for each kind of line, and is as
many lines as possible without loss: of several ``event``, ``id`` or ``retry`` lines the last one counts, and ``data``
lines that follow each other are one group. Another comment, or ``data`` after another field, begins the next segment.

An ``Order`` matches whole blocks with one order of lines, in half of the time. ``order_of`` finds the one of a block.
Both consist of the same patterns of values.

All quantifiers are possessive: with backtracking, ``id: `` would give back its space and turn an empty ID into the ID
" ", and a huge block would be scanned twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

__all__ = ["DEFAULT_ORDER", "Order", "joined_data", "order_of", "segments"]

# "If the line contains a U+003A COLON character [...] If value starts with a U+0020 SPACE character, remove it from
# value. Otherwise, [...] use the whole line as the field name, and the empty string as the field value."
_COLON = ": ?+"
_COLON_OR_END = rf"(?:{_COLON}|(?=\n))"
_REST_OF_LINE = r"[^\n]*+"
# "If the field value does not contain U+0000 NULL [...] Otherwise, ignore the field."
_ID_CHARACTER = r"[^\n\0]"
# "If the field value consists of only ASCII digits": at least one, unlike in Chromium
# (docs/explanation/conformance.md).
_DIGITS = "[0-9]++"
_COMMENT = rf"(:{_REST_OF_LINE})\n"


def _field(name: str, value: str, after_name: str = _COLON_OR_END) -> str:
    return rf"{name}{after_name}({value})\n"


def _data_lines(after_name: str) -> str:
    return rf"{_REST_OF_LINE}(?:\ndata{after_name}{_REST_OF_LINE})*+"


def _valid(value: str) -> str:
    # A group keeps its text if its branch of a repeated group fails later, so the value is checked before its group.
    return rf"{_COLON_OR_END}(?={value}\n)"


_LINES = "|".join(
    [
        _field("event", _REST_OF_LINE),
        _field("id", _REST_OF_LINE, _valid(f"{_ID_CHARACTER}*+")),
        rf"(?(3)(?!)){_field('data', _data_lines(_COLON_OR_END))}",
        _field("retry", _REST_OF_LINE, _valid(_DIGITS)),
        rf"(?(5)(?!)){_COMMENT}",
        # "Otherwise: The field is ignored." So is a field with an invalid value.
        rf"(?!data{_COLON_OR_END}|:)[^\n]++\n",
    ]
)
segments = re.compile(rf"(?!\Z)(?:{_LINES})*+(\n*+)").finditer
"""Return matches with the groups event type, ID, data, retry, comment, blank lines. The comment has its colon."""

_next_data = re.compile(rf"\ndata(?:{_COLON})?+").sub


def joined_data(lines: str) -> str:
    """Join the values of ``data`` lines, which are one group."""
    if "\n" not in lines:
        return lines
    # This is faster than the pattern. It leaves lines without a space, which look like values that begin with "data".
    data = lines.replace("\ndata: ", "\n")
    return _next_data("\n", lines) if "\ndata" in data else data


@dataclass(frozen=True, slots=True)
class Order:
    """Patterns for whole blocks with one order of lines. The group of an absent line is empty or None."""

    one_block: Callable[[str], re.Match[str] | None]
    """Match a text that is one such block."""
    fields: Callable[[re.Match[str]], tuple[Any, ...]]
    """Return the event type, the ID and the data of a match; with extras, also retry and comment."""
    rows: Callable[[str], list[tuple[str, ...]]]
    """Return the groups of each block in whole blocks of any kind."""
    row_fields: Callable[[tuple[str, ...]], tuple[str, ...]]
    """Return the fields of such a row, and a group for blocks of another order: a block that is one comment (without
    its line ends), or all text from another block on."""
    split: Callable[[str], list[str]]
    """Split whole blocks of any kind into all groups of all blocks."""
    columns: Callable[[list[str]], tuple[Any, ...]]
    """Return a list for each of the fields, and for the last group of ``row_fields``."""
    is_plain: bool
    """Whether the order has one line of data and no extras."""
    has_extras: bool
    """Whether the order has ``retry`` and a comment."""


_FIELDS = ("event", "id", "data")
_ALL = (*_FIELDS, "retry", "")
"""A comment is a line with an empty name."""


@cache
def _order(names: tuple[str, ...], *, is_plain: bool) -> Order:
    lines = {
        "event": _field("event", _REST_OF_LINE, _COLON),
        # An ID that resets the last event ID is left to `segments`: here, the group of an absent line is empty.
        "id": _field("id", f"{_ID_CHARACTER}++", _COLON),
        "data": _field("data", _REST_OF_LINE if is_plain else _data_lines(_COLON), _COLON),
        "retry": _field("retry", _DIGITS, _COLON),
        "": _COMMENT,
    }
    block = "".join(lines[name] if name == "data" else f"(?:{lines[name]})?+" for name in names) + r"\n"
    groups = [names.index(name) + 1 for name in _ALL[: len(names)]]
    other = len(names) + 1
    # The second branch takes a heartbeat, or the rest of the text, so consecutive matches skip no text.
    blocks = re.compile(rf"{block}|(:{_REST_OF_LINE}(?=\n\n)|(?s:.)++)(?:\n\n)?+")
    return Order(
        one_block=re.compile(block).fullmatch,
        fields=itemgetter(*groups),
        rows=blocks.findall,
        row_fields=itemgetter(*(group - 1 for group in (*groups, other))),
        split=blocks.split,
        # `split` also returns the text between two matches, which is empty.
        columns=itemgetter(*(slice(group, None, other + 1) for group in (*groups, other))),
        is_plain=is_plain,
        has_extras=len(names) == len(_ALL),
    )


DEFAULT_ORDER = _order(_FIELDS, is_plain=True)


def order_of(block: str) -> Order | None:
    """Return the order of a block without its blank line; None if no order matches it."""
    names = [line.partition(":")[0] for line in block.split("\n")]
    wanted = _FIELDS if {*names} <= {*_FIELDS} else _ALL
    is_plain = wanted is _FIELDS and names.count("data") == 1
    # A missing line is an optional first one: other blocks of the stream may have it.
    names = [name for name in wanted if name not in names] + [name for name, _ in groupby(names)]
    if len(names) != len(wanted):
        return None
    order = _order(tuple(names), is_plain=is_plain)
    return order if order.one_block(f"{block}\n\n") else None
