"""Run the live view of a terminal in its own thread, with its keys.

Unlike ``display.py``, it never slows the stream down: a view that cannot keep up draws the newest events.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeAlias

from sseclient_cli.cli.display import Display
from sseclient_cli.cli.keys import Keys
from sseclient_cli.cli.output_thread import OutputThread
from sseclient_cli.client.state import StateChange
from sseclient_cli.render.watch.controls import Action
from sseclient_cli.render.watch.live_entries import Entry, Line, LineKind
from sseclient_cli.render.watch.status_line import Status
from sseclient_cli.render.watch.terminal_view import TerminalView
from sseclient_cli.sse.event_stream import Event

REFRESH_S = 0.1
"""How often the status line is updated: its times have one decimal."""

SAMPLE_S = 0.25
"""The time between two frames that leave events out: more often would not be readable."""

MAX_FRAME_ENTRIES = 50
"""The entries of one write. Keys wait for it."""

BOTTOM_LINES = 3
"""The lines that a frame with left-out events leaves free: one that counts them, and those of the status."""

STUCK_S = 2.0
"""A write that takes longer than this is abandoned when the command ends."""


class LiveDisplay:
    """Shows events, comments and state changes as far as the terminal can keep up; a context manager.

    ``on_failure`` is called in the event loop when the terminal cannot be written, and ``on_quit`` for the key q.
    """

    is_full = False
    wants_comments = True

    def __init__(self, view: TerminalView, on_failure: Callable[[], None], on_quit: Callable[[], None]) -> None:
        self._view = view
        self._stream = view.stream
        self._on_quit = on_quit
        self._keys = Keys(self._press, self._hidden)
        self._lock, self._drawing = threading.Lock(), threading.Lock()
        self._has_more, self._is_urgent = threading.Event(), threading.Event()
        self._is_ending = self._is_abandoned = False
        self._must_clear = False
        self._frames = 0
        self._thread = OutputThread(view, self._draw_frames, on_failure)

    @property
    def events_shown(self) -> int:
        """The number of events, also those that were not drawn."""
        return self._stream.feed.events

    def __enter__(self) -> Self:
        self._keys.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Draw no more, and wait for at most STUCK_S for a write in progress."""
        self._is_abandoned = True
        self._wake()
        self._thread.join(STUCK_S)
        self._keys.__exit__(kind, error, traceback)

    def events(self, events: Sequence[Event], label: str = "") -> None:
        """Show events."""
        with self._lock:
            for event in events:
                self._stream.event(event, label)
        self._has_more.set()

    def not_selected(self, latest: Event, count: int, label: str = "") -> None:
        """Take events that the options leave out."""
        with self._lock:
            self._stream.not_selected(latest, count, label)

    def comment(self, comment: str, arrived_s: float, label: str = "") -> None:
        """Show a comment."""
        with self._lock:
            self._stream.comment(comment, round(arrived_s * 1e9), label)
        self._has_more.set()

    def state(self, change: StateChange, time_s: float, label: str = "", *, reopened: bool) -> None:
        """Show a state change."""
        with self._lock:
            self._stream.state(change, round(time_s * 1e9), time.monotonic(), label, reopened=reopened)
        self._has_more.set()

    def note(self, line: str) -> None:
        """Show a line about the connection."""
        with self._lock:
            self._stream.note(line)
        self._has_more.set()

    async def drain(self) -> None:
        """Return at once: surplus events are not drawn."""

    def hurry(self) -> None:
        """Prepare to end: from now on, do not wait for a blocked write."""
        self._thread.is_hurried = True

    async def finish(self) -> None:
        """Wait until all is drawn, also the entries that a pause has kept. Raises the OSError of a failed write."""
        with self._lock:
            if self._stream.feed.is_paused:
                self._stream.feed.resume()
        self._is_ending = True
        self._wake()
        await self._thread.finish(lambda: self._frames, STUCK_S)

    def _press(self, text: str) -> None:
        """Take keys from the terminal."""
        with self._lock:
            actions = self._stream.press(text)
        self._must_clear = self._must_clear or Action.CLEAR in actions
        if Action.QUIT in actions:
            self._is_abandoned = True
            self._on_quit()
        self._wake()

    def _wake(self) -> None:
        self._has_more.set()
        self._is_urgent.set()

    @contextmanager
    def _hidden(self) -> Iterator[None]:
        """Remove the view from the screen for a block, unless the terminal takes no output."""
        if not self._drawing.acquire(timeout=STUCK_S):
            yield
            return
        try:
            self._view.hide()
            yield
            self._view.show()
        finally:
            self._drawing.release()

    # In the thread

    def _draw_frames(self) -> None:
        while not self._is_abandoned:
            self._has_more.wait(REFRESH_S)
            is_ending = self._is_ending  # read first: all entries have been added before it is set
            entries, status, has_more = self._next_frame()
            with self._drawing:
                if self._must_clear:
                    self._must_clear = False
                    self._view.clear()
                self._view.draw(entries, status)
            self._frames += 1
            if is_ending and not has_more:
                return
            if entries and isinstance(entries[0], Line) and entries[0].kind is LineKind.NOT_DRAWN:
                self._is_urgent.wait(SAMPLE_S)
            self._is_urgent.clear()

    def _next_frame(self) -> tuple[list[Entry], Status, bool]:
        with self._lock:
            self._has_more.clear()
            feed, oldest_s = self._stream.feed, self._stream.feed.oldest_s
            entries = feed.take(MAX_FRAME_ENTRIES, max(self._view.height - BOTTOM_LINES, 1))
            status = self._stream.status(time.time_ns(), time.monotonic(), oldest_s, has_keys=self._keys.is_on)
            if feed:
                self._has_more.set()
            return entries, status, bool(feed)


AnyDisplay: TypeAlias = Display | LiveDisplay
