"""The share of each machine of a cluster in the results of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.merging import (
    Merging,
    by_rule,
    first_given,
    joined,
    largest_known,
    mergeable,
    part,
    smallest_known,
    summed,
)

if TYPE_CHECKING:
    from sseclient_cli.measure.totals import Totals


def _larger(ours: int | None, theirs: int | None) -> int | None:
    known = [each for each in (ours, theirs) if each is not None]
    return max(known, key=lambda each: (abs(each), each), default=None)


@mergeable
@dataclass(slots=True)
class HostTotals(Merging):
    """The results of the workers on one machine, and the machine itself."""

    address: str = first_given("")
    system: str = first_given("")
    machine: str = first_given("")
    """The processor architecture."""
    python: str = first_given("")
    cpus: int | None = first_given(None)
    clock_offset_ns: int | None = by_rule(_larger, default=None)
    """Its wall clock minus the coordinator's. Of two runs, the larger one."""
    clock_bound_ns: int | None = largest_known()
    """The maximum error of ``clock_offset_ns``."""
    is_corrected: bool | None = smallest_known()
    """Whether arrival times are without that offset; None: not known. Of two runs, whether both are."""
    workers: int = summed()
    workers_lost: int = summed()
    planned: int = summed()
    lost: int = summed()
    """Planned streams of lost workers."""
    opened: int = summed()
    failed: int = summed()
    events: int = summed()
    bytes: int = summed()
    read_delay: Histogram = part(Histogram)
    cpu_percent: list[float | None] = joined()
    """CPU time of each worker in percent of one core."""

    @classmethod
    def of(cls, totals: Totals) -> HostTotals:
        """Take the results of a worker."""
        made = cls(
            workers=1,
            planned=totals.planned,
            opened=totals.opened,
            failed=totals.failed,
            events=totals.events,
            bytes=totals.bytes,
            cpu_percent=list(totals.cpu_percent),
        )
        made.read_delay.merge(totals.read_delay)
        return made


NO_HOSTS: Mapping[str, HostTotals] = MappingProxyType({})
"""The machines of a run without a cluster."""
