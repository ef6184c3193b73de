"""One run of ``sse watch``: an ``EventSource``, the selection of its events, and the end of the run."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from sseclient_cli.cli.advice import message_of
from sseclient_cli.cli.compression import CompressedBursts
from sseclient_cli.cli.display import Display
from sseclient_cli.cli.expectations import Expectations, Verdict
from sseclient_cli.cli.stdout import is_writing_end_of_pipe
from sseclient_cli.client.connections import END_OF_STREAM
from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import SseError, UnexpectedResponseError
from sseclient_cli.escaping import visible
from sseclient_cli.render.watch.stream_view import StreamView
from sseclient_cli.request.target import Target
from sseclient_cli.sse.content_coding import decoder_of


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events to show, and when to stop."""

    expected: Expectations
    duration_s: float | None
    reconnect: bool | None
    retry_statuses: frozenset[int]
    comments: bool
    last_event_id: str
    idle_timeout_s: float | None
    max_event_bytes: int
    quiet: bool
    verbose: bool = False


class Session:
    """One run of the command, with its result.

    ``output`` is the file descriptor of the events. Messages name the options of ``command``.
    """

    def __init__(self, selection: Selection, output: int, command: Callable[..., int]) -> None:
        self.selection = selection
        self._command = command
        self._output = output
        self._display: Display | None = None
        self._opened = False
        self._answered = False
        self._cookies = ""
        self._bursts = CompressedBursts()
        self._knows_bursts = False
        self.verdict = Verdict(selection.expected)
        self.terminated = False
        self.is_reader_gone = False
        self.is_ended_by_server = False
        self.last_word = ""
        self.diagnosis = ""

    @property
    def opened(self) -> bool:
        """Whether a stream was open."""
        return self._opened

    @property
    def shown(self) -> int:
        """The number of events that were written."""
        return 0 if self._display is None else self._display.events_shown

    async def run(self, target: Target, view: StreamView) -> None:
        """Show events until the end of the run. Raises SseError, also for network errors of the first attempt."""

        async def on_comment(comment: str) -> None:
            display.comment(comment, source.arrived_ns / 1e9)
            await display.drain()

        source = EventSource(
            target,
            last_event_id=self.selection.last_event_id,
            read_timeout_s=self.selection.idle_timeout_s,
            reconnect=self.selection.reconnect,
            retry_statuses=self.selection.retry_statuses,
            on_comment=on_comment if self.selection.comments else None,
            on_state=lambda change: self._state(change, source, display),
            max_event_bytes=self.selection.max_event_bytes,
            on_trace=(lambda line: display.note(line)) if self.selection.verbose else None,
        )
        self._display = display = Display(view, source.close)
        with display, self._listening_for_the_end(source, display):
            try:
                async with source:
                    await self._show(source, display)
            except SseError as exc:
                await display.finish()  # show the events before the error
                if isinstance(exc, UnexpectedResponseError):
                    self._explain_cookies(exc, target)
                raise
            await display.finish()

    async def _show(self, source: EventSource, display: Display) -> None:
        async for event in source:
            if evidence := self._bursts.event(event.arrived_ns):
                self._note_bursts_once(evidence, display)
            if self.verdict.selects(event):
                display.event(event, event.arrived_ns / 1e9)
                if display.is_full and not self.verdict.is_enough:
                    await display.drain()
            if self.verdict.is_enough:
                return

    def _state(self, change: StateChange, source: EventSource, display: Display) -> None:
        reopened = self._opened
        self._opened = reopened or change.state is ConnectionState.OPEN
        # A bad status in a state change is one of --retry-status.
        self._answered = self._answered or self._opened or isinstance(change.error, UnexpectedResponseError)
        if change.state is ConnectionState.WAITING and change.error is not None and not self._answered:
            # The URL may be mistyped: a server that never answered is not retried.
            raise change.error
        if change.error is not None:
            change = replace(change, reason=message_of(change.error, self._command))
        if change.state is ConnectionState.OPEN:
            headers = source.response_headers
            self._cookies = headers.get("set-cookie", self._cookies)
            is_compressed = decoder_of(headers.get("content-encoding", "")) is not None
            self._bursts.begin(headers["content-encoding"] if is_compressed else "", source.arrived_ns)
        if change.stop is not None:
            self.last_word = change.stop.value
        self.is_ended_by_server = change.reason == END_OF_STREAM
        if change.state is ConnectionState.CLOSED:
            self.diagnosis = change.diagnosis
        if self.selection.quiet:
            return
        # A stream is open since the head arrived. The first events may have the same time.
        time_s = source.arrived_ns / 1e9 if change.state is ConnectionState.OPEN else time.time()
        display.state(change, time_s, reopened=reopened)

    def _note_bursts_once(self, evidence: str, display: Display) -> None:
        """Show once per run that compression holds events back."""
        if not self._knows_bursts and not self.selection.quiet:
            display.note(visible(evidence, keep_lines=False))
        self._knows_bursts = True

    def _explain_cookies(self, error: UnexpectedResponseError, target: Target) -> None:
        """Add a note if the server set a cookie that the request did not send back."""
        cookies = error.headers.get("set-cookie", "") or self._cookies
        name, is_pair, _ = cookies.partition("=")
        sent = "; ".join(value for key, value in target.headers if key.lower() == "cookie")
        if is_pair and f"{name}=" not in sent:
            shown = visible(name[:100], keep_lines=False)
            error.add_note(
                f"the server set the cookie {shown}, which was not sent back: send it with --cookie '{shown}=...'"
            )

    @contextmanager
    def _listening_for_the_end(self, source: EventSource, display: Display) -> Iterator[None]:
        """Close the source after the duration, on SIGTERM, and when the reader of the output has exited."""
        loop = asyncio.get_running_loop()

        def end() -> None:
            source.close()
            display.hurry()

        def terminate() -> None:
            self.terminated = True
            end()

        def reader_gone() -> None:
            loop.remove_reader(self._output)
            self.is_reader_gone = True
            end()

        task = asyncio.current_task()
        assert task is not None
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # shells ignore SIGINT for background jobs
            with suppress(NotImplementedError):  # on Windows
                # The handler of asyncio.run (3.11) does not wake the loop. A signal that arrives while the main thread
                # waits for the interpreter lock, just before it waits for sockets, would not be handled until an event.
                loop.add_signal_handler(signal.SIGINT, task.cancel)
        self._limit_time(loop, end)
        if os.isatty(self._output):
            with suppress(NotImplementedError):  # on Windows
                loop.add_signal_handler(signal.SIGTERM, terminate)
        elif is_writing_end_of_pipe(self._output):
            # A pipe becomes readable when its reader closes: `sse watch ... | head` ends with head at once.
            loop.add_reader(self._output, reader_gone)
        yield

    def _limit_time(self, loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
        """End the run after the duration, and when the first event is late."""

        def expire() -> None:
            if not self.verdict.selected:
                self.verdict.is_late = True
                end()

        if self.selection.duration_s is not None:
            loop.call_later(self.selection.duration_s, end)
        if self.selection.expected.within_s is not None:
            loop.call_later(self.selection.expected.within_s, expire)
