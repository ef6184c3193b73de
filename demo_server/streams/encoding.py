"""Events to bytes: once for many, where an event has many readers or costs must be small.

Nothing here knows about connections or clocks. ``/stream`` and ``/native`` leave their encoding to their libraries.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from demo_server.streams.stream import Notice

LINE_END = re.compile("\r\n|\r|\n")  # WHATWG HTML 9.2.5; str.splitlines knows more, which are data here


def encode_event(event_id: str | None, event_type: str | None, data: str) -> bytes:
    """Return any event; data of several lines arrives with LF between them."""
    fields = [] if event_id is None else [f"id: {event_id}"]
    if event_type:
        fields.append(f"event: {event_type}")
    fields.extend(f"data: {line}" for line in LINE_END.split(data))
    return "\n".join([*fields, "\n"]).encode()


def event_encoder(padding_bytes: int, event_type: str | None = None) -> Callable[[int, int], bytes]:
    """Return a function from (sequence number, timestamp in ns) to one event.

    Everything but the numbers is encoded here and now: an event then costs one formatting operation.
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
    """Return a block that sets the client's reconnection time and is no event."""
    return b"retry: %d\n\n" % retry_ms
