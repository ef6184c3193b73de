"""Encode events to bytes, for endpoints that send one event to many clients or must be cheap.

No connections, no clocks. ``/stream`` and ``/native`` use the encoders of their libraries.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from demo_server.streams.stream import Notice

# WHATWG HTML 9.2.5. str.splitlines would also split at characters that are data here.
LINE_END = re.compile("\r\n|\r|\n")


def encode_event(event_id: str | None, event_type: str | None, data: str) -> bytes:
    """Return any event. A client receives data of several lines with LF between them."""
    fields = [] if event_id is None else [f"id: {event_id}"]
    if event_type:
        fields.append(f"event: {event_type}")
    fields.extend(f"data: {line}" for line in LINE_END.split(data))
    return "\n".join([*fields, "\n"]).encode()


def event_encoder(padding_bytes: int, event_type: str | None = None) -> Callable[[int, int], bytes]:
    """Return a function that encodes (sequence number, timestamp in ns) as an event.

    Everything but the numbers is encoded once, so that an event costs one formatting operation.
    """
    name = b"event: %s\n" % event_type.encode().replace(b"%", b"%%") if event_type is not None else b""
    pad = b',"pad":"%s"' % (b"x" * padding_bytes) if padding_bytes else b""
    template = name + b'id: %d\ndata: {"seq":%d,"ts":%d' + pad + b"}\n\n"

    def encode(seq: int, ts_ns: int) -> bytes:
        return template % (seq, seq, ts_ns)

    return encode


def comment(notice: Notice) -> bytes:
    """Return a notice as a comment of an event stream."""
    return b": %s\n\n" % notice.value.encode()


def retry_field(retry_ms: int) -> bytes:
    """Return a block that sets the reconnection time and dispatches no event."""
    return b"retry: %d\n\n" % retry_ms
