"""Samples the arrivals on a stream: first event, gaps, bursts, types and silence.

A read has one arrival time: that of its last byte. The time is exact for an event that ends with this byte. Earlier
bytes of the same read arrived after the last poll that found the socket empty: usually within a millisecond before that
time. If the load generator was late, the interval is longer. The arrival is then unknown, and no sample is recorded.

Kernel timestamps and the timestamps in events are wall-clock time: ``delivery`` is their difference
(``event_fields.py``). Durations use the monotonic clock (``engine/clock.py``).
"""

from __future__ import annotations

from operator import itemgetter

from sseclient_cli.engine.observer import Connected, Opened, StreamObserver
from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.event_fields import LEAST_RATIO, EventFields
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.measure.silence import is_silent
from sseclient_cli.measure.undecided_events import Arrival, Read
from sseclient_cli.sse.diagnosis import MAX_BYTES, explain, explain_line
from sseclient_cli.sse.error_event import is_error_event
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.sse.stream_format import StreamFormat
from sseclient_cli.units import NS_PER_S

LEAST_OPEN_NS = NS_PER_S
"""A stream that was open for less than this had no time for its first event."""

MAX_BURST_NS = 20_000_000
"""Events that arrived within this time are a burst. A buffering proxy holds events back longer (``findings.py``)."""

_type_of = itemgetter(0)  # Event.type: an event is a named tuple


