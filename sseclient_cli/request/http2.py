"""When a request can use HTTP/2 (RFC 9113)."""

from __future__ import annotations

from importlib.util import find_spec

from sseclient_cli.errors import UsageError

WINDOW_BYTES = 2**31 - 1
"""The flow-control windows of a load test, the largest of RFC 9113 6.9.1. h2 renews a window when half of it is used,
`engine/http2.py` when a quarter is, each for its own frames, so 512 MiB is always free: more than the socket buffers of
both sides hold (10 MiB by Linux's defaults). So the server stops only when the socket is full, as with HTTP/1.1."""


def checked_http2(wanted: bool, *, is_websocket: bool) -> bool:
    """Return whether HTTP/2 is wanted. Raises UsageError without the package h2, or for a WebSocket.

    RFC 8441, the way of a WebSocket over HTTP/2, is not supported.
    """
    if not wanted:
        return False
    if is_websocket:
        raise UsageError("a WebSocket uses HTTP/1.1 here: leave out `http2`", arguments=["http2"])
    if find_spec("h2") is None:
        raise UsageError("HTTP/2 needs h2: pip install 'sseclient-cli[http2]'", arguments=["http2"])
    return True
