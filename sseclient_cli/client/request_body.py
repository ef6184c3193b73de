"""A request body without an async generator, so that a cancellation leaves no unfinished generator behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx


class Body(httpx.AsyncByteStream):
    """A request body that is made when httpx sends it.

    httpx (0.28) uses an async generator, which a cancelled request would leave to the event loop.
    """

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._pieces = (make() for _ in range(1))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


async def replace_body(request: httpx.Request) -> None:
    """Replace the body stream of httpx, and keep the headers that httpx has set for it."""
    content = request.content
    request.stream = Body(lambda: content)
