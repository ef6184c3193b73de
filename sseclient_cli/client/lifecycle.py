"""The state of an ``EventSource``, and the one await at a time that a close interrupts.

This file must not know what is awaited, nor why a state changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

from sseclient_cli.client.state import ConnectionState, StateChange

_T = TypeVar("_T")


class Lifecycle:
    """``state``, which nothing changes once it is CLOSED; ``on_state`` hears of each change."""

    def __init__(self, on_state: Callable[[StateChange], None] | None) -> None:
        self._on_state = on_state
        self._interruptible: asyncio.Timeout | None = None
        self.state = ConnectionState.CONNECTING

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self.state is ConnectionState.CLOSED

    def change(self, change: StateChange) -> None:
        """Go over to another state; CLOSED also interrupts what is awaited."""
        if self.is_closed:
            return
        if change.state is ConnectionState.CLOSED and self._interruptible is not None:
            # A deadline that is over: wakes the task that reads or waits, and no other await of that task.
            self._interruptible.reschedule(0)
        self.state = change.state
        if self._on_state is not None:
            self._on_state(change)

    async def interruptibly(self, coroutine: Coroutine[object, object, _T]) -> _T | None:
        """Await something that a close may interrupt; None if it did."""
        if self.is_closed:
            coroutine.close()
            return None
        try:
            async with asyncio.timeout(None) as self._interruptible:
                return await coroutine
        except TimeoutError:
            return None
        finally:
            self._interruptible = None
