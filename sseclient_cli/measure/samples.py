"""The samples that observers append during a run.

Pure. An append takes 0.04 us. ``Totals.fold`` does the rest once per tick, driven by the names and metadata of these
fields.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from sseclient_cli.measure.event_counts import COUNTS, IN_WARM_UP, EventCounts


class Latency(Enum):
    """The measured durations, named as in the report."""

    CONNECT = "connect"
    TLS = "tls"
    HEADERS = "headers"
    FIRST_EVENT = "first_event"
    GAP = "gap"
    DELIVERY = "delivery"


def values(*, in_warm_up: bool) -> Any:
    """Declare values that ``Totals`` keeps in its histogram of the same name (in ``latencies``, or a field)."""
    return field(default_factory=lambda: array("q"), metadata={IN_WARM_UP: in_warm_up})


@dataclass(slots=True)
class Samples(EventCounts):
    """The samples of one worker since the last tick. Values are in us unless stated otherwise."""

    connect: array[int] = values(in_warm_up=False)
    tls: array[int] = values(in_warm_up=False)
    headers: array[int] = values(in_warm_up=False)
    first_event: array[int] = values(in_warm_up=False)
    gap: array[int] = values(in_warm_up=False)
    delivery: array[int] = values(in_warm_up=False)
    start_delay: array[int] = values(in_warm_up=True)
    bursts: array[int] = values(in_warm_up=False)
    """Number of events per read of several events, if these are known to have arrived together."""
    held_back: array[int] = values(in_warm_up=False)
    """Time between the sending of the first and the last event of such a read, by their own timestamps."""
    stream_events: array[int] = values(in_warm_up=True)
    """Number of events per finished stream."""
    open_gap: array[int] = values(in_warm_up=True)
    """From the last event of each unfinished stream to the end of the run."""
    silence: array[int] = values(in_warm_up=True)
    """For each silent stream: from its last byte to the end of the run."""
    cut_silence: array[int] = values(in_warm_up=True)
    """For each connection that was cut or ended: from its last byte to that moment."""
    heartbeat_interval: array[int] = values(in_warm_up=True)
    """From one read with comments to the next one on the same connection."""
    longest_silence: array[int] = values(in_warm_up=True)
    """For each finished stream: its longest time without a byte on an open connection."""
    types: Counter[str] = field(default_factory=Counter)


VALUES = {
    each.name: bool(each.metadata[IN_WARM_UP])
    for each in fields(Samples)
    if IN_WARM_UP in each.metadata and each.name not in COUNTS
}
"""The value arrays of ``Samples``, each with whether it counts while the run warms up."""

if forgotten := {each.name for each in fields(Samples)} - {*VALUES, *COUNTS, "types"}:
    raise TypeError(f"{', '.join(forgotten)} would never be folded: declare it with values() or in EventCounts")
