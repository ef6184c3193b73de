"""The errors of HTTP/2, the same for one stream and for many (RFC 9113)."""

from __future__ import annotations

from sseclient_cli.errors import Http2Error, Http2GoawayError, Http2NotOfferedError, Http2ProtocolError, Http2ResetError
from sseclient_cli.redaction import shown_text

# RFC 9113 7, in the order of the codes. Not from h2: a message needs no optional package.
_CODES = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip

_ADVICE = {
    "REFUSED_STREAM": "it did not process the request, and may accept fewer streams",
    "ENHANCE_YOUR_CALM": "it limits the rate of requests",
    "HTTP_1_1_REQUIRED": "leave out `http2` for this URL",
}
_OTHER = "check the server's log"


def code_name(code: int) -> str:
    """Return the name of an error code; ``UNKNOWN`` for one that RFC 9113 does not define."""
    return _CODES[code] if 0 <= code < len(_CODES) else "UNKNOWN"


def not_chosen(peer: str) -> Http2NotOfferedError:
    """Return the error for a server that did not choose HTTP/2 in the TLS handshake."""
    return Http2NotOfferedError(
        f"{peer} does not offer HTTP/2 in the TLS handshake: leave out `http2`", arguments=["http2"]
    )


def not_spoken(peer: str, *, answered: bool) -> Http2NotOfferedError:
    """Return the error for a server that answered HTTP/2 with HTTP/1.1, or else closed the connection."""
    did = "answered with HTTP/1.1" if answered else "closed the connection"
    return Http2NotOfferedError(
        f"{peer} does not speak HTTP/2 without TLS: it {did}; leave out `http2`", arguments=["http2"]
    )


def stream_reset(code: int, *, by_server: bool = True) -> Http2Error:
    """Return the error for a stream that was reset: by the server, or by h2 because of a violation of the server."""
    name = code_name(code)
    if not by_server:
        return violated(name)
    return Http2ResetError(
        f"the server reset the HTTP/2 stream with {name} ({code}): {_ADVICE.get(name, _OTHER)}", reason=name
    )


def going_away(code: int, data: bytes = b"", *, is_processed: bool) -> Http2GoawayError:
    """Return the error for a stream on a connection that the server closes (GOAWAY), with its debug data."""
    what = "ended the connection" if is_processed else "did not process the stream"
    said = shown_text(data.decode("utf-8", "replace"))
    says = f"; the server says: {said}" if said else ""
    error = Http2GoawayError(f"the server {what} (HTTP/2 GOAWAY, {code_name(code)}){says}")
    error.may_repeat = not (is_processed or code)
    return error


def violation_of(exc: Exception) -> Http2ProtocolError:
    """Return the error for an exception of h2."""
    if type(exc).__name__ == "NoSuchStreamError":  # its message is the number of the stream
        return violated(f"no request has opened stream {exc}")
    return violated(str(exc) or type(exc).__name__)


def violated(words: str) -> Http2ProtocolError:
    """Return the error for a server that violated HTTP/2."""
    return Http2ProtocolError(f"the server violated HTTP/2: {shown_text(words)}")


def no_streams() -> Http2ResetError:
    """Return the error for a server that allows no streams at all."""
    return Http2ResetError("the server allows no HTTP/2 stream (SETTINGS_MAX_CONCURRENT_STREAMS is 0)")
