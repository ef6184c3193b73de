"""A view in a thread of its own, so that a slow terminal or pipe does not keep the event loop from reading the socket.

What is shown goes through one queue, so events, comments and states keep their order. The queue is bounded: a slow
reader of the output slows the server down. The thread is a daemon: nothing waits for a write that never returns.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import NamedTuple, Self

from sseclient_cli.client.state import StateChange
from sseclient_cli.render.watch.stream_view import StreamView
from sseclient_cli.sse.event_stream import Event

REFRESH_S = 0.1
"""How often the status line counts down: its times have one decimal."""

STUCK_S = 0.5
"""A write that takes longer than this is given up once the command is to end."""

MAX_BACKLOG_CHARS = 64 * 1024
"""More than this is not queued. The arrival times are known by then, so a long queue would gain nothing."""

_ITEM_CHARS = 100
"""What a queued item counts beside its text."""


class _Item(NamedTuple):
    show: Callable[[], None]
    arrived_s: float | None  # None for what does not arrive: a change of state
    chars: int
    is_event: bool


class Display:
    """Shows what it is given, in order; a context manager. ``events_shown`` counts what is out.

    ``on_failure`` is called in the event loop when the output cannot be written; ``finish`` raises the error.
    """

    def __init__(self, view: StreamView, on_failure: Callable[[], None]) -> None:
        self._view = view
        self._on_failure = on_failure
        self._loop = asyncio.get_running_loop()
        self._items: SimpleQueue[_Item | None] = SimpleQueue()
        # Each is written by one thread only, and read by both.
        self._queued_chars = self._shown_chars = 0
        self._room, self._ended = asyncio.Event(), asyncio.Event()
        self._is_waited_for = self._is_hurried = self._is_abandoned = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="display", daemon=True)
        self.events_shown = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Drop what is not shown yet. A write under way is waited for, but not for long."""
        self._is_abandoned = True
        self._items.put(None)
        self._thread.join(STUCK_S)

    def event(self, event: Event, arrived_s: float) -> None:
        """Show an event; await ``room`` afterwards."""
        self._put(_Item(partial(self._view.event, event, arrived_s), arrived_s, len(event.data), True))

    def comment(self, comment: str, arrived_s: float) -> None:
        """Show a comment."""
        self._put(_Item(partial(self._view.comment, comment, arrived_s), arrived_s, len(comment), False))

    def state(self, change: StateChange, time_s: float, *, reopened: bool) -> None:
        """Show a change of state."""
        show = partial(self._view.state, change, time_s, time.monotonic(), reopened=reopened)
        self._put(_Item(show, None, len(change.reason), False))

    def note(self, line: str) -> None:
        """Show a line about the connection."""
        self._put(_Item(partial(self._view.note, line), None, len(line), False))

    @property
    def is_full(self) -> bool:
        """Whether to await ``room``."""
        return self._queued_chars - self._shown_chars > MAX_BACKLOG_CHARS

    async def room(self) -> None:
        """Wait until the queue is short enough for more."""
        while self.is_full and not self._is_hurried and not self._ended.is_set():
            self._room.clear()
            self._is_waited_for = True
            if self.is_full:  # still, now that the thread knows
                await self._room.wait()

    def hurry(self) -> None:
        """End soon: from now on nothing waits for a write that is stuck."""
        self._is_hurried = True
        self._room.set()

    async def finish(self) -> None:
        """Wait until all is shown. Raises OSError where the output could not be written."""
        self._items.put(None)
        while not self._ended.is_set():
            shown_chars = self._shown_chars
            with suppress(TimeoutError):
                async with asyncio.timeout(STUCK_S):
                    await self._ended.wait()
            if self._is_hurried and self._shown_chars == shown_chars:
                break
        if self._error is not None:
            raise self._error

    def _put(self, item: _Item) -> None:
        self._queued_chars += item.chars + _ITEM_CHARS
        self._items.put(item)

    # In the thread

    def _run(self) -> None:
        try:
            with self._view:
                self._show_items()
        except Exception as exc:  # noqa: BLE001  whatever it is, the other thread raises it
            self._error = exc
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._ended.set()
        self._room.set()
        if self._error is not None:
            self._on_failure()

    def _show_items(self) -> None:
        refreshed_s = time.monotonic()
        is_caught_up = True
        while not self._is_abandoned:
            items = self._take(REFRESH_S if self._view.is_live or not is_caught_up else None)
            is_caught_up = not items
            if is_caught_up:
                self._view.behind(0.0, time.time())
            self._show([item for item in items if item is not None])
            if items and items[-1] is None:
                return
            now_s = time.monotonic()
            if self._view.is_live and now_s - refreshed_s >= REFRESH_S:
                self._view.refresh(now_s)
                refreshed_s = now_s

    def _take(self, timeout_s: float | None) -> list[_Item | None]:
        """Return what there is, up to a limit; wait for the first. None is the end."""
        items: list[_Item | None] = []
        chars = 0
        with suppress(Empty):
            item = self._items.get(timeout=timeout_s)
            items.append(item)
            # A terminal is slow: its status line must be refreshed in between.
            while item is not None and not self._view.is_live and chars < MAX_BACKLOG_CHARS:
                chars += item.chars + _ITEM_CHARS
                item = self._items.get_nowait()
                items.append(item)
        return items

    def _show(self, items: list[_Item]) -> None:
        oldest_s = next((item.arrived_s for item in items if item.arrived_s is not None), None)
        if oldest_s is not None:
            now_s = time.time()
            if self._view.behind(now_s - oldest_s, now_s):
                self._view.refresh(time.monotonic())  # a terminal may have caught up before the next one is due
        for item in items:
            item.show()
        self._view.flush()
        for item in items:
            self.events_shown += item.is_event
            self._shown_chars += item.chars + _ITEM_CHARS
        if self._is_waited_for and not self.is_full:
            self._is_waited_for = False
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._room.set)
