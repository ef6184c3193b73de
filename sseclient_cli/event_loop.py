"""An event loop with cancellable name lookups.

asyncio resolves names in executor threads, and ``asyncio.run`` joins these threads at its end. With a name server that
does not answer, Ctrl-C and every timeout would wait for the resolver (half a minute). Here, a cancelled task abandons
its lookup, which runs in a daemon thread.
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
    """Call ``socket.getaddrinfo`` in a daemon thread; the task can be cancelled at any time."""
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
        with suppress(RuntimeError):  # the loop is closed, so the answer is no longer needed
            loop.call_soon_threadsafe(settle, answer)

    look_up_in_thread(report, host, port, family, type, proto, flags)
    return await found


class EventLoop(_Base):
    """The platform's event loop, with cancellable name lookups."""

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
        """Like ``socket.getaddrinfo``."""
        return await look_up(host, port, family=family, type=type, proto=proto, flags=flags)
