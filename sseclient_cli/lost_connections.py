"""The errors for lost connections, the same for one stream and for many."""

from __future__ import annotations

from sseclient_cli.errors import ConnectionLostError
from sseclient_cli.request.target import Target


def closed_before_response(peer: str, target: Target) -> ConnectionLostError:
    """Return the error for a connection that ``peer`` closed before the response head."""
    words = f"{peer} closed the connection before it answered"
    if target.http2:
        return ConnectionLostError(f"{words}; does it speak HTTP/2? try without `http2`", arguments=["http2"])
    return ConnectionLostError(f"{words}{_tls_hint(target)}")


def cut_in_response() -> ConnectionLostError:
    """Return the error for a response that ended early, by its own framing (RFC 9112 6.3 and 8)."""
    return ConnectionLostError("the connection was cut in the middle of the response")


def cut_websocket() -> ConnectionLostError:
    """Return the error for a WebSocket that ended without a close frame (RFC 6455 7.1.5: code 1006)."""
    return ConnectionLostError("the connection was cut without a close frame of the WebSocket (1006)")


def broken(reason: str, unanswered: Target | None = None) -> ConnectionLostError:
    """Return the error for a connection that broke for ``reason``; ``unanswered`` is its target before the response."""
    when, hint = (" before the server answered", _tls_hint(unanswered)) if unanswered else ("", "")
    return ConnectionLostError(f"the connection broke{when}: {reason}{hint}")


def _tls_hint(target: Target) -> str:
    """Return a hint for a connection that was closed without a response, as TLS servers do after plain HTTP."""
    is_plain = target.http_scheme == "http" and target.proxy is None
    return f"; does this port speak TLS ({'wss' if target.is_websocket else 'https'}://)?" if is_plain else ""
