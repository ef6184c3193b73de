"""Repair invalid response heads so that strict HTTP parsers accept them; as tolerant as curl.

Pure. Both clients use it, so they accept the same responses. Only faults with one clear meaning are repaired:

* Join a header that continues on the next line (RFC 9112 5.2).
* Remove a space between a name and its colon (RFC 9112 5.1).
* Drop a line whose name is not a token ("X Powered By: x", "PHP Warning: x").
* Merge repeated Content-Length headers with the same value, and repeated ``chunked`` codings. Drop ``identity``.

Such repairs can allow response smuggling if a proxy interprets the head differently. These clients are safe because
they never reuse a connection.
"""

from __future__ import annotations

import re

MAX_HEAD_BYTES = 256 * 1024
"""Chromium's limit for a response head (kMaxHeaderBufSize in its HTTP stream parser)."""

SWITCHED_PROTOCOL = "switches to another protocol (status 101), for example WebSocket: write ws:// or wss://"

MAX_QUOTED_CHARS = 60

_HEAD_END = re.compile(rb"\n\r?\n")
_INTERIM = re.compile(rb"HTTP/1\.[0-9] 1(?!01)[0-9][0-9][ \r\n]")
_CHUNKED = re.compile(rb"\n(?i:transfer-encoding):[ \t]*(?i:chunked)[ \t]*\r?\n")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_START = b"HTTP/"

# RFC 9113 6.5: length, type 4 (SETTINGS), flags, stream 0.
_HTTP2_SETTINGS = re.compile(rb"..[\x00-\xff]\x04[\x00\x01]\0\0\0\0", re.DOTALL)


class HeadMender:
    """Holds back the bytes of a connection until the head is complete, then returns the repaired head and the rest.

    Interim heads (1xx) are repaired one by one. ``is_done``: the final head was returned, or the bytes are not HTTP, or
    the head is too large; do not call ``feed`` after that. ``has_changed``: a head was repaired. ``is_chunked``: the
    final head announces chunks. ``body_bytes``: the number of bytes in the last result of ``feed`` after that head.
    """

    __slots__ = ("_held", "_scanned", "body_bytes", "has_changed", "is_chunked", "is_done")

    def __init__(self) -> None:
        self._held = bytearray()
        self._scanned = 0
        self.is_done = False
        self.has_changed = False
        self.body_bytes = 0
        self.is_chunked = False

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; return those that can be parsed now."""
        self._held += data
        passed = b""
        while _START.startswith(self._held[: len(_START)]):
            end = _HEAD_END.search(self._held, self._scanned)
            if end is None:
                self._scanned = max(len(self._held) - 2, 0)
                if len(self._held) > MAX_HEAD_BYTES:
                    break
                return passed
            head = bytes(self._held[: end.end()])
            repaired = _repaired(head)
            self.has_changed = self.has_changed or repaired != head
            passed += repaired
            del self._held[: end.end()]
            self._scanned = 0
            if _INTERIM.match(head) is None:
                self.body_bytes = len(self._held)
                self.is_chunked = _CHUNKED.search(repaired) is not None
                break
        return passed + self.finish()

    def finish(self) -> bytes:
        """Return the held bytes without repairs: the connection has ended, or they are not a head."""
        self.is_done = True
        held = bytes(self._held)
        self._held.clear()
        return held


def _repaired(head: bytes) -> bytes:
    status_line, *lines = head.split(b"\n")
    fields: list[bytes] = []
    lengths: set[bytes] = set()
    codings: list[bytes] = []
    for line in _unfolded(lines[:-2]):
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if not name or not colon:
            fields.append(line)  # let the parser report the error
            continue
        if not _TOKEN.fullmatch(name):
            continue
        field, key = (line if line.startswith(name + b":") else name + b":" + value), name.lower()
        if key == b"transfer-encoding":
            codings += [coding.strip(b" \t\r").lower() for coding in value.split(b",")]
        if key == b"content-length":
            values = {length.strip(b" \t\r") for length in value.split(b",")}
            if len(values) == 1 and values == lengths:
                continue
            lengths |= values
            if len(values) == 1 and b"," in value:
                field = b"%b: %b\r" % (name, *values)
        fields.append(field)
    if len(codings) > 1 or codings == [b"identity"]:
        fields = _with_one_coding(fields, codings)
    return b"\n".join([status_line, *fields, *lines[-2:]])


def _with_one_coding(fields: list[bytes], codings: list[bytes]) -> list[bytes]:
    """Merge the Transfer-Encoding fields into one, unless they have other codings than chunked and identity."""
    if set(codings) - {b"chunked", b"identity"}:
        return fields
    others = [field for field in fields if field.partition(b":")[0].lower() != b"transfer-encoding"]
    return [*others, b"Transfer-Encoding: chunked\r"] if b"chunked" in codings else others


def _unfolded(lines: list[bytes]) -> list[bytes]:
    unfolded: list[bytes] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and unfolded:
            unfolded[-1] = unfolded[-1].rstrip(b" \t\r") + b" " + line.lstrip(b" \t")
        else:
            unfolded.append(line)
    return unfolded


def other_protocol(first: bytes) -> str:
    """Describe the protocol of a response with this start, for a message; empty if it may be HTTP/1."""
    if first[:2] == b"\x15\x03":  # RFC 8446 6: an alert
        return "this port speaks TLS: write https:// instead of http:// (wss:// instead of ws://)"
    if _HTTP2_SETTINGS.match(first):
        return "the server speaks HTTP/2 only, and this client HTTP/1.1: use the server's HTTP/1.1 port"
    if first and not _START.startswith(first[: len(_START)]):
        line = first.split(b"\n")[0].rstrip(b"\r").decode("latin-1")
        cut = line if len(line) <= MAX_QUOTED_CHARS else line[:MAX_QUOTED_CHARS] + "..."
        return f"it has no response head and starts with {cut!a}"
    return ""
