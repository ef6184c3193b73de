"""One measured stream: wire + HTTP + parser -> samples.

It never waits: the worker calls ``on_connectable`` and ``on_readable`` when the socket is ready. One readiness is one
bounded read, so that a stream at full blast cannot starve the others.

Two clocks. The kernel's stamp is wall-clock time, and so is an event's own timestamp: ``delivery`` is their difference.
Durations use the monotonic clock: the stamp is put on it by the offset between the two, which is measured ten times a
second and not per read, where an interruption between two clock readings would look like a difference in arrival.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from time import monotonic_ns, time_ns

from sseclient_cli.errors import (
    BadStatusError,
    ConnectionLostError,
    InternalError,
    InvalidResponseError,
    SseError,
    WrongContentTypeError,
)
from sseclient_cli.load.audit import AuditCounts, SequenceCheck
from sseclient_cli.load.fields import MAX_UNDECIDED_CHARS, FieldReader
from sseclient_cli.load.http1 import ResponseReader
from sseclient_cli.load.metrics import Recorder
from sseclient_cli.load.wire import Wire
from sseclient_cli.protocol.event_stream import Event, EventStreamParser
from sseclient_cli.protocol.reconnection import StopReason, refusal_of
from sseclient_cli.target import Address

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""Less than the parser's own limit: there are thousands of streams, and one event may have to wait in each."""


