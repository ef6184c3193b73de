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


class Latency(Enum):
    """The measured durations, named as in the report."""

    CONNECT = "connect"
    TLS = "tls"
    HEADERS = "headers"
    FIRST_EVENT = "first_event"
    GAP = "gap"
    DELIVERY = "delivery"


_IN_WARM_UP = "counts in the warm-up"


def values(*, in_warm_up: bool) -> Any:
    """Declare values that ``Totals`` keeps in its histogram of the same name (in ``latencies``, or a field)."""
    return field(default_factory=lambda: array("q"), metadata={_IN_WARM_UP: in_warm_up})


def count(*, in_warm_up: bool = True) -> Any:
    """Declare a counter that ``Totals`` adds to its field of the same name."""
    return field(default=0, metadata={_IN_WARM_UP: in_warm_up})


@dataclass(slots=True)
class Samples:
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
    inner_gaps: int = count(in_warm_up=False)
    """Gaps between events that are known to have arrived together."""
    together_events: int = count()
    """Events of reads of several events, whether or not their arrival is known."""
    events: int = count()
    coalesced: int = count()
    """Events whose arrival is not exact, because later bytes came in the same read."""
    comments: int = count()
    error_events: int = count()
    types: Counter[str] = field(default_factory=Counter)


COUNTS = {each.name: each.metadata[_IN_WARM_UP] for each in fields(Samples) if each.type == "int"}
"""The counters of ``Samples``, each with a flag: whether it counts during the warm-up."""

VALUES = {each.name: each.metadata[_IN_WARM_UP] for each in fields(Samples) if each.type == "array[int]"}
"""The value arrays of ``Samples``, with the same flag."""