class EventSampler(StreamObserver):
    """The sampler of one stream, over all its connections."""

    __slots__ = (
        "_fields", "_first_bytes", "_has_delivered", "_idle_bytes", "_intended_ns",
        "_last_byte_ns", "_last_comment_ns", "_last_event_ns", "_last_uncertainty_ns", "_longest_pause_ns",
        "_longest_silence_ns", "_measurement", "_opened_ns", "_stream_format", "events",
    )  # fmt: skip

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement
        self._intended_ns = 0
        self._last_event_ns = 0
        self._last_uncertainty_ns: int | None = 0
        self._fields: EventFields | None = None
        """Created with the first event: it would be most of the memory of an idle stream."""
        self._first_bytes = b""
        """The beginning of the body, until the first event."""
        self._idle_bytes = 0
        """The number of body bytes without an event, until the first event."""
        self._stream_format = StreamFormat.SSE
        self._opened_ns = 0
        """When the current or last connection opened (monotonic)."""
        self._last_byte_ns = 0
        """When the last byte of a head or a body arrived (monotonic)."""
        self._longest_pause_ns = 0
        """The longest time between two arrivals on one connection."""
        self._longest_silence_ns = 0
        """The longest time from the last byte of a connection to its end, or to the end of the run."""
        self._last_comment_ns = 0
        """When the last comment on the current or last connection arrived (monotonic); 0 before the first."""
        self._has_delivered = False
        """Whether the current or last connection has delivered an event."""
        self.events = 0
        """The number of events that the stream has received."""

    # Connections.

    def connecting(self, intended_ns: int, began_ns: int) -> None:
        """Record the delay from the intended to the actual start of a connection."""
        self._intended_ns = intended_ns
        self._has_delivered = False
        self._measurement.samples.start_delay.append((began_ns - intended_ns) // 1000)

    def connected(self, intended_ns: int, connected: Connected) -> None:
        """Record the time to connect, and the part of the TLS handshake, once per connection."""
        if connected.is_reused:
            return
        samples = self._measurement.samples
        samples.connect.append((connected.ready_ns - intended_ns) // 1000)
        if connected.is_tls:
            samples.tls.append((connected.ready_ns - connected.connected_ns) // 1000)

    def opened(self, opened: Opened) -> None:
        """Record the time to the response head, if its arrival is exact."""
        self._last_byte_ns = self._opened_ns = opened.arrival_monotonic_ns
        self._last_comment_ns = 0
        self._stream_format = opened.stream_format
        if opened.is_exact:
            waited_ns = opened.arrival_monotonic_ns - opened.requested_ns
            self._measurement.samples.headers.append(waited_ns // 1000)
        arrival_ns = opened.arrival_ns - self._measurement.clock.correction_ns
        self._measurement.heads.note(opened, arrival_ns)
        if self._fields is not None and self._measurement.expects_replays:
            self._fields.reconnected(arrival_ns - (opened.arrival_monotonic_ns - opened.requested_ns))

    def ended(self, now_ns: int, last_byte_ns: int, *, is_cut: bool) -> None:
        """Record how long a connection was silent before it was cut. The next event begins a new connection."""
        self._longest_silence_ns = max(self._longest_silence_ns, now_ns - last_byte_ns)
        if is_cut:
            self._measurement.samples.cut_silence.append((now_ns - last_byte_ns) // 1000)
        if self._fields is not None:
            self._fields.resume()

    def finished(self, now_ns: int) -> None:
        """Add the results that need the whole stream, once the stream or the run is over."""
        if self._fields is not None:
            self._fields.finish()
        samples = self._measurement.samples
        samples.stream_events.append(self.events)
        samples.longest_silence.append(max(self._longest_pause_ns, self._longest_silence_ns) // 1000)

    # Silence.

    def reach_end_of_run(self, now_ns: int, *, is_open: bool) -> None:
        """Record the time since the last event of an unfinished stream, and its silence if it is silent (monotonic)."""
        samples = self._measurement.samples
        if self.events:
            samples.open_gap.append((now_ns - self._last_event_ns) // 1000)
        if is_open:
            self._longest_silence_ns = max(self._longest_silence_ns, now_ns - self._last_byte_ns)
        if is_open and self.is_silent(now_ns):
            samples.silence.append((now_ns - self._last_byte_ns) // 1000)

    def is_silent(self, now_ns: int) -> bool:
        """Return whether the stream, which is open, is silent at ``now_ns`` (monotonic)."""
        idle_ns, active_ns = now_ns - self._last_byte_ns, self._last_byte_ns - self._opened_ns
        return is_silent(idle_ns, self.events, self._longest_pause_ns, active_ns)

    def add_audit_to(self, audits: dict[str, FieldAudit]) -> None:
        """Add the audit so far of a stream that is not over."""
        if self._fields is not None:
            self._fields.add_audit_to(audits)

    def has_had_time(self, now_ns: int) -> bool:
        """Return whether the stream was open long enough to expect an event (monotonic)."""
        return now_ns - self._opened_ns >= LEAST_OPEN_NS

    @property
    def complaint(self) -> str:
        """The reason why the bytes of the stream form no event; empty if there is none."""
        if self.events or self._stream_format is StreamFormat.WEBSOCKET:
            return ""
        cause_of = explain if self._stream_format is StreamFormat.SSE else explain_line
        return cause_of(self._first_bytes, self._idle_bytes)

    # Events.

    def received(
        self,
        body: bytes,
        events: list[Event],
        arrival_ns: int,
        arrival_monotonic_ns: int,
        *,
        is_exact: bool,
        is_fresh: bool,
    ) -> None:
        """Sample the events of one read, and the pause before it."""
        pause_ns = arrival_monotonic_ns - self._last_byte_ns
        if pause_ns > self._longest_pause_ns:
            self._longest_pause_ns = pause_ns
        self._last_byte_ns = arrival_monotonic_ns
        if events:
            self._sample(events, arrival_ns, arrival_monotonic_ns, is_exact=is_exact, is_fresh=is_fresh)
        elif not self.events:
            self._first_bytes = (self._first_bytes + body[:MAX_BYTES])[:MAX_BYTES]
            self._idle_bytes += len(body)

    def commented(self, count: int) -> None:
        """Count the comments of the read that was just received, and record the time since the last ones."""
        samples = self._measurement.samples
        samples.comments += count
        if self._last_comment_ns:
            samples.heartbeat_interval.append((self._last_byte_ns - self._last_comment_ns) // 1000)
        self._last_comment_ns = self._last_byte_ns

    def _sample(
        self, events: list[Event], arrival_ns: int, arrival_monotonic_ns: int, *, is_exact: bool, is_fresh: bool
    ) -> None:
        measurement = self._measurement
        samples = measurement.samples
        count = len(events)
        uncertainty_ns: int | None = 0
        if not is_exact or count > 1:
            uncertainty_ns = measurement.poller.uncertainty_ns(arrival_ns, is_fresh=is_fresh)
        if uncertainty_ns is not None:
            self._record(arrival_monotonic_ns, uncertainty_ns)
        self._last_event_ns = arrival_monotonic_ns
        self._last_uncertainty_ns = 0 if is_exact else uncertainty_ns
        is_first, self._has_delivered = not self._has_delivered, True
        if not self.events:
            self._first_bytes = b""
        self.events += count
        samples.events += count
        samples.coalesced += count - is_exact
        is_one_type, is_burst = True, False
        if count == 1:
            samples.types[events[0].type] += 1
        else:
            is_one_type = self._count_types(events)
            is_burst = self._record_burst(count, arrival_ns, is_first=is_first, is_fresh=is_fresh)
        if measurement.counts_error_events:
            samples.error_events += sum(map(is_error_event, events))
        fields = self._fields
        if fields is None:
            fields = self._fields = EventFields(measurement)
        if not fields.is_needed:
            return
        if measurement.clock.correction_ns:  # cheaper than to subtract 0 from a large integer
            arrival_ns -= measurement.clock.correction_ns
        if count == 1:
            fields.take_one(events[0], arrival_ns, uncertainty_ns)  # if it is exact, its uncertainty is 0
        else:
            arrival = None if uncertainty_ns is None else Arrival(arrival_ns, uncertainty_ns)
            of_last = Arrival(arrival_ns, 0) if is_exact else arrival
            fields.take(Read(events, arrival_ns, of_last, arrival, is_burst, is_one_type))

    def _count_types(self, events: list[Event]) -> bool:
        """Count the events of a read by type. Return whether they are of one type."""
        types = list(map(_type_of, events))
        if types.count(types[0]) == len(types):
            self._measurement.samples.types[types[0]] += len(types)
            return True
        self._measurement.samples.types.update(types)
        return False

    def _record_burst(self, count: int, arrival_ns: int, *, is_first: bool, is_fresh: bool) -> bool:
        """Record a read of several events. Return whether they arrived together and may be a burst."""
        samples = self._measurement.samples
        samples.together_events += count
        if not is_fresh or arrival_ns - self._measurement.poller.empty_ns > MAX_BURST_NS:
            return False
        samples.inner_gaps += count - 1
        if is_first:
            return False  # servers begin a connection with a snapshot or a history: no proxy held these events back
        samples.bursts.append(count)
        return True

    def _record(self, arrival_ns: int, uncertainty_ns: int) -> None:
        """Record the first event of a connection, and the gap since the previous event, across connections."""
        samples = self._measurement.samples
        if not self._has_delivered:
            samples.first_event.append((arrival_ns - self._intended_ns) // 1000)
        if self.events and self._last_uncertainty_ns is not None:
            gap_ns = arrival_ns - self._last_event_ns
            if gap_ns >= LEAST_RATIO * (uncertainty_ns + self._last_uncertainty_ns):
                samples.gap.append(gap_ns // 1000)
