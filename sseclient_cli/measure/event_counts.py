"""Counters of events: the counts of a worker between two ticks, and their sums. Each is declared here, once.

Pure. ``Samples`` and ``Totals`` inherit them, and ``Totals.fold`` adds the one to the other.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import add
from typing import Any

from sseclient_cli.measure.merging import by_rule

IN_WARM_UP = "counts in the warm-up"


def count(*, in_warm_up: bool = True) -> Any:
    """Declare a counter."""
    return by_rule(add, default=0, metadata={IN_WARM_UP: in_warm_up})


@dataclass(slots=True)
class EventCounts:
    """Counters that are the same in samples and totals."""

    events: int = count()
    coalesced: int = count()
    """Events that share a read with others, except the last of each read where its arrival is exact."""
    comments: int = count()
    error_events: int = count()
    """Events that report an error, where the plan counts them."""
    together_events: int = count()
    """Events of reads that returned several, with or without a known arrival time."""
    replayed: int = count()
    """Events that were sent before their stream reconnected, by their timestamps."""
    inner_gaps: int = count(in_warm_up=False)
    """Gaps between events that are known to have arrived together; they are not measured."""


COUNTS = {each.name: bool(each.metadata[IN_WARM_UP]) for each in fields(EventCounts)}
"""The counters, each with whether it counts while the run warms up."""
