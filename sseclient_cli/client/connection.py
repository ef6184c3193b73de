"""An open connection to an event stream: one response of httpx, and its body in pieces.

After a switch to the WebSocket protocol, the bytes of the connection take the place of the body.

This module must not know the format of the body, nor what follows the end of a connection.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any, TypeAlias

import httpx

from sseclient_cli.client.exception_mapping import mapped_exceptions
from sseclient_cli.client.given_client import body_of
from sseclient_cli.client.socket_stream import READ_BYTES, Arrival, SocketStream
from sseclient_cli.client.transport import exceptions_of_httpx
from sseclient_cli.errors import InvalidResponseError, SseError, UnexpectedResponseError
from sseclient_cli.request.target import Target
from sseclient_cli.response_errors import MAX_BODY_BYTES, response_error
from sseclient_cli.sse.content_coding import ContentDecoder, decoder_of
from sseclient_cli.sse.framing import StreamFormat, parser_of
from sseclient_cli.sse.response_check import StopReason, stop_reason_for
from sseclient_cli.sse.websocket_handshake import KEY_HEADER, SWITCHING_PROTOCOLS, check_handshake

# A socket address, the path of a unix socket, or None if the connection is already closed.
Peer: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | str | None

ERROR_BODY_TIMEOUT_S = 2.0
"""Time limit for the body of an error response. Most bodies arrive with the head; an endless one must not delay the
error."""


class Connection:
    """An open response: its head, and its decoded body in pieces.

    ``requests`` is the redirect chain: each request with the peer that answered, the stream's own request last.
    ``target`` is that last request; ``status`` and ``headers`` (names in lower case) belong to its response.
    ``arrival`` is the arrival time of the bytes that ``read`` returned last; before the first read, that of the head.
    """

    def __init__(
        self,
        requests: tuple[tuple[Target, Peer], ...],
        response: httpx.Response,
        stack: AsyncExitStack,
        read_timeout_s: float | None,
        *,
        is_own: bool = True,
    ) -> None:
        """Take ownership of the stack, which closes the response, unless it raises InvalidResponseError.

        ``is_own``: the response is from the package's own transport, not from a client of the caller.
        """
        self.requests = requests
        self.target, _ = requests[-1]
        self.status = response.status_code
        self.headers = response_headers(response)
        self._read_timeout_s = read_timeout_s
        self._stream: Any = response.extensions.get("network_stream")
        self._is_unread = False  # whether the server does not read what is sent
        self._is_switched = self.target.is_websocket and self.status == SWITCHING_PROTOCOLS
        if self._is_switched:
            offered = ", ".join(self.target.headers_named("sec-websocket-protocol"))
            check_handshake(self.headers, response.request.headers[KEY_HEADER], offered)
        self.arrival = self._latest_arrival()
        if is_own:
            # Raw bytes: httpx would decode all codings at once, without a limit on the size of the result.
            self._chunks = response.aiter_raw()
            # Callbacks run in reverse order: close the socket first, then exhaust the body.
            stack.push_async_callback(self._exhaust)
            stack.push_async_callback(response.extensions["network_stream"].aclose)
        else:
            # The socket may carry other requests of the client (HTTP/2), and its transport may not support a read after
            # the close.
            self._chunks = body_of(response)
            stack.push_async_callback(self._chunks.aclose)
        self._decoder = None if response.is_stream_consumed else self._new_decoder()
        self._stack = stack.pop_all()

    @property
    def stop_reason(self) -> StopReason | None:
        """Why the response is not an event stream; None if it is one."""
        if self.target.is_websocket:
            return None if self._is_switched else StopReason.BAD_STATUS
        target = self.target
        return stop_reason_for(
            self.status, self.headers.get("content-type"), target.stream_format, any_type=target.any_content_type
        )

    @property
    def stream_format(self) -> StreamFormat:
        """The format of the body, if it is a stream."""
        if self._is_switched:
            return StreamFormat.WEBSOCKET
        return self.target.format_of(self.headers.get("content-type")) or StreamFormat.SSE

    @property
    def is_guess(self) -> bool:
        """Whether the format is known by the content type alone: lines may turn out to be an event stream."""
        return self.target.stream_format is StreamFormat.AUTO and not self._is_switched

    async def response_error(self, reason: StopReason) -> UnexpectedResponseError:
        """Build the error for this response, with the start of its body as far as it arrives in time."""
        return self._error(reason, await self._body_start())

    def refusal(self, body: bytes) -> UnexpectedResponseError:
        """Build the error for this response, whose body has the format of another content type."""
        return self._error(StopReason.WRONG_CONTENT_TYPE, body)

    def _error(self, reason: StopReason, body: bytes) -> UnexpectedResponseError:
        redirected_from = self.requests[0][0] if len(self.requests) > 1 else None
        return response_error(self.target, self.status, self.headers, body, reason, redirected_from=redirected_from)

    async def require_format(self) -> None:
        """Raise WrongContentTypeError if the format is a guess and the body begins in another one.

        It waits for the first line; if that does not arrive in time, the format may be right.
        """
        if self.is_guess and self.stream_format is StreamFormat.LINES:
            parser = parser_of(self.stream_format, refusal=self.refusal)
            parser.feed(await self._body_start(lambda body: b"\n" in body or b"\r" in body))

    async def _body_start(self, is_enough: Callable[[bytes], bool] = lambda _: False) -> bytes:
        body = b""
        with suppress(SseError, TimeoutError):  # keep what has arrived until then
            async with asyncio.timeout(ERROR_BODY_TIMEOUT_S):
                while len(body) < MAX_BODY_BYTES and not is_enough(body) and (piece := await self.read()) is not None:
                    body += piece
        return body[:MAX_BODY_BYTES]

    def _new_decoder(self) -> ContentDecoder | None:
        """Raise InvalidResponseError for an unsupported coding, unless the body is only needed for an error message."""
        try:
            return None if self._is_switched else decoder_of(self.headers.get("content-encoding", ""))
        except InvalidResponseError:
            if self.stop_reason is None:
                raise
            return None

    async def read(self) -> bytes | None:
        """Return the next bytes of the body; None at its end. Raises SseError when the connection breaks."""
        with mapped_exceptions(self.target, self._read_timeout_s):
            if self._decoder is None:
                return await self._next_chunk()
            while not (piece := self._decoder.piece()):
                chunk = await self._next_chunk()
                if chunk is None:
                    return None
                self._decoder.feed(chunk)
            # A huge chunk of gzip must not block the event loop.
            await asyncio.sleep(0)
            return piece

    async def send(self, data: bytes, within_s: float | None) -> None:
        """Send bytes to the server after a switch of the protocol. Raises SseError when the connection breaks.

        After ``within_s`` it gives up and raises, and later calls send nothing: a part may have been sent.
        """
        if self._is_unread:
            return
        self._is_unread = True
        with mapped_exceptions(self.target, self._read_timeout_s), exceptions_of_httpx():
            await self._stream.write(data, within_s)
        self._is_unread = False

    async def _next_chunk(self) -> bytes | None:
        if self._is_switched:
            with exceptions_of_httpx():
                data: bytes = await self._stream.read(READ_BYTES, self._read_timeout_s)
            self.arrival = self._latest_arrival()
            return data or None
        # httpcore reads the socket only when h11 needs more data, so this chunk ends with the latest read.
        chunk = await anext(self._chunks, None)
        self.arrival = self._latest_arrival()
        return chunk

    def _latest_arrival(self) -> Arrival:
        if isinstance(self._stream, SocketStream):
            return self._stream.arrival
        if self._is_switched and isinstance(arrival := self._stream.get_extra_info("arrival"), Arrival):
            return arrival
        return Arrival(time.time_ns(), by_kernel=False)  # httpcore's own backend: see network.py

    async def aclose(self) -> None:
        """Close the socket. Never raises: the caller could do nothing about an error."""
        with suppress(httpx.HTTPError, OSError):
            await self._stack.aclose()

    async def _exhaust(self) -> None:
        """Read what is buffered, until the closed socket raises: this ends all nested generators of the body.

        To close only the outermost generator would leave the others to the event loop, which closes them later, each in
        a task of its own.
        """
        cancelled: asyncio.CancelledError | None = None
        with suppress(httpx.HTTPError, OSError):
            async for _ in self._chunks:
                try:
                    if cancelled is None:
                        await asyncio.sleep(0)  # thousands of small chunks must not block the loop
                except asyncio.CancelledError as exc:
                    cancelled = exc  # read the rest without further awaits
        if cancelled is not None:
            raise cancelled


def response_headers(response: httpx.Response) -> Mapping[str, str]:
    """Return all headers: names in lower case, each byte of a value as one character (Fetch: "isomorphic decode")."""
    headers: dict[str, str] = {}
    for name, value in response.extensions.get("headers", response.headers.raw):
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
