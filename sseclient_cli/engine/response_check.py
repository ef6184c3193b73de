"""Response checks: whether a response is an event stream, and whether it ended properly."""

from __future__ import annotations

from collections.abc import Mapping

from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.http1 import ResponseReader
from sseclient_cli.lost_connections import closed_before_response, cut_in_response
from sseclient_cli.response_errors import response_error
from sseclient_cli.sse.response_check import stop_reason_for


def check_response(
    request: PreparedRequest, first: PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Raise BadStatusError or WrongContentTypeError if the response is not an event stream (WHATWG HTML 9.2.3).

    ``first`` is the first request of the redirect chain. ``body`` is the part of the body that has arrived.
    """
    target = request.target
    reason = stop_reason_for(status, headers.get("content-type"), any_type=target.any_content_type)
    if reason is not None:
        redirected_from = None if request is first else first.target
        raise response_error(target, status, headers, body, reason, redirected_from=redirected_from)


def check_end(request: PreparedRequest, http: ResponseReader, *, is_open: bool) -> None:
    """Raise ConnectionLostError if the end of the connection is not the proper end of the response."""
    if not is_open:
        target = request.target
        peer = "the server" if target.proxy is None or target.is_tunnelled else str(target.proxy)
        raise closed_before_response(peer, target)
    if not http.ends_with_connection:
        raise cut_in_response()
