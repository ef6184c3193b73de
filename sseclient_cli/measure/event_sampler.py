"""What is measured of the arrivals on a stream: first event, gaps, bursts, types, and how long it has been silent.

A read has one stamp: the arrival of its last byte. That is exact for an event that ends with this byte. What came
before it in the same read arrived between the loop's last look at the socket, which found nothing, and the stamp. That
is about a millisecond, or long, when the generator was late: then it is not known, and what is not known is not
recorded.

Two clocks. The kernel's stamp is wall-clock time, and so is an event's own timestamp: ``delivery`` is their difference
(``event_reading.py``). Durations use the monotonic clock: the stamp is put on it by the offset between the two, which
is measured ten times a second and not per read, where an interruption between two clock readings would look like a
difference in arrival.
"""

from __future__ import annotations

from collections import Counter
from operator import itemgetter

from sseclient_cli.engine.context import Bench
from sseclient_cli.measure.event_fields import LEAST_RATIO, EventFields
from sseclient_cli.measure.silence import is_silent
from sseclient_cli.measure.undecided_events import Arrival, Read
from sseclient_cli.sse.diagnosis import MAX_BYTES, explain
from sseclient_cli.sse.error_event import is_error_event
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.units import NS_PER_S

MAX_UNCERTAINTY_NS = 2_000_000
"""Two turns of the loop. Beyond it the generator was late, and when something arrived is anybody's guess."""

LEAST_OPEN_NS = NS_PER_S
"""A stream that has opened later than this before its end had no time for its first event."""

MAX_BURST_NS = 20_000_000
"""Events that arrived within this time are a burst. What buffers holds events back for longer (``findings.py``)."""

_type_of = itemgetter(0)  # of an event, which is a tuple


