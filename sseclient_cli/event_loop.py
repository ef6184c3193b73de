"""An event loop that a name server without an answer cannot hold up.

asyncio looks names up in threads of an executor, which it waits for at its end: Ctrl-C and every time limit would then
wait for the resolver (half a minute). Here a lookup is left behind when its task is cancelled.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Any

from sseclient_cli.request.addresses import look_up_in_thread

if sys.platform == "win32":
    _Base = asyncio.ProactorEventLoop
else:
    _Base = asyncio.SelectorEventLoop


async def look_up(host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> list[Any]:  # noqa: A002
    """Return what ``socket.getaddrinfo`` returns, or raise what it raises; may be cancelled at any time."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Any]] = loop.create_future()

    def settle(answer: list[Any] | Exception) -> None:
        if found.done():
            return
        if isinstance(answer, Exception):
            found.set_exception(answer)
        else:
            found.set_result(answer)

    def report(answer: list[Any] | Exception) -> None:
        with suppress(RuntimeError):  # the loop is closed: the answer is not needed any more
            loop.call_soon_threadsafe(settle, answer)

    look_up_in_thread(report, host, port, family, type, proto, flags)
    return await found


class EventLoop(_Base):
    """The platform's event loop, with lookups that can be cancelled."""

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """Return what ``socket.getaddrinfo`` returns, or raise what it raises."""
        return await look_up(host, port, family=family, type=type, proto=proto, flags=flags)
