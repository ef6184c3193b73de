"""Send the request of a stream and follow redirects, with httpx and the connecting half of httpx-sse.

httpx has defaults that break streams; this module overrides them. It must not know what follows the end of a
connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
from httpx_sse import aconnect_sse

from sseclient_cli.client.connection import Connection, Peer, response_headers
from sseclient_cli.client.exception_mapping import mapped_exceptions
from sseclient_cli.client.given_client import GivenClient
from sseclient_cli.client.request_body import replace_body
from sseclient_cli.client.tracing import WriteLine, trace_event, trace_redirect
from sseclient_cli.client.transport import Transport
from sseclient_cli.errors import ReadTimeoutError, SseError
from sseclient_cli.http2_errors import not_chosen
from sseclient_cli.keepalive import keep_alive
from sseclient_cli.request.proxied import answering_peer
from sseclient_cli.request.redirection import MAX_REDIRECTS, REDIRECT_STATUSES, redirected, too_many_redirects
from sseclient_cli.request.target import Target
from sseclient_cli.sse.websocket_handshake import KEY_HEADER, new_key

# HTTP/2 forbids them (RFC 9113 8.2.2): h2 removes all but TE, but the trace would show them.
_OF_HTTP1 = ("connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade")


class Connector:
    """Opens connections to ``target``: a new one each time, or one of the caller's client. An async context manager."""

    def __init__(
        self,
        target: Target,
        read_timeout_s: float | None,
        on_trace: WriteLine | None = None,
        given: GivenClient | None = None,
    ) -> None:
        self.target = target
        self._given = given
        self._on_trace = on_trace
        self._read_timeout_s = read_timeout_s
        # Without a read timeout by default: only the caller knows how long a stream may be silent.
        self._timeout = httpx.Timeout(None, connect=target.connect_timeout_s, read=read_timeout_s)
        self._clients: dict[tuple[object, ...], httpx.AsyncClient] = {}

    async def __aenter__(self) -> Connector:
        return self

    async def __aexit__(self, *_: object) -> None:
        async with AsyncExitStack() as stack:
            for client in self._clients.values():
                stack.push_async_callback(client.aclose)

    async def connect(self, last_event_id: bytes | None) -> Connection:
        """Send the request, follow redirects, and return the first other response, with any status.

        Raises SseError: BadStatusError for an invalid redirect, otherwise the reason why there is no response.
        """
        target, requests = self.target, list[tuple[Target, Peer]]()
        while True:
            # The stack closes the response of a redirect without reading its body. A Connection takes the stack over.
            async with AsyncExitStack() as stack:
                try:
                    response = await self._response_to(target, requests, last_event_id, stack)
                except SseError as exc:
                    if requests:
                        exc.add_note(f"a redirect from {requests[0][0].redacted_url} led there")
                    raise
                requests.append((target, _peer_of(response)))
                if response.status_code not in REDIRECT_STATUSES:
                    is_own = self._given is None
                    return Connection(tuple(requests), response, stack, self._read_timeout_s, is_own=is_own)
            headers = response_headers(response)
            target = redirected(target, response.status_code, headers)
            if self._on_trace is not None:
                trace_redirect(self._on_trace, target)
            if len(requests) > MAX_REDIRECTS:
                raise too_many_redirects(target, response.status_code, headers)

    async def _response_to(
        self, target: Target, requests: list[tuple[Target, Peer]], last_event_id: bytes | None, stack: AsyncExitStack
    ) -> httpx.Response:
        if self._given is None:
            return await self._send(target, last_event_id, stack)
        is_elsewhere = any(earlier.origin != target.origin for earlier, _ in requests)
        return await self._given.send(target, last_event_id, stack, is_elsewhere=is_elsewhere)

    async def _send(self, target: Target, last_event_id: bytes | None, stack: AsyncExitStack) -> httpx.Response:
        """Send one request. The stack closes its response, and in any case its socket."""
        loop, limit = asyncio.get_running_loop(), asyncio.timeout(None)

        async def trace(name: str, info: dict[str, Any]) -> None:
            # httpcore (1.0) leaks the socket when a TLS handshake is cancelled, and may leak one when it is cancelled
            # twice. So the stack closes it: aclose() of SocketStream, and of anyio (4.16), closes before its first
            # await.
            if name in ("connection.connect_tcp.complete", "connection.connect_unix_socket.complete"):
                stack.push_async_callback(info["return_value"].aclose)
                keep_alive(info["return_value"].get_extra_info("socket"))
            elif name.endswith(".send_request_headers.started") and target.head_timeout_s is not None:
                limit.reschedule(loop.time() + target.head_timeout_s)
            if self._on_trace is not None:
                trace_event(self._on_trace, target, name, info)
            if name == "connection.start_tls.complete" and target.http2:
                _require_http2(info["return_value"].get_extra_info("ssl_object"), target)

        if self._on_trace is not None and target.proxy is not None:
            self._on_trace(f"* through {target.proxy}")
        request = self._opened(
            target,
            target.method,
            target.url,
            headers=_request_headers(target, last_event_id),
            content=target.body,
            extensions={"trace": trace},
        )
        try:
            async with limit:
                with mapped_exceptions(target, self._read_timeout_s, answered=False):
                    return await stack.enter_async_context(request)
        except TimeoutError as exc:
            raise ReadTimeoutError(
                f"no response head within {target.head_timeout_s:g} s: check that the URL streams, or raise "
                "`head_timeout_s`",
                arguments=["head_timeout_s"],
            ) from exc

    @asynccontextmanager
    async def _opened(self, target: Target, *request: str, **options: Any) -> AsyncIterator[httpx.Response]:
        if target.is_websocket:  # httpx-sse adds the headers of an event stream
            async with self._client(target).stream(*request, **options) as response:
                yield response
            return
        async with aconnect_sse(self._client(target), *request, **options) as source:
            yield source.response

    def _client(self, target: Target) -> httpx.AsyncClient:
        """Return the client for this kind of connection; create it on first use."""
        # The transport of a tunnel is bound to one origin.
        through = (target.proxy, target.origin if target.is_tunnelled else None)
        key = (target.parsed_url.scheme, target.connect_to, target.unix_socket, *through)
        if key not in self._clients:
            self._clients[key] = httpx.AsyncClient(
                timeout=self._timeout,
                transport=Transport(target, self._on_trace),
                # The target has its own proxy rules, and credentials of a .netrc file must not be sent.
                trust_env=False,
                # Never send cookies back: every connection makes the same request.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                event_hooks={"request": [self._restore_headers, replace_body], "response": [_hide_location]},
            )
        return self._clients[key]

    async def _restore_headers(self, request: httpx.Request) -> None:
        """Put Host first (RFC 9110 7.2), and restore the caller's Accept and Cache-Control.

        httpx-sse (0.4) overwrites these two headers.
        """
        request.headers = httpx.Headers(sorted(request.headers.raw, key=lambda pair: pair[0].lower() != b"host"))
        for name, value in self.target.stream_headers():
            if name.lower() in ("accept", "cache-control"):
                request.headers[name] = value
        if self.target.http2:
            for name in _OF_HTTP1:
                request.headers.pop(name, None)


def _require_http2(tls: ssl.SSLObject, target: Target) -> None:
    if tls.selected_alpn_protocol() != "h2":
        raise not_chosen(answering_peer(target))


def _request_headers(target: Target, last_event_id: bytes | None) -> httpx.Headers:
    headers = [(name.encode(), value.encode()) for name, value in target.stream_headers()]
    if last_event_id is not None:
        headers.append((b"Last-Event-ID", last_event_id))
    if target.is_websocket:
        headers.append((KEY_HEADER.encode(), new_key().encode()))
    return httpx.Headers(headers)


async def _hide_location(response: httpx.Response) -> None:
    """Remove the Location header: httpx (0.28) raises for an invalid one, even if it does not follow redirects."""
    response.extensions["headers"] = response.headers.raw
    response.headers.pop("location", None)


def _peer_of(response: httpx.Response) -> Peer:
    stream = response.extensions.get("network_stream")  # not every transport sets it
    peer: Peer = None if stream is None else stream.get_extra_info("server_addr")
    return peer
