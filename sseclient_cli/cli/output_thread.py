"""Runs the work of a view in a thread of its own, and tells the event loop when it has ended.

The thread is a daemon, so that a write that never returns does not block the exit.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any


class OutputThread:
    """Calls ``work`` within the context of the view. ``ended`` is set in the event loop when the work is over.

    ``on_end`` is called in the event loop, too, then ``on_failure`` if the work raised; ``finish`` raises the error.
    """

    def __init__(
        self,
        view: AbstractContextManager[Any],
        work: Callable[[], None],
        on_failure: Callable[[], None],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._view = view
        self._work = work
        self._on_failure = on_failure
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="display", daemon=True)
        self.ended = asyncio.Event()
        self.is_hurried = False
        """Whether the command ends: from then on, a blocked write is not waited for."""

    def start(self) -> None:
        """Begin the work."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end of the work, for at most ``timeout_s``."""
        self._thread.join(timeout_s)

    def call(self, function: Callable[[], object]) -> None:
        """Call a function in the event loop; nothing if the loop is closed."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)

    async def finish(self, written: Callable[[], int], stuck_s: float) -> None:
        """Wait for the end of the work. Raises its error, which is the OSError of a failed write.

        In a hurry, give up when ``written`` does not change for ``stuck_s``.
        """
        while not self.ended.is_set():
            before = written()
            with suppress(TimeoutError):
                async with asyncio.timeout(stuck_s):
                    await self.ended.wait()
            if self.is_hurried and written() == before:
                break
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            with self._view:
                self._work()
        except Exception as exc:  # noqa: BLE001  ``finish`` raises it in the other thread
            self._error = exc
        self.call(self._end)

    def _end(self) -> None:
        self.ended.set()
        self._on_end()
        if self._error is not None:
            self._on_failure()
