"""A request body without an async generator, so that a cancellation leaves no unfinished generator behind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx


class _Body(httpx.AsyncByteStream):
    """A request body. httpx (0.28) uses an async generator, which a cancelled request would leave to the event loop."""

    def __init__(self, body: bytes) -> None:
        self._pieces = iter([body])

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


async def replace_body(request: httpx.Request) -> None:
    """Replace the body stream of httpx, and keep the headers that httpx has set for it."""
    request.stream = _Body(request.content)
