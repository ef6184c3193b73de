"""The state of an ``EventSource``, and interruption of its current await by ``close`` or ``restart``.

This module must not know the source's awaits, nor the reasons for changes of its state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

from sseclient_cli.client.state import ConnectionState, StateChange

_T = TypeVar("_T")


class Lifecycle:
    """Holds ``state`` and calls ``on_state`` for each change. CLOSED is final.

    ``restart`` sets ``is_restarting``. Until the iteration resets it, ``interruptibly`` awaits nothing.
    """

    def __init__(self, on_state: Callable[[StateChange], None] | None) -> None:
        self._on_state = on_state
        self._interruptible: asyncio.Timeout | None = None
        self.is_restarting = False
        self.state = ConnectionState.CONNECTING

    @property
    def is_closed(self) -> bool:
        """Whether the state is CLOSED."""
        return self.state is ConnectionState.CLOSED

    def change(self, change: StateChange) -> None:
        """Change the state; CLOSED also interrupts the current await."""
        if self.is_closed:
            return
        if change.state is ConnectionState.CLOSED:
            self._interrupt()
        self.state = change.state
        if self._on_state is not None:
            self._on_state(change)

    def restart(self) -> None:
        """Interrupt the current await, so that the iteration can reconnect. Does nothing if the state is CLOSED."""
        if not self.is_closed:
            self.is_restarting = True
            self._interrupt()

    def _interrupt(self) -> None:
        if self._interruptible is not None:
            # A deadline in the past interrupts only this await, not another await of the same task.
            self._interruptible.reschedule(0)

    async def interruptibly(self, coroutine: Coroutine[object, object, _T]) -> _T | None:
        """Await the coroutine; return None if a close or a restart interrupts it."""
        if self.is_closed or self.is_restarting:
            coroutine.close()
            return None
        try:
            async with asyncio.timeout(None) as self._interruptible:
                return await coroutine
        except TimeoutError:
            return None
        finally:
            self._interruptible = None
