"""Run a view in its own thread, so that a slow terminal or pipe does not keep the event loop from reading the socket.

One queue keeps events, comments and state changes in order. It is bounded, so that a slow reader of the output slows
the server down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import NamedTuple, Self

from sseclient_cli.cli.output_thread import OutputThread
from sseclient_cli.client.state import StateChange
from sseclient_cli.render.watch.stream_view import StreamView
from sseclient_cli.sse.event_stream import Event

CAUGHT_UP_S = 0.1
"""After this time without an item, the view has caught up."""

STUCK_S = 0.5
"""A write that takes longer than this is abandoned when the command ends."""

MAX_BACKLOG_CHARS = 64 * 1024
"""The limit of the queue. Arrival times are taken before queueing, so a longer queue would gain nothing."""

_ITEM_CHARS = 100
"""The size of a queued item without its text."""


class _Item(NamedTuple):
    show: Callable[[], None]
    arrived_s: float | None  # None for a state change
    chars: int
    events: int


class Display:
    """Shows events, comments and state changes in order; a context manager. ``events_shown`` counts written events.

    ``on_failure`` is called in the event loop when the output cannot be written; ``finish`` raises the error.
    """

    wants_comments = False

    def __init__(self, view: StreamView, on_failure: Callable[[], None]) -> None:
        self._view = view
        self._items: SimpleQueue[_Item | None] = SimpleQueue()
        # One thread writes each of them, and both read it.
        self._queued_chars = self._shown_chars = 0
        self._has_space = asyncio.Event()
        self._is_waited_for = self._is_abandoned = False
        self._thread = OutputThread(view, self._show_items, on_failure, self._has_space.set)
        self.events_shown = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Discard the queue, and wait for at most STUCK_S for a write in progress."""
        self._is_abandoned = True
        self._items.put(None)
        self._thread.join(STUCK_S)

    def events(self, events: Sequence[Event], label: str = "") -> None:
        """Show events; await ``drain`` afterwards. ``label`` names their stream if there are several."""
        if not events:
            return
        # One item, because a fast stream has hundreds of events in one read.
        chars = sum([len(event.data) for event in events]) + _ITEM_CHARS * (len(events) - 1)
        show = partial(self._view.events, events, label)
        self._put(_Item(show, events[0].arrived_ns / 1e9, chars, len(events)))

    def not_selected(self, latest: Event, count: int, label: str = "") -> None:
        """Do nothing with events that the options leave out."""

    def comment(self, comment: str, arrived_s: float, label: str = "") -> None:
        """Show a comment."""
        self._put(_Item(partial(self._view.comment, comment, arrived_s, label), arrived_s, len(comment), 0))

    def state(self, change: StateChange, time_s: float, label: str = "", *, reopened: bool) -> None:
        """Show a state change."""
        show = partial(self._view.state, change, time_s, time.monotonic(), label, reopened=reopened)
        self._put(_Item(show, None, len(change.reason), 0))

    def note(self, line: str) -> None:
        """Show a line about the connection."""
        self._put(_Item(partial(self._view.note, line), None, len(line), 0))

    @property
    def is_full(self) -> bool:
        """Whether the queue has reached its limit: await ``drain``."""
        return self._queued_chars - self._shown_chars > MAX_BACKLOG_CHARS

    async def drain(self) -> None:
        """Wait until the queue is below its limit."""
        while self.is_full and not self._thread.is_hurried and not self._thread.ended.is_set():
            self._has_space.clear()
            self._is_waited_for = True
            if self.is_full:  # checked again after the flag is set, which the thread reads
                await self._has_space.wait()

    def hurry(self) -> None:
        """Prepare to end: from now on, do not wait for a blocked write."""
        self._thread.is_hurried = True
        self._has_space.set()

    async def finish(self) -> None:
        """Wait until everything is shown. Raises the OSError of a failed write."""
        self._items.put(None)
        await self._thread.finish(lambda: self._shown_chars, STUCK_S)

    def _put(self, item: _Item) -> None:
        self._queued_chars += item.chars + _ITEM_CHARS
        self._items.put(item)

    # In the thread

    def _show_items(self) -> None:
        is_caught_up = True
        while not self._is_abandoned:
            items = self._take(None if is_caught_up else CAUGHT_UP_S)
            is_caught_up = not items
            if is_caught_up:
                self._view.behind(0.0, time.time())
            self._show([item for item in items if item is not None])
            if items and items[-1] is None:
                return

    def _take(self, timeout_s: float | None) -> list[_Item | None]:
        """Wait for the first item and return it with the others in the queue, up to a limit. None marks the end."""
        items: list[_Item | None] = []
        chars = 0
        with suppress(Empty):
            item = self._items.get(timeout=timeout_s)
            items.append(item)
            while item is not None and chars < MAX_BACKLOG_CHARS:
                chars += item.chars + _ITEM_CHARS
                item = self._items.get_nowait()
                items.append(item)
        return items

    def _show(self, items: list[_Item]) -> None:
        oldest_s = next((item.arrived_s for item in items if item.arrived_s is not None), None)
        if oldest_s is not None:
            now_s = time.time()
            self._view.behind(now_s - oldest_s, now_s)
        for item in items:
            item.show()
        self._view.flush()
        for item in items:
            self.events_shown += item.events
            self._shown_chars += item.chars + _ITEM_CHARS
        if self._is_waited_for and not self.is_full:
            self._is_waited_for = False
            self._thread.call(self._has_space.set)
