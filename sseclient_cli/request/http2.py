"""When a request can use HTTP/2 (RFC 9113)."""

from __future__ import annotations

from importlib.util import find_spec

from sseclient_cli.errors import UsageError


def check_http2(*, is_websocket: bool) -> None:
    """Raise UsageError without the package h2, or for a WebSocket: RFC 8441, its way over HTTP/2, is not supported."""
    if is_websocket:
        raise UsageError("a WebSocket uses HTTP/1.1 here: leave out `http2`", arguments=["http2"])
    if find_spec("h2") is None:
        raise UsageError("HTTP/2 needs h2: pip install 'sseclient-cli[http2]'", arguments=["http2"])
