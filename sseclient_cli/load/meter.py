"""What is measured of the events of a stream: first event, gaps, delivery, types, and the audit of the sequence.

Two clocks. The kernel's stamp is wall-clock time, and so is an event's own timestamp: ``delivery`` is their difference.
Durations use the monotonic clock: the stamp is put on it by the offset between the two, which is measured ten times a
second and not per read, where an interruption between two clock readings would look like a difference in arrival.
"""

from __future__ import annotations

from operator import itemgetter

from sseclient_cli.load.audit import SequenceCheck
from sseclient_cli.load.bench import Bench
from sseclient_cli.protocol.event_stream import Event

_type_of = itemgetter(0)  # of an event, which is a tuple


class Meter:
    """The meter of one stream, over all its connections."""

    __slots__ = ("_bench", "_check", "_intended_ns", "_last_event_ns")

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._check = SequenceCheck(bench.audit)
        self._intended_ns = 0
        self._last_event_ns = 0

    @property
    def has_delivered(self) -> bool:
        """Whether the present connection, or the last one, has brought an event."""
        return self._last_event_ns != 0

    def begin(self, intended_ns: int) -> None:
        """Measure a new connection, which was meant to begin then (monotonic)."""
        self._intended_ns = intended_ns
        self._last_event_ns = 0

    def measure(self, events: list[Event], arrival_ns: int) -> None:
        """Take the samples of the events of one read, which arrived then (wall clock).

        Of several events in a read, the stamp is that of the last; when the others arrived is not known, and what is
        not known is not recorded.
        """
        bench = self._bench
        recorder, fields = bench.recorder, bench.fields
        arrival_mono_ns = arrival_ns + bench.monotonic_less_wall_ns
        count = len(events)
        if not self._last_event_ns:
            recorder.first_event.append((arrival_mono_ns - self._intended_ns) // 1000)
        elif count == 1:
            recorder.gap.append((arrival_mono_ns - self._last_event_ns) // 1000)
        self._last_event_ns = arrival_mono_ns
        recorder.events += count
        if count == 1:
            recorder.types[events[0].type] += 1
        else:
            recorder.coalesced += count - 1
            recorder.types.update(map(_type_of, events))
        if fields.undecided:
            bench.keep_until_decided(self, events, arrival_ns)
        elif fields.needed:
            if count > 1:
                self._check.check_all(fields.numbers(events[:-1]))
            self.sample(events[-1], arrival_ns)

    def sample(self, event: Event, arrival_ns: int | None) -> None:
        """Read what an event says of itself; ``arrival_ns`` (wall clock) is None where its arrival is not known."""
        sent_ns, number = self._bench.fields.read(event, with_timestamp=arrival_ns is not None)
        if sent_ns is not None and arrival_ns is not None:
            self._bench.recorder.delivery.append((arrival_ns - sent_ns) // 1000)
        if number is not None:
            self._check.check(number)

    def resume(self) -> None:
        """Take the next event as the first of a new connection."""
        self._check.resume()
