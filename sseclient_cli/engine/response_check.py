"""Checks of a response: whether it is an event stream, and whether it ended as HTTP says."""

from __future__ import annotations

from collections.abc import Mapping

from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.http1 import ResponseReader
from sseclient_cli.errors import ConnectionLostError
from sseclient_cli.response_errors import response_error, tls_hint
from sseclient_cli.sse.response_check import stop_reason_for


def check_response(
    request: PreparedRequest, first: PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Raise BadStatusError or WrongContentTypeError if the response is no event stream (WHATWG HTML 9.2.3).

    ``first`` is the request from which redirects may have led here; ``body`` is the part of the body that has come.
    """
    target = request.target
    refusal = stop_reason_for(status, headers.get("content-type"), any_type=target.any_content_type)
    if refusal is not None:
        redirected_from = None if request is first else first.target
        raise response_error(target, status, headers, body, refusal, redirected_from=redirected_from)


def check_end(request: PreparedRequest, http: ResponseReader, *, is_open: bool) -> None:
    """Raise ConnectionLostError if the end of a connection is not the proper end of a response."""
    if not is_open:
        target = request.target
        peer = "the server" if target.proxy is None or target.is_tunnelled else str(target.proxy)
        raise ConnectionLostError(f"{peer} closed the connection before it answered{tls_hint(target)}")
    if not http.ends_with_connection:
        raise ConnectionLostError("the connection was cut in the middle of the response")
