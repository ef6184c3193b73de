"""One stream of ``sse watch``: an ``EventSource``, its events and its state changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sseclient_cli.cli.advice import message_of
from sseclient_cli.cli.compression import CompressedBursts
from sseclient_cli.cli.expectations import Expectations, Verdict
from sseclient_cli.cli.recorder import Recorder
from sseclient_cli.client.connections import END_OF_STREAM
from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import SseError, UnexpectedResponseError
from sseclient_cli.escaping import visible
from sseclient_cli.request.target import Target
from sseclient_cli.sse.content_coding import decoder_of
from sseclient_cli.sse.stream_format import StreamFormat, essence

if TYPE_CHECKING:
    from sseclient_cli.cli.live_display import AnyDisplay


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


class WatchedStream:
    """Shows one stream on the display. Messages name the options of ``command``.

    ``label`` tells several streams apart; empty for a single one. ``new_recorder`` starts to record a source.
    """

    def __init__(
        self,
        target: Target,
        label: str,
        selection: Selection,
        command: Callable[..., int],
        verdict: Verdict,
        new_recorder: Callable[[EventSource], Recorder] | None = None,
    ) -> None:
        self.target = target
        self.label = label
        self._selection = selection
        self._command = command
        self._verdict = verdict
        self._new_recorder = new_recorder
        self._recorder: Recorder | None = None
        self._source: EventSource | None = None
        self._display: AnyDisplay | None = None
        self._answered = False
        self._cookies = ""
        self._bursts = CompressedBursts()
        self._knows_bursts = False
        self._found_format = ""
        self.opened = False
        self.is_ended_by_server = False
        self.last_word = ""
        self.diagnosis = ""

    async def show(self, display: AnyDisplay) -> None:
        """Show events until the end of the run. Raises SseError, also for network errors of the first attempt."""

        async def on_comment(comment: str) -> None:
            if self._recorder is not None:
                self._recorder.comment(comment)
            if selection.comments or display.wants_comments:
                display.comment(comment, source.arrived_ns / 1e9, self.label)
                await display.drain()

        selection = self._selection
        source = EventSource(
            self.target,
            last_event_id=selection.last_event_id,
            read_timeout_s=selection.idle_timeout_s,
            reconnect=selection.reconnect,
            retry_statuses=selection.retry_statuses,
            on_comment=on_comment if selection.comments or display.wants_comments or self._new_recorder else None,
            on_state=lambda change: self._state(change, source, display),
            max_event_bytes=selection.max_event_bytes,
            on_trace=self._note if selection.verbose else None,
        )
        self._source, self._display = source, display
        self._recorder = self._new_recorder(source) if self._new_recorder else None
        try:
            async with source:
                await self._show(source, display)
        except UnexpectedResponseError as exc:
            self._explain_cookies(exc)
            raise
        if self.label and not selection.quiet and (self.last_word or self.is_ended_by_server):
            self._note(self.last_word or END_OF_STREAM)

    def close(self) -> None:
        """Stop: ``show`` returns."""
        if self._source is not None:
            self._source.close()

    async def _show(self, source: EventSource, display: AnyDisplay) -> None:
        verdict, label = self._verdict, self.label
        async for first in source:
            if self._found_format:
                self._note_format_once()
            received = (first, *source.take_received_events())
            for event in received:
                if evidence := self._bursts.event(event.arrived_ns):
                    self._note_bursts_once(evidence)
                if self._recorder is not None:
                    self._recorder.event(event)
            selected = [shown for event in received if (shown := verdict.read(event)) is not None]
            display.events(selected, label)
            if len(selected) < len(received):
                display.not_selected(received[-1], len(received) - len(selected), label)
            if (note := verdict.note()) and not self._selection.quiet:
                self._note(note)
            if verdict.is_enough:
                return
            if display.is_full:
                await display.drain()

    def _state(self, change: StateChange, source: EventSource, display: AnyDisplay) -> None:
        reopened = self.opened
        self.opened = reopened or change.state is ConnectionState.OPEN
        # A bad status in a state change is one of --retry-status.
        self._answered = self._answered or self.opened or isinstance(change.error, UnexpectedResponseError)
        if change.state is ConnectionState.WAITING and change.error is not None and not self._answered:
            # The URL may be mistyped: a server that never answered is not retried.
            raise change.error
        if change.error is not None:
            change = replace(change, reason=message_of(change.error, self._command))
        if self._recorder is not None:
            self._recorder.state(change)
        if change.state is ConnectionState.OPEN:
            headers = source.response_headers
            self._cookies = headers.get("set-cookie", self._cookies)
            if not reopened and self.target.stream_format is StreamFormat.AUTO:
                self._found_format = _found_format(self.target, headers.get("content-type", ""))
            is_compressed = decoder_of(headers.get("content-encoding", "")) is not None
            self._bursts.begin(headers["content-encoding"] if is_compressed else "", source.arrived_ns)
        if change.stop is not None:
            self.last_word = change.stop.value
        self.is_ended_by_server = change.reason == END_OF_STREAM
        if change.state is ConnectionState.CLOSED:
            self.diagnosis = change.diagnosis
        if self._selection.quiet:
            return
        # A stream is open since the head arrived. The first events may have the same time.
        time_s = source.arrived_ns / 1e9 if change.state is ConnectionState.OPEN else time.time()
        display.state(change, time_s, self.label, reopened=reopened)

    def _note_bursts_once(self, evidence: str) -> None:
        """Show once per run that compression holds events back."""
        if not self._knows_bursts and not self._selection.quiet:
            self._note(visible(evidence, keep_lines=False))
        self._knows_bursts = True

    def _note_format_once(self) -> None:
        if not self._selection.quiet:
            self._note(self._found_format)
        self._found_format = ""

    def _note(self, line: str) -> None:
        assert self._display is not None
        self._display.note(f"{self.label}: {line}" if self.label else line)

    def _explain_cookies(self, error: UnexpectedResponseError) -> None:
        """Add a note if the server set a cookie that the request did not send back."""
        cookies = error.headers.get("set-cookie", "") or self._cookies
        name, is_pair, _ = cookies.partition("=")
        sent = "; ".join(value for key, value in self.target.headers if key.lower() == "cookie")
        if is_pair and f"{name}=" not in sent:
            shown = visible(name[:100], keep_lines=False)
            error.add_note(
                f"the server set the cookie {shown}, which was not sent back: send it with --cookie '{shown}=...'"
            )

    def failed(self, error: SseError) -> None:
        """Show the error that ended this stream while others go on."""
        self._note(message_of(error, self._command))


def _found_format(target: Target, content_type: str) -> str:
    """Say which format the content type means; empty for an event stream."""
    found = target.format_of(content_type)
    if found in (None, StreamFormat.SSE):
        return ""
    return f"format {found.value}, by the content type {essence(content_type)}: --format chooses another"
