"""Remove the announcement of a graceful shutdown from the frames of an HTTP/2 connection with one request.

GOAWAY with NO_ERROR says only that the server accepts no further requests: "activity on streams numbered lower or
equal to the last stream identifier might still complete successfully" (RFC 9113 6.8). h2 (4.4) then rejects the rest of
the response, and httpcore (1.0) ends it.
"""

from __future__ import annotations

_HEAD_BYTES = 9
"""RFC 9113 4.1: length (3), type, flags, stream (4)."""

_GOAWAY = 7


class GoawayFilter:
    """Takes the bytes of a connection, and returns those without graceful announcements."""

    def __init__(self) -> None:
        self._held = b""
        self._left_bytes = 0  # of a frame that passes

    def feed(self, data: bytes) -> bytes:
        """Return the bytes that may pass; an incomplete GOAWAY, or head of a frame, is held."""
        rest, passed = self._held + data, b""
        while rest:
            if not self._left_bytes:
                length = int.from_bytes(rest[:3], "big")
                is_goaway = rest[3:4] == bytes([_GOAWAY])
                if len(rest) < (_HEAD_BYTES + length if is_goaway else _HEAD_BYTES):
                    break
                if is_goaway and _is_graceful(rest[_HEAD_BYTES : _HEAD_BYTES + 8]):
                    rest = rest[_HEAD_BYTES + length :]
                    continue
                self._left_bytes = _HEAD_BYTES + length
            passed += rest[: self._left_bytes]
            rest, self._left_bytes = rest[self._left_bytes :], max(0, self._left_bytes - len(rest))
        self._held = rest
        return passed

    def finish(self) -> bytes:
        """Return the held bytes: no more follow."""
        held, self._held = self._held, b""
        return held


def _is_graceful(payload: bytes) -> bool:
    last_stream, code = int.from_bytes(payload[:4], "big"), int.from_bytes(payload[4:8], "big")
    return code == 0 and last_stream > 0
