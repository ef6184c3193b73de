"""Events to bytes, for the load stream.

Everything but the numbers is encoded once per stream: an event then costs one formatting operation. Nothing
here knows about connections or clocks. ``/stream`` leaves its encoding to sse-starlette, with CRLF line
ends; here they are LF, so the two endpoints exercise both.
"""

from __future__ import annotations

from collections.abc import Callable


def event_encoder(padding_bytes: int) -> Callable[[int, int], bytes]:
    """Return a function from (sequence number, timestamp in ns) to one event."""
    pad = b',"pad":"%s"' % (b"x" * padding_bytes) if padding_bytes else b""
    template = b'id: %d\ndata: {"seq":%d,"ts":%d' + pad + b"}\n\n"

    def encode(seq: int, ts_ns: int) -> bytes:
        return template % (seq, seq, ts_ns)

    return encode
