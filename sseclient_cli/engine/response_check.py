"""Response checks: whether a response is an event stream, and whether it ended properly."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.http1 import ResponseReader
from sseclient_cli.errors import SseError
from sseclient_cli.lost_connections import closed_before_response, cut_in_response, cut_websocket
from sseclient_cli.response_errors import response_error
from sseclient_cli.sse.framing import StreamFormat, StreamParser, parser_of
from sseclient_cli.sse.response_check import StopReason, stop_reason_for
from sseclient_cli.sse.stream_format import format_of
from sseclient_cli.sse.websocket_handshake import SWITCHING_PROTOCOLS, check_handshake


def check_response(
    request: PreparedRequest,
    first: PreparedRequest,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    key: str = "",
    error_statuses: Collection[int] = (),
) -> StreamFormat:
    """Return the format of the stream. Raise BadStatusError or WrongContentTypeError if the response is none.

    WHATWG HTML 9.2.3, for an event stream. ``first`` is the first request of the redirect chain. ``body`` is the part
    of the body that has arrived. The response to a WebSocket must fit the ``key`` of the request; also raises
    InvalidResponseError. With one of ``error_statuses``, a body of JSON is a stream, too.
    """
    target = request.target
    content_type = headers.get("content-type")
    if status in error_statuses and format_of(content_type, StreamFormat.JSON) is StreamFormat.JSON:
        return StreamFormat.JSON
    reason = stop_reason_for(status, content_type, target.stream_format, any_type=target.any_content_type)
    if target.is_websocket:
        if status == SWITCHING_PROTOCOLS:
            check_handshake(headers, key, ", ".join(target.headers_named("sec-websocket-protocol")))
            return StreamFormat.WEBSOCKET
        reason = StopReason.BAD_STATUS
    if reason is not None:
        redirected_from = None if request is first else first.target
        raise response_error(target, status, headers, body, reason, redirected_from=redirected_from)
    return target.format_of(content_type) or StreamFormat.SSE


def new_parser(
    request: PreparedRequest,
    first: PreparedRequest,
    headers: Mapping[str, str],
    stream_format: StreamFormat,
    last_event_id: str,
    max_event_bytes: int,
) -> StreamParser:
    """Return the parser for a response of this format, which ``check_response`` has found."""
    target = request.target
    redirected_from = None if request is first else first.target

    def refusal(body: bytes) -> SseError:
        reason = StopReason.WRONG_CONTENT_TYPE
        return response_error(target, 200, headers, body, reason, redirected_from=redirected_from)

    is_guess = target.stream_format is StreamFormat.AUTO
    return parser_of(
        stream_format, last_event_id, max_event_bytes=max_event_bytes, refusal=refusal if is_guess else None
    )


def check_end(request: PreparedRequest, http: ResponseReader, *, is_open: bool) -> None:
    """Raise ConnectionLostError if the end of the connection is not the proper end of the response."""
    if not is_open:
        target = request.target
        peer = "the server" if target.proxy is None or target.is_tunnelled else str(target.proxy)
        raise closed_before_response(peer, target)
    if http.is_switched:
        raise cut_websocket()
    if not http.ends_with_connection:
        raise cut_in_response()
