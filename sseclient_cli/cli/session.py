"""One run of ``sse watch``: an ``EventSource``, what of it is shown, and when it ends."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sseclient_cli.cli.display import Display
from sseclient_cli.cli.stdout import is_writing_end_of_pipe
from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import SseError, UnexpectedResponseError
from sseclient_cli.report.stream_view import StreamView
from sseclient_cli.target import Target


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events are shown, and when it is enough."""

    event_types: frozenset[str]
    count: int | None
    duration_s: float | None
    reconnect: bool | None
    retry_statuses: frozenset[int]
    comments: bool
    last_event_id: str
    idle_timeout_s: float | None
    max_event_bytes: int
    verbose: bool = False


class Session:
    """One run of the command: counts what it shows and remembers how it ended."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._display: Display | None = None
        self._opened = False
        self._answered = False
        self.terminated = False
        self.last_word = ""
        self.diagnosis = ""

    @property
    def shown(self) -> int:
        """How many events are out."""
        return 0 if self._display is None else self._display.events_shown

    async def run(self, target: Target, view: StreamView) -> None:
        """Show events until it is enough. Raises SseError, the first attempt's network errors included."""

        async def on_comment(comment: str) -> None:
            display.comment(comment, source.arrived_ns / 1e9)
            await display.room()

        source = EventSource(
            target,
            last_event_id=self._selection.last_event_id,
            read_timeout_s=self._selection.idle_timeout_s,
            reconnect=self._selection.reconnect,
            retry_statuses=self._selection.retry_statuses,
            on_comment=on_comment if self._selection.comments else None,
            on_state=lambda change: self._state(change, source, display),
            max_event_bytes=self._selection.max_event_bytes,
            on_trace=(lambda line: display.note(line)) if self._selection.verbose else None,
        )
        self._display = display = Display(view, source.close)
        with display, self._listening_for_the_end(source, display):
            try:
                async with source:
                    await self._show(source, display)
            except SseError:
                await display.finish()  # what came before it
                raise
            await display.finish()

    async def _show(self, source: EventSource, display: Display) -> None:
        count, types = 0, self._selection.event_types
        async for event in source:
            if not types or event.type in types:
                display.event(event, source.arrived_ns / 1e9)
                count += 1
                if count == self._selection.count:
                    return
                if display.is_full:
                    await display.room()

    def _state(self, change: StateChange, source: EventSource, display: Display) -> None:
        reopened = self._opened
        self._opened = reopened or change.state is ConnectionState.OPEN
        # An answer that is waited out is one of --retry-status.
        self._answered = self._answered or self._opened or isinstance(change.error, UnexpectedResponseError)
        if change.state is ConnectionState.WAITING and change.error is not None and not self._answered:
            # A person who mistyped a URL must not wait for ever: only what has once been there is waited for.
            raise change.error
        if change.stop is not None:
            self.last_word = change.stop.value
        if change.state is ConnectionState.CLOSED:
            self.diagnosis = change.diagnosis
        # It is open since the head arrived: the first events may be as old.
        time_s = source.arrived_ns / 1e9 if change.state is ConnectionState.OPEN else time.time()
        display.state(change, time_s, reopened=reopened)

    @contextmanager
    def _listening_for_the_end(self, source: EventSource, display: Display) -> Iterator[None]:
        """Close the source after the duration, on SIGTERM, and when the reader of our output has gone."""
        loop = asyncio.get_running_loop()

        def end() -> None:
            source.close()
            display.hurry()

        def terminate() -> None:
            self.terminated = True
            end()

        def reader_gone() -> None:
            loop.remove_reader(sys.stdout.fileno())
            end()

        task = asyncio.current_task()
        assert task is not None
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as shells have it for jobs in the background
            with suppress(NotImplementedError):  # on Windows
                # The handler of asyncio.run (3.11) does not wake up the loop: a signal that comes while the main thread
                # waits for the interpreter's lock, just before it waits for sockets, would wait with it.
                loop.add_signal_handler(signal.SIGINT, task.cancel)
        if self._selection.duration_s is not None:
            loop.call_later(self._selection.duration_s, end)
        if sys.stdout.isatty():
            with suppress(NotImplementedError):  # on Windows
                loop.add_signal_handler(signal.SIGTERM, terminate)
        elif is_writing_end_of_pipe(sys.stdout.fileno()):
            # "Readable" once its reader closes: `sse watch ... | head` ends with head, not with the next event.
            loop.add_reader(sys.stdout.fileno(), reader_gone)
        yield
