"""One measured stream: wire + HTTP + parser -> samples.

It never waits: the worker calls ``on_connectable`` and ``on_readable`` when the socket is ready. One readiness is one
bounded read, so that a stream at full blast cannot starve the others.

Two clocks. The kernel's stamp is wall-clock time, and so is an event's own timestamp: ``delivery`` is their difference.
Durations use the monotonic clock: the arrival on it is now, less the time that has passed since the stamp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from time import monotonic_ns, time_ns

from sseclient_cli.errors import (
    BadStatusError,
    ConnectionLostError,
    InvalidResponseError,
    SseError,
    WrongContentTypeError,
)
from sseclient_cli.load.audit import AuditCounts, SequenceCheck
from sseclient_cli.load.fields import MAX_UNDECIDED_EVENTS, FieldReader
from sseclient_cli.load.http1 import ResponseReader
from sseclient_cli.load.metrics import Recorder
from sseclient_cli.load.wire import Wire
from sseclient_cli.protocol.event_stream import Event, EventStreamParser
from sseclient_cli.protocol.reconnection import StopReason, refusal_of
from sseclient_cli.target import Address


class Phase(Enum):
    """Where a stream is in its life."""

    CONNECTING = "connecting"
    REQUESTING = "requesting"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(slots=True)
class Bench:
    """What all streams of a worker share: what to send, what to read in events, and where measurements go."""

    address: Address
    request: bytes
    fields: FieldReader
    recorder: Recorder = field(default_factory=Recorder)
    audit: AuditCounts = field(default_factory=AuditCounts)
    undecided: list[tuple[Event, int]] = field(default_factory=list)
    """Events and their arrivals (wall clock, ns) from before the timestamp's field was chosen."""

    def count_comment(self, _text: str) -> None:
        """Count a comment: a heartbeat is never an event."""
        self.recorder.comments += 1