class EventSampler:
    """The meter of one stream, over all its connections."""

    __slots__ = (
        "_bench",
        "_first_bytes",
        "_idle_bytes",
        "_intended_ns",
        "_last_event_ns",
        "_last_uncertainty_ns",
        "_opened_ns",
        "_reach_bit",
        "_reading",
        "events",
        "has_delivered",
        "last_byte_ns",
        "longest_pause_ns",
    )  # fmt: skip

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._intended_ns = 0
        self._last_event_ns = 0
        self._last_uncertainty_ns: int | None = 0
        self._reach_bit = 0
        self._reading: EventFields | None = None
        """Made with the first event: most of what an idle stream would hold."""
        self._first_bytes = b""
        """The beginning of the body, as long as no event has come."""
        self._idle_bytes = 0
        """All bytes of the body, as long as no event has come."""
        self._opened_ns = 0
        """When the present connection, or the last one, had opened (monotonic)."""
        self.events = 0
        """How many it has brought."""
        self.has_delivered = False
        """Whether the present connection, or the last one, has brought an event."""
        self.last_byte_ns = 0
        """When the last byte of a head or a body arrived (monotonic)."""
        self.longest_pause_ns = 0
        """The longest time between two arrivals on one connection."""

    # Connections.

    def begin(self, intended_ns: int) -> None:
        """Measure a new connection, which was meant to begin then (monotonic)."""
        self._intended_ns = intended_ns
        self.has_delivered = False

    def opened(self, arrival_ns: int) -> None:
        """Note that the head of an event stream has arrived (monotonic)."""
        self.last_byte_ns = self._opened_ns = arrival_ns
        if not self.events and not self._reach_bit:
            self._reach_bit = self._bench.reach.join(arrival_ns)

    def take_without_event(self, body: bytes) -> None:
        """Keep the beginning of a body that has brought no event yet: it tells why."""
        self._first_bytes = (self._first_bytes + body[:MAX_BYTES])[:MAX_BYTES]
        self._idle_bytes += len(body)

    def has_had_time(self, now_ns: int) -> bool:
        """Say whether a stream has been open for long enough to miss an event (monotonic)."""
        return now_ns - self._opened_ns >= LEAST_OPEN_NS

    @property
    def complaint(self) -> str:
        """Why the bytes of a stream without an event made none; empty if there is nothing to say."""
        return "" if self.events else explain(self._first_bytes, self._idle_bytes)

    def cut(self, now_ns: int) -> None:
        """Note that an open connection has been cut, or ended by the server (monotonic)."""
        self._bench.recorder.cut_silence.append((now_ns - self.last_byte_ns) // 1000)

    def resume(self, now_ns: int) -> None:
        """Take the next event as the first of a new connection; the present one has ended (monotonic)."""
        if self._reach_bit:
            # What is sent while a stream is not connected cannot reach it.
            self._bench.reach.leave(now_ns)
        if self._reading is not None:
            self._reading.resume()

    def reach_end_of_run(self, now_ns: int, *, is_open: bool) -> None:
        """Note how long a stream that is not over has been without an event, and whether it has gone silent."""
        recorder = self._bench.recorder
        if self.events:
            recorder.open_gap.append((now_ns - self._last_event_ns) // 1000)
        idle_ns, active_ns = now_ns - self.last_byte_ns, self.last_byte_ns - self._opened_ns
        if is_open and is_silent(idle_ns, self.events, self.longest_pause_ns, active_ns):
            recorder.silence.append(idle_ns // 1000)

    def finish(self, now_ns: int) -> None:
        """Add what is known once the stream, or the run, is over (monotonic); nothing may come afterwards."""
        if self._reading is not None:
            self._reading.finish()
        if self._reach_bit:
            self._bench.reach.leave(now_ns)
        self._bench.recorder.stream_events.append(self.events)

    # Events.

    def measure(self, events: list[Event], arrival_ns: int, *, is_exact: bool, is_fresh: bool) -> None:
        """Take the samples of the events of one read, of which the last byte arrived then (wall clock).

        ``is_exact``: that byte was the last one of the last event. ``is_fresh``: all that had arrived before was read.
        """
        bench = self._bench
        recorder = bench.recorder
        count = len(events)
        uncertainty_ns = 0 if is_exact and count == 1 else self.uncertainty_ns(arrival_ns, is_fresh=is_fresh)
        arrival_mono_ns = arrival_ns + bench.monotonic_less_wall_ns
        if uncertainty_ns is not None:
            self._record(arrival_mono_ns, uncertainty_ns)
        self._last_event_ns = arrival_mono_ns
        self._last_uncertainty_ns = 0 if is_exact else uncertainty_ns
        is_first, self.has_delivered = not self.has_delivered, True
        if not self.events:
            self._first_bytes = b""
        self.events += count
        recorder.events += count
        recorder.coalesced += count - is_exact
        is_one_type, is_burst = True, False
        if count == 1:
            recorder.types[events[0].type] += 1
        else:
            types = Counter(map(_type_of, events))
            is_one_type = len(types) == 1
            recorder.types.update(types)
            is_burst = self._record_burst(count, arrival_ns, is_first=is_first, is_fresh=is_fresh)
        if bench.counts_error_events:
            recorder.error_events += sum(map(is_error_event, events))
        if self._reach_bit:
            bench.reach.take(events, self._reach_bit, arrival_mono_ns)
        reading = self._reading
        if reading is None:
            reading = self._reading = EventFields(bench)
        if not reading.is_needed:
            return
        vague = None if uncertainty_ns is None else Arrival(arrival_ns, uncertainty_ns)
        if count == 1:
            reading.take_one(events[0], arrival_ns, vague)  # the uncertainty of an exact one is 0
        else:
            exact = Arrival(arrival_ns, 0) if is_exact else vague
            reading.take(Read(events, arrival_ns, exact, vague, is_burst, is_one_type))

    def uncertainty_ns(self, arrival_ns: int, *, is_fresh: bool) -> int | None:
        """Return how much earlier than the last byte of a read another one of it may have arrived; None: too much."""
        uncertainty_ns = arrival_ns - self._bench.poller.empty_ns
        return max(uncertainty_ns, 0) if is_fresh and uncertainty_ns <= MAX_UNCERTAINTY_NS else None

    def _record_burst(self, count: int, arrival_ns: int, *, is_first: bool, is_fresh: bool) -> bool:
        """Record that a read brought several events; return whether they arrived together and may be a burst."""
        recorder = self._bench.recorder
        recorder.together_events += count
        if not is_fresh or arrival_ns - self._bench.poller.empty_ns > MAX_BURST_NS:
            return False
        recorder.inner_gaps += count - 1
        if is_first:
            return False  # what a server sends first on a connection was not held back: a snapshot, or a history
        recorder.bursts.append(count)
        return True

    def _record(self, arrival_ns: int, uncertainty_ns: int) -> None:
        """Record the first event of a connection, and the gap to the event before, of this connection or another."""
        recorder = self._bench.recorder
        if not self.has_delivered:
            recorder.first_event.append((arrival_ns - self._intended_ns) // 1000)
        if self.events and self._last_uncertainty_ns is not None:
            gap_ns = arrival_ns - self._last_event_ns
            if gap_ns >= LEAST_RATIO * (uncertainty_ns + self._last_uncertainty_ns):
                recorder.gap.append(gap_ns // 1000)
