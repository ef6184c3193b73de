"""One connection to an event stream, over httpx and the connecting half of httpx-sse.

httpx's defaults that hurt streams are set right here. What this file must not know: what the bytes mean, and
what happens after a connection has ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeAlias

import httpx
from httpx_sse import aconnect_sse

from sseclient_cli.client.failures import foreign_errors_mapped
from sseclient_cli.client.given_client import GivenClient, body_of
from sseclient_cli.client.request_body import replace_body
from sseclient_cli.client.socket_stream import Arrival, SocketStream
from sseclient_cli.client.tracing import Say, trace_event, trace_redirect
from sseclient_cli.client.transport import Transport
from sseclient_cli.errors import InvalidResponseError, ReadTimeoutError, SseError, UnexpectedResponseError
from sseclient_cli.keepalive import keep_alive
from sseclient_cli.refusals import MAX_BODY_BYTES, refused
from sseclient_cli.request.redirection import MAX_REDIRECTS, REDIRECT_STATUSES, redirected, too_many_redirects
from sseclient_cli.request.target import Target
from sseclient_cli.sse.content_coding import ContentDecoder, decoder_of
from sseclient_cli.sse.reconnection import StopReason, refusal_of

# A socket address, a unix socket's path, or None where the connection is gone already.
Peer: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | str | None

REFUSAL_BODY_TIMEOUT_S = 2.0
"""How long the body of a refusal may take. Most come with the head; a body without end would keep a person waiting."""


class Connection:
    """An open response: its head, and its body piece by piece, with any content coding undone.

    ``way`` has the requests that were made, redirects first, each with the peer that answered; ``target`` is the last
    one. ``status`` and ``headers`` (names in lower case) are those of its response. ``arrival`` is when the bytes
    arrived that ``read`` returned last; before the first read, when the head did.
    """

    def __init__(
        self,
        way: tuple[tuple[Target, Peer], ...],
        response: httpx.Response,
        stack: AsyncExitStack,
        read_timeout_s: float | None,
        *,
        is_own: bool = True,
    ) -> None:
        """Take over the stack, which closes the response; raises InvalidResponseError without having done so."""
        self.way = way
        self.target, _ = way[-1]
        self.status = response.status_code
        self.headers = _headers(response)
        self._read_timeout_s = read_timeout_s
        self._stream: Any = response.extensions.get("network_stream")
        self.arrival = self._latest_arrival()
        if is_own:
            # Raw: httpx would decode all codings at once, without a limit on the size of the result.
            self._chunks = response.aiter_raw()
            # Undone backwards: first the socket is closed, then the body comes to its end.
            stack.push_async_callback(self._exhaust)
            stack.push_async_callback(response.extensions["network_stream"].aclose)
        else:
            # The socket may carry other requests of the client (HTTP/2), and what its transport does when it is read
            # after the close is not known.
            self._chunks = body_of(response)
            stack.push_async_callback(self._chunks.aclose)
        self._decoder = None if response.is_stream_consumed else self._new_decoder()
        self._stack = stack.pop_all()

    @property
    def refusal(self) -> StopReason | None:
        """Why this is no event stream; None when it is one."""
        return refusal_of(self.status, self.headers.get("content-type"), any_type=self.target.any_content_type)

    async def refused(self, reason: StopReason) -> UnexpectedResponseError:
        """Build the error that says so, with the beginning of the body as far as it comes in time."""
        body = await self._beginning()
        led_from = self.way[0][0] if len(self.way) > 1 else None
        return refused(self.target, self.status, self.headers, body, reason, led_from=led_from)

    async def _beginning(self) -> bytes:
        body = b""
        with suppress(SseError, TimeoutError):  # what has come until then is more than nothing
            async with asyncio.timeout(REFUSAL_BODY_TIMEOUT_S):
                while len(body) < MAX_BODY_BYTES and (piece := await self.read()) is not None:
                    body += piece
        return body[:MAX_BODY_BYTES]

    def _new_decoder(self) -> ContentDecoder | None:
        """Raise InvalidResponseError for a coding that cannot be read, unless the body matters only for a message."""
        try:
            return decoder_of(self.headers.get("content-encoding", ""))
        except InvalidResponseError:
            if self.refusal is None:
                raise
            return None

    async def read(self) -> bytes | None:
        """Return the next bytes of the body; None at its end. Raises SseError when the connection breaks."""
        with foreign_errors_mapped(self.target, self._read_timeout_s):
            if self._decoder is None:
                return await self._next_chunk()
            while not (piece := self._decoder.piece()):
                chunk = await self._next_chunk()
                if chunk is None:
                    return None
                self._decoder.feed(chunk)
            # A body that is one huge piece of gzip must not keep the loop from everything else.
            await asyncio.sleep(0)
            return piece

    async def _next_chunk(self) -> bytes | None:
        # httpcore reads the socket only for what h11 does not have yet: this chunk ends with the latest read.
        chunk = await anext(self._chunks, None)
        self.arrival = self._latest_arrival()
        return chunk

    def _latest_arrival(self) -> Arrival:
        if isinstance(self._stream, SocketStream):
            return self._stream.arrival
        return Arrival(time.time_ns(), by_kernel=False)  # httpcore's own backend: see network.py

    async def aclose(self) -> None:
        """Close the socket. Never raises: nobody can do anything about a connection that is given up."""
        with suppress(httpx.HTTPError, OSError):
            await self._stack.aclose()

    async def _exhaust(self) -> None:
        """Read what is here already, until the closed socket fails: that ends the body's generators, one in the other.

        Closing the outermost would leave the others to the loop, which makes a task for each, some time later.
        """
        cancelled: asyncio.CancelledError | None = None
        with suppress(httpx.HTTPError, OSError):
            async for _ in self._chunks:
                try:
                    if cancelled is None:
                        await asyncio.sleep(0)  # thousands of small chunks must not block the loop
                except asyncio.CancelledError as exc:
                    cancelled = exc  # the rest at once
        if cancelled is not None:
            raise cancelled


class Connector:
    """Makes connections to ``target``, each a new one, or those of the caller's client; an async context manager."""

    def __init__(
        self,
        target: Target,
        read_timeout_s: float | None,
        on_trace: Say | None = None,
        given: GivenClient | None = None,
    ) -> None:
        self.target = target
        self._given = given
        self._on_trace = on_trace
        self._read_timeout_s = read_timeout_s
        # A stream may be silent for as long as it likes; only the caller knows better.
        self._timeout = httpx.Timeout(None, connect=target.connect_timeout_s, read=read_timeout_s)
        self._clients: dict[tuple[object, ...], httpx.AsyncClient] = {}

    async def __aenter__(self) -> Connector:
        return self

    async def __aexit__(self, *_: object) -> None:
        async with AsyncExitStack() as stack:
            for client in self._clients.values():
                stack.push_async_callback(client.aclose)

    async def connect(self, last_event_id: bytes | None) -> Connection:
        """Send the request, follow redirects, and return once the head of a response is in, whatever its status is.

        Raises SseError: BadStatusError for a redirect that leads nowhere, else the reason for having no
        response.
        """
        target, way = self.target, list[tuple[Target, Peer]]()
        while True:
            # What a Connection does not take over is closed: nobody reads the body of a redirect.
            async with AsyncExitStack() as stack:
                try:
                    response = await self._response_of(target, way, last_event_id, stack)
                except SseError as exc:
                    if way:
                        exc.add_note(f"a redirect from {way[0][0].redacted_url} led there")
                    raise
                way.append((target, _peer_of(response)))
                if response.status_code not in REDIRECT_STATUSES:
                    is_own = self._given is None
                    return Connection(tuple(way), response, stack, self._read_timeout_s, is_own=is_own)
            headers = _headers(response)
            target = redirected(target, response.status_code, headers)
            if self._on_trace is not None:
                trace_redirect(self._on_trace, target)
            if len(way) > MAX_REDIRECTS:
                raise too_many_redirects(target, response.status_code, headers)

    async def _response_of(
        self, target: Target, way: list[tuple[Target, Peer]], last_event_id: bytes | None, stack: AsyncExitStack
    ) -> httpx.Response:
        if self._given is None:
            return await self._ask(target, last_event_id, stack)
        is_elsewhere = any(asked.origin != target.origin for asked, _ in way)
        return await self._given.ask(target, last_event_id, stack, is_elsewhere=is_elsewhere)

    async def _ask(self, target: Target, last_event_id: bytes | None, stack: AsyncExitStack) -> httpx.Response:
        """Make one request; the stack closes its response and, whatever httpx makes of that, its socket."""
        loop, limit = asyncio.get_running_loop(), asyncio.timeout(None)

        async def trace(name: str, info: dict[str, Any]) -> None:
            # httpcore loses the socket when a TLS handshake is cancelled, and may close none when it is cancelled
            # twice. So we close it: aclose() of a SocketStream, and of anyio (4.16), closes before its first await.
            if name in ("connection.connect_tcp.complete", "connection.connect_unix_socket.complete"):
                stack.push_async_callback(info["return_value"].aclose)
                keep_alive(info["return_value"].get_extra_info("socket"))
            elif name == "http11.send_request_headers.started" and target.head_timeout_s is not None:
                limit.reschedule(loop.time() + target.head_timeout_s)
            if self._on_trace is not None:
                trace_event(self._on_trace, target, name, info)

        headers = [(name.encode(), value.encode()) for name, value in target.stream_headers()]
        if not any(name.lower() == b"host" for name, _ in headers):
            # httpx 0.28 looks at the host in Unicode before it adds one; for many a name that raises idna.IDNAError.
            headers.insert(0, (b"Host", target.parsed_url.netloc))
        if last_event_id is not None:
            headers.append((b"Last-Event-ID", last_event_id))
        if self._on_trace is not None and target.proxy is not None:
            self._on_trace(f"* through {target.proxy}")
        request = aconnect_sse(
            self._client(target),
            target.method,
            target.url,
            headers=httpx.Headers(headers),
            content=target.body,
            extensions={"trace": trace},
        )
        try:
            async with limit:
                with foreign_errors_mapped(target, self._read_timeout_s, answered=False):
                    return (await stack.enter_async_context(request)).response
        except TimeoutError as exc:
            raise ReadTimeoutError(
                f"no response head within {target.head_timeout_s:g} s: check that the URL streams, or raise "
                "`head_timeout_s`",
                arguments=["head_timeout_s"],
            ) from exc

    def _client(self, target: Target) -> httpx.AsyncClient:
        """Return the client for that way to connect, made when it is first needed."""
        # A tunnel knows where it leads.
        through = (target.proxy, target.origin if target.is_tunnelled else None)
        way = (target.parsed_url.scheme, target.connect_to, target.unix_socket, *through)
        if way not in self._clients:
            self._clients[way] = httpx.AsyncClient(
                timeout=self._timeout,
                transport=Transport(target, self._on_trace),
                # The proxy is the target's; and no credentials that a .netrc happens to hold.
                trust_env=False,
                # Cookies that a server sets are not sent back: every connection is the same request.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                event_hooks={"request": [self._restore_headers, replace_body], "response": [_hide_location]},
            )
        return self._clients[way]

    async def _restore_headers(self, request: httpx.Request) -> None:
        """Put Host first (RFC 9110 7.2), and undo what httpx-sse does to the caller's headers: it overwrites two."""
        request.headers = httpx.Headers(sorted(request.headers.raw, key=lambda pair: pair[0].lower() != b"host"))
        for name, value in self.target.stream_headers():
            if name.lower() in ("accept", "cache-control"):
                request.headers[name] = value


async def _hide_location(response: httpx.Response) -> None:
    """Keep httpx from preparing the redirect that it is not to follow: it fails where the Location is no URL."""
    response.extensions["headers"] = response.headers.raw
    response.headers.pop("location", None)


def _peer_of(response: httpx.Response) -> Peer:
    stream = response.extensions.get("network_stream")  # not every transport has one
    peer: Peer = None if stream is None else stream.get_extra_info("server_addr")
    return peer


def _headers(response: httpx.Response) -> Mapping[str, str]:
    """Return all headers: names in lower case, each byte of a value as one character (Fetch: "isomorphic decode")."""
    headers: dict[str, str] = {}
    for name, value in response.extensions.get("headers", response.headers.raw):
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
