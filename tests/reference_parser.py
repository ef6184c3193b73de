"""A parser by the letter of WHATWG HTML 9.2.5 and 9.2.6: the oracle for our own.

Simple and slow: it decodes the whole input at once, then follows the specification step by step. It must not import
``sseclient_cli``. If the specification leaves a choice, the parser chooses like the test vectors.
"""

from __future__ import annotations

import re

BOM = b"\xef\xbb\xbf"

# Unicode's table 3-7, with T for a trailing byte. An invalid sequence gives one U+FFFD for the longest beginning of a
# character, or for a byte that cannot begin one (WHATWG Encoding 8.1.1: decoding goes on with the byte behind it).
_CHARACTER = (
    rb"[\x00-\x7f]+|[\xc2-\xdf]T|\xe0[\xa0-\xbf]T|[\xe1-\xec\xee\xef]TT|\xed[\x80-\x9f]T"
    rb"|\xf0[\x90-\xbf]TT|[\xf1-\xf3]TTT|\xf4[\x80-\x8f]TT"
)
_BEGINNING = rb"\xe0[\xa0-\xbf]|[\xe1-\xec\xee\xef]T|\xed[\x80-\x9f]|\xf0[\x90-\xbf]T?|[\xf1-\xf3]TT?|\xf4[\x80-\x8f]T?"
_utf8 = re.compile((rb"(%b)|%b|[\x80-\xff]" % (_CHARACTER, _BEGINNING)).replace(b"T", rb"[\x80-\xbf]"))


def decoded(data: bytes) -> str:
    """UTF-8 decode without BOM."""
    return "".join(match[1].decode() if match[1] else "\ufffd" for match in _utf8.finditer(data))


class Reading:
    """The events, comments and fields of a whole stream."""

    def __init__(self, stream: bytes, last_event_id: str = "") -> None:
        self.events: list[tuple[str, str, str]] = []
        self.comments: list[str] = []
        self.last_event_id = last_event_id
        self.reconnection_time_ms: int | None = None
        self._data = self._event_type = ""
        self._id_buffer = last_event_id
        *lines, unfinished = re.split("\r\n|\r|\n", decoded(stream.removeprefix(BOM)))
        count = 0
        for line in lines:
            count = len(self.events)
            self._process(line)
        self.ends_with_event = len(self.events) > count and not unfinished

    def _process(self, line: str) -> None:
        if line == "":
            self._dispatch()
        elif line.startswith(":"):
            self.comments.append(line[1:])
        elif ":" in line:
            name, value = line.split(":", 1)
            self._process_field(name, value[1:] if value.startswith(" ") else value)
        else:
            self._process_field(line, "")

    def _process_field(self, name: str, value: str) -> None:
        if name == "event":
            self._event_type = value
        elif name == "data":
            self._data += value + "\n"
        elif name == "id":
            if "\0" not in value:
                self._id_buffer = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            self.reconnection_time_ms = 0
            for digit in value:  # int() has a limit
                self.reconnection_time_ms = 10 * self.reconnection_time_ms + ord(digit) - ord("0")

    def _dispatch(self) -> None:
        self.last_event_id = self._id_buffer
        if self._data != "":
            self.events.append((self._event_type or "message", self._data[:-1], self.last_event_id))
        self._data = self._event_type = ""


def within_limit(stream: bytes, max_event_bytes: int, *, hears_comments: bool) -> bytes:
    """Return the stream up to, but without, the line that makes an event too large.

    This rule is ours, not the specification's: the lines of an event count without their line ends and without its
    comments. If comments are heard, each one counts separately.
    """
    if BOM.startswith(stream):
        return stream  # this may be a byte order mark, which does not count
    begin = len(BOM) if stream.startswith(BOM) else 0
    event_bytes = 0
    for match in re.finditer(rb"([^\r\n]*)(?:\r\n|\r|\n|\Z)", stream[begin:]):
        line = match[1]
        is_comment = line.startswith(b":")
        if not is_comment:
            event_bytes = event_bytes + len(line) if line else 0
        if max(event_bytes, len(line) if is_comment and hears_comments else 0) > max_event_bytes:
            return stream[: begin + match.start()]
    return stream
