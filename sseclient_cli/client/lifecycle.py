"""The state of an ``EventSource``, and the one await at a time that a close or a restart interrupts.

This file must not know what is awaited, nor why a state changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

from sseclient_cli.client.state import ConnectionState, StateChange

_T = TypeVar("_T")


class Lifecycle:
    """``state``, which nothing changes once it is CLOSED; ``on_state`` hears of each change.

    ``is_restarting``, from ``restart`` on: nothing is awaited until the iteration has set it back.
    """

    def __init__(self, on_state: Callable[[StateChange], None] | None) -> None:
        self._on_state = on_state
        self._interruptible: asyncio.Timeout | None = None
        self.is_restarting = False
        self.state = ConnectionState.CONNECTING

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self.state is ConnectionState.CLOSED

    def change(self, change: StateChange) -> None:
        """Go over to another state; CLOSED also interrupts what is awaited."""
        if self.is_closed:
            return
        if change.state is ConnectionState.CLOSED:
            self._interrupt()
        self.state = change.state
        if self._on_state is not None:
            self._on_state(change)

    def restart(self) -> None:
        """Interrupt what is awaited, so that the iteration can begin again; nothing if it is over."""
        if not self.is_closed:
            self.is_restarting = True
            self._interrupt()

    def _interrupt(self) -> None:
        if self._interruptible is not None:
            # A deadline that is over: wakes the task that reads or waits, and no other await of that task.
            self._interruptible.reschedule(0)

    async def interruptibly(self, coroutine: Coroutine[object, object, _T]) -> _T | None:
        """Await something that a close or a restart may interrupt; None if it did."""
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