class Stream:
    """One connection to the target, from its intended start to its end.

    ``on_open`` is called once the response is seen to be an event stream, ``on_end`` once, with the error or, after
    a proper end by the server, with None.
    """

    __slots__ = (
        "_bench", "_check", "_http", "_intended_ns", "_last_event", "_last_event_ns", "_on_end", "_on_open",
        "_parser", "_requested_ns", "_unsent", "_wire", "phase",
    )  # fmt: skip

    def __init__(
        self,
        bench: Bench,
        intended_ns: int,
        on_open: Callable[[Stream], None],
        on_end: Callable[[Stream, SseError | None], None],
    ) -> None:
        """Begin to connect; ``intended_ns`` is the planned start on the monotonic clock. Raises SseError."""
        self._bench = bench
        self._intended_ns = intended_ns
        self._on_open = on_open
        self._on_end = on_end
        self._unsent = bench.request
        self._requested_ns = 0
        self._http = ResponseReader()
        self._parser: EventStreamParser | None = None
        self._check: SequenceCheck | None = None
        self._last_event: Event | None = None
        self._last_event_ns = 0
        self.phase = Phase.CONNECTING
        self._wire = Wire(bench.address)

    def fileno(self) -> int:
        """Return the socket's file descriptor, to wait for."""
        return self._wire.fileno()

    def on_connectable(self) -> bool:
        """Connect and send, as far as the socket lets us; return whether the request is out."""
        now_ns = monotonic_ns()
        try:
            if self.phase is Phase.CONNECTING:
                self._wire.finish_connect()
                self._bench.recorder.connect.append((now_ns - self._intended_ns) // 1000)
                self.phase = Phase.REQUESTING
                self._requested_ns = now_ns
            self._unsent = self._unsent[self._wire.write(self._unsent) :]
        except SseError as exc:
            self.end(exc)
        except OSError as exc:
            self.end(_lost(exc))
        return not self._unsent

    def on_readable(self) -> None:
        """Read once, and measure what came."""
        try:
            data, stamp_ns = self._wire.read()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as exc:
            self.end(_lost(exc))
            return
        now_ns = time_ns()
        recorder = self._bench.recorder
        recorder.reads += 1
        arrival_ns = stamp_ns or now_ns
        if stamp_ns:
            recorder.stamped_reads += 1
            recorder.read_delay.append((now_ns - stamp_ns) // 1000)
        try:
            if data:
                self._take(data, arrival_ns, monotonic_ns() - (now_ns - arrival_ns))
            else:
                self._take_end()
        except SseError as exc:
            self.end(exc)

    def end(self, error: SseError | None) -> None:
        """Tell the worker how the stream ends, while it still has its socket, and close it."""
        self._on_end(self, error)
        self.close()

    def close(self) -> None:
        """Close the connection without a word to anybody."""
        self.phase = Phase.CLOSED
        self._wire.close()

    def _take(self, data: bytes, arrival_ns: int, arrival_mono_ns: int) -> None:
        body = self._http.feed(data)
        if self._parser is None:
            if self._http.headers is None:
                return
            self._open(arrival_mono_ns)
        if body:
            assert self._parser is not None
            self._bench.recorder.bytes += len(body)
            events = self._parser.feed(body)
            if events:
                self._measure(events, arrival_ns, arrival_mono_ns)
        if self._http.complete:
            self.end(None)

    def _open(self, arrival_mono_ns: int) -> None:
        """Judge the response head, and start to parse if it announces an event stream."""
        check_response(self._http)
        self._bench.recorder.headers.append((arrival_mono_ns - self._requested_ns) // 1000)
        self._parser = EventStreamParser(on_comment=self._bench.count_comment)
        self.phase = Phase.OPEN
        self._on_open(self)

    def _take_end(self) -> None:
        """Judge the end of the connection: the body's proper end, or a cut."""
        if self._parser is None:
            raise ConnectionLostError("the server closed the connection before it answered")
        if not self._http.ends_with_connection:
            raise ConnectionLostError("the connection was cut in the middle of the response")
        self.end(None)

    def _measure(self, events: list[Event], arrival_ns: int, arrival_mono_ns: int) -> None:
        """Take the samples of the events of one read."""
        recorder = self._bench.recorder
        count = len(events)
        if self._last_event_ns:
            recorder.gap.append((arrival_mono_ns - self._last_event_ns) // 1000)
        else:
            recorder.first_event.append((arrival_mono_ns - self._intended_ns) // 1000)
        self._last_event_ns = arrival_mono_ns
        recorder.events += count
        if count > 1:
            # They share one stamp: between them there is no gap to be seen, and their delivery is that of the last.
            recorder.coalesced += count - 1
            recorder.gap.extend([0] * (count - 1))
        types = recorder.types
        for event in events:
            types[event.type] += 1
        if self._bench.fields.undecided:
            self._choose_fields(events, arrival_ns)
        elif self._bench.fields.needed:
            self._read_fields(events, arrival_ns)

    def _read_fields(self, events: list[Event], arrival_ns: int) -> None:
        read = self._bench.fields.read
        delivery = self._bench.recorder.delivery
        for event in events:
            sent_ns, number = read(event)
            if sent_ns is not None:
                delivery.append((arrival_ns - sent_ns) // 1000)
            if number is not None:
                if self._check is None:
                    self._check = SequenceCheck(self._bench.audit)
                self._check.check(number)

    def _choose_fields(self, events: list[Event], arrival_ns: int) -> None:
        """Let these events help to find the fields, and read what is known of them.

        Events from before the timestamp's field is known wait; once it is, they are measured.
        """
        fields, undecided = self._bench.fields, self._bench.undecided
        for event in events:
            if self._last_event is not None and fields.undecided:
                fields.offer(self._last_event, event, arrival_ns)
            self._last_event = event
            if fields.timestamp_undecided and len(undecided) < MAX_UNDECIDED_EVENTS:
                undecided.append((event, arrival_ns))
            self._read_fields([event], arrival_ns)
        if undecided and not fields.timestamp_undecided:
            for event, when_ns in undecided:
                sent_ns, _ = fields.read(event)
                if sent_ns is not None:
                    self._bench.recorder.delivery.append((when_ns - sent_ns) // 1000)
            undecided.clear()


def check_response(http: ResponseReader) -> None:
    """Raise BadStatusError, WrongContentTypeError or InvalidResponseError if this is no event stream (9.2.3)."""
    headers = http.headers or {}
    refusal = refusal_of(http.status, headers.get("content-type"))
    if refusal is StopReason.WRONG_CONTENT_TYPE:
        content_type = headers.get("content-type", "")
        raise WrongContentTypeError(f"a stream answered with {content_type!a}", status=200, headers=headers)
    if refusal is not None:
        raise BadStatusError(f"a stream was answered {http.status}", status=http.status, headers=headers)
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise InvalidResponseError(
            f"the stream is encoded as {headers['content-encoding']!r}, though identity was asked for"
        )


def _lost(exc: OSError) -> ConnectionLostError:
    return ConnectionLostError(f"the connection broke: {(exc.strerror or str(exc)).lower()}")
