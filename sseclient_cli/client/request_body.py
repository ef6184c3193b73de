"""The body of a request, as a stream that a cancellation cannot leave half-read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx


class _Body(httpx.AsyncByteStream):
    """A request's body. httpx has a generator for it, which a cancellation half-way would leave to the loop."""

    def __init__(self, body: bytes) -> None:
        self._pieces = iter([body])

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


async def replace_body(request: httpx.Request) -> None:
    """Keep the headers that httpx has made for the body, and not its way to read it."""
    request.stream = _Body(request.content)