def clock_offset_ns() -> int:
    """Return the monotonic clock less the wall clock; of three readings the one that was least interrupted."""
    readings = []
    for _ in range(3):
        before_ns, wall_ns, after_ns = monotonic_ns(), time_ns(), monotonic_ns()
        readings.append((after_ns - before_ns, (before_ns + after_ns) // 2 - wall_ns))
    return min(readings)[1]


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
    ends_ns: int = 0
    """When the run is over (monotonic). What is read later does not count, and costs nothing any more."""
    monotonic_less_wall_ns: int = field(default_factory=clock_offset_ns)
    """What turns an arrival into monotonic time. Measured again at each tick: the wall clock may be set."""
    recorder: Recorder = field(default_factory=Recorder)
    audit: AuditCounts = field(default_factory=AuditCounts)
    waiting: list[tuple[Stream, Event, int | None]] = field(default_factory=list)
    """Events that came while it was still open what to read in them, each with its arrival (see ``Stream.sample``)."""
    waiting_chars: int = 0
    latest: dict[Stream, Event] = field(default_factory=dict)
    """The latest event of each stream, as long as it is open what to read in them."""

    def measure_waiting(self) -> None:
        """Measure the events that waited, now that it is decided what to read in them."""
        for stream, event, arrival_ns in self.waiting:
            stream.sample(event, arrival_ns)
        self.waiting.clear()
        self.latest.clear()


class Stream:
    """One connection to the target, from its intended start to its end.

    ``on_open`` is called once the response is seen to be an event stream, ``on_end`` once, with the error or, after
    a proper end by the server, with None.
    """

    __slots__ = (
        "_bench", "_check", "_http", "_intended_ns", "_last_event_ns", "_on_end", "_on_open", "_parser",
        "_requested_ns", "_unsent", "_wire", "phase",
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
        self._unsent = memoryview(bench.request)
        self._requested_ns = 0
        self._http = ResponseReader()
        self._parser: EventStreamParser | None = None
        self._check: SequenceCheck | None = None
        self._last_event_ns = 0
        self.phase = Phase.CONNECTING
        self._wire = Wire(bench.address)

    def fileno(self) -> int:
        """Return the socket's file descriptor, to wait for."""
        return self._wire.fileno()

    def receive_queue_bytes(self) -> int | None:
        """Return how many bytes wait to be read; None where the system does not say. Raises OSError."""
        return self._wire.receive_queue_bytes()

    def on_connectable(self) -> bool:
        """Connect and send, as far as the socket lets us; return whether the request is out."""
        now_ns = monotonic_ns()
        try:
            if self.phase is Phase.CONNECTING:
                self._wire.finish_connect()
                self._bench.recorder.connect.append((now_ns - self._intended_ns) // 1000)
                self.phase = Phase.REQUESTING
            self._unsent = self._unsent[self._wire.write(self._unsent) :]
            self._requested_ns = monotonic_ns()
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
        offset_ns = self._bench.monotonic_less_wall_ns
        if now_ns + offset_ns > self._bench.ends_ns:
            return
        try:
            if data:
                arrival_ns = self._stamp(stamp_ns, now_ns)
                self._take(data, arrival_ns, arrival_ns + offset_ns)
            else:
                self._take_end()
        except SseError as exc:
            self.end(exc)
        except Exception as exc:  # noqa: BLE001 - in a loop's callback it would vanish, and the stream hang half-measured
            self.end(InternalError(f"{type(exc).__name__}: {exc}"))

    def end(self, error: SseError | None) -> None:
        """Tell the worker how the stream ends, while it still has its socket, and close it."""
        self._on_end(self, error)
        self.close()

    def close(self) -> None:
        """Close the connection without a word to anybody."""
        self.phase = Phase.CLOSED
        self._wire.close()

    def sample(self, event: Event, arrival_ns: int | None) -> None:
        """Read what an event says of itself; ``arrival_ns`` (wall clock) is None where its arrival is not known."""
        sent_ns, number = self._bench.fields.read(event, with_timestamp=arrival_ns is not None)
        if sent_ns is not None and arrival_ns is not None:
            self._bench.recorder.delivery.append((arrival_ns - sent_ns) // 1000)
        if number is not None:
            if self._check is None:
                self._check = SequenceCheck(self._bench.audit)
            self._check.check(number)

    def _stamp(self, stamp_ns: int, now_ns: int) -> int:
        """Return the arrival of a read, and count how it was stamped."""
        recorder = self._bench.recorder
        recorder.reads += 1
        if not stamp_ns:
            return now_ns
        recorder.stamped_reads += 1
        recorder.read_delay.append((now_ns - stamp_ns) // 1000)
        return stamp_ns

    def _take(self, data: bytes, arrival_ns: int, arrival_mono_ns: int) -> None:
        body = self._http.feed(data)
        if self._parser is None and self._http.headers is not None:
            self._open(arrival_mono_ns)
        if body and self._parser is not None:
            recorder = self._bench.recorder
            recorder.bytes += len(body)
            comments = self._parser.comment_count
            events = self._parser.feed(body)
            recorder.comments += self._parser.comment_count - comments
            if events:
                self._measure(events, arrival_ns, arrival_mono_ns)
        if self._http.complete:
            self.end(None)
        elif self._http.error is not None:
            raise self._http.error

    def _open(self, arrival_mono_ns: int) -> None:
        """Judge the response head, and start to parse if it announces an event stream."""
        check_response(self._http)
        # An answer may come before the request is out: then there is no time in between.
        if self._requested_ns and not self._unsent:
            self._bench.recorder.headers.append((arrival_mono_ns - self._requested_ns) // 1000)
        self._parser = EventStreamParser(max_event_bytes=MAX_EVENT_BYTES)
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
        """Take the samples of the events of one read.

        Of several events in a read, the stamp is that of the last; when the others arrived is not known, and what is
        not known is not recorded.
        """
        recorder, fields = self._bench.recorder, self._bench.fields
        count = len(events)
        recorder.events += count
        recorder.coalesced += count - 1
        if not self._last_event_ns:
            recorder.first_event.append((arrival_mono_ns - self._intended_ns) // 1000)
        elif count == 1:
            recorder.gap.append((arrival_mono_ns - self._last_event_ns) // 1000)
        self._last_event_ns = arrival_mono_ns
        types = recorder.types
        for event in events:
            types[event.type] += 1
        if fields.undecided:
            self._help_to_decide(events, arrival_ns)
        elif fields.needed:
            for event in events[:-1]:
                self.sample(event, None)
            self.sample(events[-1], arrival_ns)

    def _help_to_decide(self, events: list[Event], arrival_ns: int) -> None:
        """Show these events to whoever chooses the fields; they wait, and are measured when that is done."""
        bench = self._bench
        for index, event in enumerate(events, start=1):
            bench.waiting.append((self, event, arrival_ns if index == len(events) else None))
            bench.waiting_chars += len(event.data)
            earlier = bench.latest.get(self)
            if earlier is not None and bench.fields.undecided:
                bench.fields.offer(earlier, event, arrival_ns)
            bench.latest[self] = event
            if bench.waiting_chars > MAX_UNDECIDED_CHARS:
                bench.fields.give_up()
        if not bench.fields.undecided:
            bench.measure_waiting()


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
