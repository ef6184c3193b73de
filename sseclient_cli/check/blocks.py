"""The lines of a body as they are on the wire, to find those that the parser ignores silently.

The parser decides which events there are (``sse/event_stream.py``); here its rules of lines and blocks are applied
again only to find the lines that they skip. A test compares both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"

FIELDS = frozenset({b"data", b"event", b"id", b"retry"})


@dataclass(slots=True)
class Block:
    """The lines up to a blank line."""

    has_data: bool = False
    own_id: bytes | None = None
    size_bytes: int = 0


@dataclass(slots=True)
class Wire:
    """A body, line by line."""

    has_bom: bool = False
    line_ends: dict[bytes, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    """The complete blocks with a line other than comments."""
    unknown_lines: list[bytes] = field(default_factory=list)
    """Lines whose field name no client knows."""
    bad_retries: list[bytes] = field(default_factory=list)
    bad_ids: list[bytes] = field(default_factory=list)
    """IDs that clients ignore, or cannot send back."""

    @property
    def events(self) -> list[Block]:
        """The blocks that are events."""
        return [block for block in self.blocks if block.has_data]


def read_wire(body: bytes) -> Wire:
    """Take a body apart."""
    wire = Wire(has_bom=body.startswith(_BOM))
    block, size_bytes, begin = Block(), 0, len(_BOM) if wire.has_bom else 0
    for found in _LINE_END.finditer(body, begin):
        line, begin = body[begin : found.start()], found.end()
        wire.line_ends[found[0]] = wire.line_ends.get(found[0], 0) + 1
        if line and not line.startswith(b":"):
            size_bytes += len(line)
            _take(line, block, wire)
        elif not line and size_bytes:
            block.size_bytes = size_bytes
            wire.blocks.append(block)
            block, size_bytes = Block(), 0
    return wire


def _take(line: bytes, block: Block, wire: Wire) -> None:
    name, _, value = line.partition(b":")
    value = value.removeprefix(b" ")
    if name not in FIELDS:
        wire.unknown_lines.append(line)
    elif name == b"data":
        block.has_data = True
    elif name == b"id":
        if not _is_sendable(value):
            wire.bad_ids.append(value)
        if b"\0" not in value:
            block.own_id = value
    elif name == b"retry" and not re.fullmatch(rb"[0-9]+", value):
        wire.bad_retries.append(value)


def _is_sendable(value: bytes) -> bool:
    """Return whether a client can send the ID as a header: HTTP allows no control characters, and strips spaces."""
    return value == value.strip(b" \t") and not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value)
