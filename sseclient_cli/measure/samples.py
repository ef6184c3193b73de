"""Where observers put their samples while a run goes on.

Pure. An append takes 0.04 us; ``Totals.fold`` does all else at the tick, by the names and rules of these fields.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any


class Latency(Enum):
    """The durations that are measured, named as in the report."""

    CONNECT = "connect"
    TLS = "tls"
    HEADERS = "headers"
    FIRST_EVENT = "first_event"
    GAP = "gap"
    DELIVERY = "delivery"


_IN_WARM_UP = "counts in the warm-up"


def values(*, in_warm_up: bool) -> Any:
    """Declare values that ``Totals`` keeps in the histogram of the same name: a latency, or a field."""
    return field(default_factory=lambda: array("q"), metadata={_IN_WARM_UP: in_warm_up})


def count(*, in_warm_up: bool = True) -> Any:
    """Declare a counter that ``Totals`` adds to its field of the same name."""
    return field(default=0, metadata={_IN_WARM_UP: in_warm_up})


@dataclass(slots=True)
class Samples:
    """The samples of one worker since the last tick. Values are in us, unless they say otherwise."""

    connect: array[int] = values(in_warm_up=False)
    tls: array[int] = values(in_warm_up=False)
    headers: array[int] = values(in_warm_up=False)
    first_event: array[int] = values(in_warm_up=False)
    gap: array[int] = values(in_warm_up=False)
    delivery: array[int] = values(in_warm_up=False)
    start_delay: array[int] = values(in_warm_up=True)
    bursts: array[int] = values(in_warm_up=False)
    """Events of each read that brought several, where they are known to have arrived together."""
    held_back: array[int] = values(in_warm_up=False)
    """How long after the first event of such a read its last one was sent, by their own timestamps."""
    stream_events: array[int] = values(in_warm_up=True)
    """Events of each stream that is over."""
    open_gap: array[int] = values(in_warm_up=True)
    """From the last event of each stream to the end of the run."""
    silence: array[int] = values(in_warm_up=True)
    """Of each stream that has gone silent: from its last byte to the end of the run."""
    cut_silence: array[int] = values(in_warm_up=True)
    """Of each connection that was cut or ended: from its last byte to the end."""
    inner_gaps: int = count(in_warm_up=False)
    """Gaps between events that are known to have arrived together."""
    together_events: int = count()
    """Events of reads that brought several, whatever is known of their arrival."""
    events: int = count()
    coalesced: int = count()
    comments: int = count()
    error_events: int = count()
    types: Counter[str] = field(default_factory=Counter)


COUNTS = {each.name: each.metadata[_IN_WARM_UP] for each in fields(Samples) if each.type == "int"}
"""The counters of ``Samples``, each with whether it counts while the run warms up."""

VALUES = {each.name: each.metadata[_IN_WARM_UP] for each in fields(Samples) if each.type == "array[int]"}
"""The same of the values."""
