"""What is measured of the events of a stream: first event, gaps, delivery, types, and the audit of the sequence.

A read has one stamp: the arrival of its last byte. That is exact for an event that ends with this byte. What came
before it in the same read arrived between the loop's last look at the socket, which found nothing, and the stamp. That
is about a millisecond, or long, when the generator was late: then it is not known, and what is not known is not
recorded.

Two clocks. The kernel's stamp is wall-clock time, and so is an event's own timestamp: ``delivery`` is their difference.
Durations use the monotonic clock: the stamp is put on it by the offset between the two, which is measured ten times a
second and not per read, where an interruption between two clock readings would look like a difference in arrival.
"""

from __future__ import annotations

from operator import itemgetter

from sseclient_cli.load.audit import SequenceCheck
from sseclient_cli.load.bench import Arrival, Bench
from sseclient_cli.protocol.event_stream import Event

MAX_UNCERTAINTY_NS = 2_000_000
"""Two turns of the loop. Beyond it the generator was late, and when something arrived is anybody's guess."""

LEAST_RATIO = 20
"""How many times its own uncertainty a duration is at least, or it is not recorded: it is right within 5 %."""

_type_of = itemgetter(0)  # of an event, which is a tuple


class Meter:
    """The meter of one stream, over all its connections."""

    __slots__ = ("_bench", "_check", "_intended_ns", "_last_event_ns", "_last_uncertainty_ns")

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._check = SequenceCheck(bench.audit)
        self._intended_ns = 0
        self._last_event_ns = 0
        self._last_uncertainty_ns: int | None = 0

    @property
    def has_delivered(self) -> bool:
        """Whether the present connection, or the last one, has brought an event."""
        return self._last_event_ns != 0

    def begin(self, intended_ns: int) -> None:
        """Measure a new connection, which was meant to begin then (monotonic)."""
        self._intended_ns = intended_ns
        self._last_event_ns = 0

    def measure(self, events: list[Event], arrival_ns: int, *, is_exact: bool, is_fresh: bool) -> None:
        """Take the samples of the events of one read, of which the last byte arrived then (wall clock).

        ``is_exact``: that byte was the last one of the last event. ``is_fresh``: all that had arrived before was read.
        """
        bench = self._bench
        recorder, fields = bench.recorder, bench.fields
        count = len(events)
        uncertainty_ns = 0 if is_exact and count == 1 else self.uncertainty_ns(arrival_ns, is_fresh=is_fresh)
        arrival_mono_ns = arrival_ns + bench.monotonic_less_wall_ns
        if uncertainty_ns is not None:
            if not self._last_event_ns:
                recorder.first_event.append((arrival_mono_ns - self._intended_ns) // 1000)
            elif self._last_uncertainty_ns is not None:
                gap_ns = arrival_mono_ns - self._last_event_ns
                if gap_ns >= LEAST_RATIO * (uncertainty_ns + self._last_uncertainty_ns):
                    recorder.gap.append(gap_ns // 1000)
        self._last_event_ns = arrival_mono_ns
        self._last_uncertainty_ns = 0 if is_exact else uncertainty_ns
        recorder.events += count
        recorder.coalesced += count - is_exact
        if count == 1:
            recorder.types[events[0].type] += 1
        else:
            recorder.types.update(map(_type_of, events))
        if fields.undecided or fields.needed:
            vague = None if uncertainty_ns is None else Arrival(arrival_ns, uncertainty_ns)
            self._read(events, arrival_ns, Arrival(arrival_ns, 0) if is_exact else vague, vague)

    def uncertainty_ns(self, arrival_ns: int, *, is_fresh: bool) -> int | None:
        """Return how much earlier than the last byte of a read another one of it may have arrived; None: too much."""
        uncertainty_ns = arrival_ns - self._bench.poller.empty_ns
        return max(uncertainty_ns, 0) if is_fresh and uncertainty_ns <= MAX_UNCERTAINTY_NS else None

    def sample(self, event: Event, arrival: Arrival | None) -> None:
        """Read what an event says of itself; the arrival is None where it is not known."""
        sent_ns, number = self._bench.fields.read(event, with_timestamp=arrival is not None)
        if sent_ns is not None and arrival is not None:
            delivery_ns = arrival.at_ns - sent_ns
            if not arrival.uncertainty_ns or delivery_ns >= LEAST_RATIO * arrival.uncertainty_ns:
                self._bench.recorder.delivery.append(delivery_ns // 1000)
        if number is not None:
            self._check.check(number)

    def _read(self, events: list[Event], at_ns: int, of_last: Arrival | None, of_others: Arrival | None) -> None:
        """Read what events say of themselves, or keep them until it is decided what that is."""
        fields = self._bench.fields
        if fields.undecided:
            arrivals = [of_others] * (len(events) - 1) + [of_last]
            self._bench.keep_until_decided(self, events, arrivals, at_ns)
            return
        if of_others is not None:
            for event in events[:-1]:
                self.sample(event, of_others)
        elif len(events) > 1:
            self._check.check_all(fields.numbers(events[:-1]))
        self.sample(events[-1], of_last)

    def resume(self) -> None:
        """Take the next event as the first of a new connection."""
        self._check.resume()
