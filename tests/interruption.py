"""Calls a function at an exact place of a coroutine: when it is suspended for the n-th time."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from enum import Enum
from functools import partial
from typing import Any, TypeVar

_T = TypeVar("_T")


class Moment(Enum):
    """The moment of the call, at that place."""

    WHILE_IT_WAITS = "while it waits"
    AS_THE_RESULT_COMES = "as the result comes"  # before the coroutine receives it
    AND_EVER_AFTER = "and ever after"  # again at each suspension that follows


class Interruption:
    """Calls ``act`` at one suspension (the first is 1) of the coroutine that it runs; ``happened`` is then true."""

    def __init__(self, number: int, moment: Moment, act: Callable[[], object]) -> None:
        self._number = number
        self._moment = moment
        self._act = act
        self._seen = 0
        self.happened = False

    async def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Await the coroutine, and call ``act`` in between."""
        return await self._stepped(coroutine)

    @types.coroutine
    def _stepped(self, coroutine: Coroutine[Any, Any, _T]) -> Generator[Any, Any, _T]:
        step: Callable[[], Any] = partial(coroutine.send, None)
        while True:
            try:
                awaited = step()
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]  # StopIteration.value is untyped
            self._suspended(awaited)
            try:
                step = partial(coroutine.send, (yield awaited))
            except BaseException as exc:  # noqa: BLE001  passed on to the coroutine
                step = partial(coroutine.throw, exc)

    def _suspended(self, awaited: object) -> None:
        self._seen += 1
        if self._seen == self._number:
            self.happened = True
        elif self._seen < self._number or self._moment is not Moment.AND_EVER_AFTER:
            return
        if self._moment is Moment.AS_THE_RESULT_COMES and isinstance(awaited, asyncio.Future):
            # Callbacks run in the order in which they were added: this one, then the task's own.
            awaited.add_done_callback(lambda _: self._act())
        else:
            self._act()
