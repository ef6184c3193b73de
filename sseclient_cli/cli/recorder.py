"""Record the items of one stream of ``sse watch``: all of them, also those that are not shown."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TypedDict

from sseclient_cli import __version__
from sseclient_cli.cli.recording_file import RecordingFile
from sseclient_cli.client.recording import (
    FORMAT_VERSION,
    Ended,
    Header,
    Opened,
    Record,
    RecordedComment,
    RecordedEvent,
    RecordedRetry,
)
from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.redaction import redacted_header, redacted_text
from sseclient_cli.request.target import Target
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.stream_format import StreamFormat


class _When(TypedDict):
    stream: int
    arrived_ns: int
    elapsed_ns: int


class Recording:
    """The recording of a run, which begins when its first stream opens. ``targets`` are its streams."""

    def __init__(self, file: RecordingFile, targets: Sequence[Target]) -> None:
        self._file = file
        self._targets = targets
        self._started_ns = 0  # monotonic
        self._elapsed_ns = 0

    @property
    def is_failed(self) -> bool:
        """Whether the file could not be written: a run ends then, because the rest would be missing."""
        return self._file.is_failed

    def stream(self, number: int, source: EventSource) -> Recorder:
        """Return the recorder of the stream with this number, from 0."""
        return Recorder(self, number, self._targets[number], source)

    def begin(self, arrived_ns: int) -> None:
        """Begin at the first call."""
        if not self._file.is_begun:
            self._started_ns = time.monotonic_ns() - _age_ns(arrived_ns)
            self._file.begin(
                Header(
                    recording=FORMAT_VERSION,
                    streams=[target.redacted_url for target in self._targets],
                    started_ns=arrived_ns,
                    written_by=f"sseclient-cli {__version__}",
                )
            )

    @property
    def is_begun(self) -> bool:
        """Whether a stream has opened."""
        return self._file.is_begun

    def write(self, record: Record) -> None:
        """Write a record. Raises LimitError."""
        self._file.write(record)

    def elapsed_ns(self, arrived_ns: int) -> int:
        """Return the time of an arrival since the start. It never decreases."""
        elapsed_ns = time.monotonic_ns() - _age_ns(arrived_ns) - self._started_ns
        self._elapsed_ns = max(self._elapsed_ns, elapsed_ns)
        return self._elapsed_ns


class Recorder:
    """Writes a record for each event, comment and state change of one stream.

    Failed attempts before the first stream opens are not recorded.
    """

    def __init__(self, recording: Recording, number: int, target: Target, source: EventSource) -> None:
        self._recording = recording
        self._number = number
        self._target = target
        self._source = source
        self._retry_s: float | None = None

    def event(self, event: Event) -> None:
        """Record an event."""
        self._retry(event.arrived_ns)
        when = self._when(event.arrived_ns)
        self._recording.write(RecordedEvent(type=event.type, id=event.id, data=event.data, **when))

    def comment(self, comment: str) -> None:
        """Record a comment, which has just arrived."""
        arrived_ns = self._source.arrived_ns
        self._retry(arrived_ns)
        self._recording.write(RecordedComment(text=comment, **self._when(arrived_ns)))

    def state(self, change: StateChange) -> None:
        """Record the start and the end of a connection."""
        if change.state is ConnectionState.OPEN:
            self._open()
        elif change.state in (ConnectionState.WAITING, ConnectionState.CLOSED) and self._recording.is_begun:
            now_ns = time.time_ns()
            self._retry(now_ns)
            reason = redacted_text(change.reason)
            self._recording.write(Ended(reason=reason, reconnect_after_s=change.delay_s, **self._when(now_ns)))

    def _open(self) -> None:
        source = self._source
        self._recording.begin(source.arrived_ns)
        headers = {name: redacted_header(name, value) for name, value in source.response_headers.items()}
        found = self._target.format_of(headers.get("content-type")) or StreamFormat.SSE
        stream_format = (StreamFormat.WEBSOCKET if self._target.is_websocket else found).value
        when = self._when(source.arrived_ns)
        status = source.response_status or 0
        self._recording.write(Opened(status=status, headers=headers, format=stream_format, **when))

    def _retry(self, arrived_ns: int) -> None:
        """Record a new ``retry`` before the item that came with it."""
        retry_s = self._source.retry_s
        if retry_s is not None and retry_s != self._retry_s:
            self._retry_s = retry_s
            self._recording.write(RecordedRetry(retry_ms=round(retry_s * 1000), **self._when(arrived_ns)))

    def _when(self, arrived_ns: int) -> _When:
        elapsed_ns = self._recording.elapsed_ns(arrived_ns)
        return {"stream": self._number, "arrived_ns": arrived_ns, "elapsed_ns": elapsed_ns}


def _age_ns(arrived_ns: int) -> int:
    return max(0, time.time_ns() - arrived_ns)
