"""The progress of a run, which workers send a few times per second, and the merge for several workers.

This module is pure. Progress contains values with their counts instead of percentiles, which cannot be merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sseclient_cli.measure.histogram import percentile_us
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The state of a run. ``recent`` and ``events_per_s`` cover the time since the previous progress."""

    elapsed_s: float
    duration_s: float
    planned: int
    opened: int
    open_now: int
    failed: int
    events: int
    events_per_s: float
    recent: Mapping[Latency, Counter[int]] = field(default_factory=dict)
    """Rounded inter-event gaps and delivery latencies in microseconds, with their counts."""
    errors: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        totals: Totals,
        *,
        elapsed_s: float,
        duration_s: float,
        events_per_s: float = 0.0,
        recent: Mapping[Latency, Counter[int]] | None = None,
    ) -> Progress:
        """Create progress from totals. A worker that has ended has no ``recent`` values."""
        return cls(
            elapsed_s=elapsed_s,
            duration_s=duration_s,
            planned=totals.planned,
            opened=totals.opened,
            open_now=totals.open_now,
            failed=totals.failed,
            events=totals.events,
            events_per_s=events_per_s,
            recent=recent or {},
            errors={kind: error.count for kind, error in totals.errors.items()},
        )

    def after(self, earlier: Progress) -> Progress:
        """Return this progress with the recent values of an earlier one that was not shown."""
        recent = {kind: Counter(counts) for kind, counts in earlier.recent.items()}
        for kind, counts in self.recent.items():
            recent.setdefault(kind, Counter()).update(counts)
        return replace(self, recent=recent)

    @property
    def latency(self) -> Latency:
        """The latency of the percentiles: delivery if events have timestamps, otherwise the inter-event gap."""
        return Latency.DELIVERY if self.recent.get(Latency.DELIVERY) else Latency.GAP

    @property
    def p50_ms(self) -> float | None:
        """The median of ``latency``."""
        return self._percentile_ms(50)

    @property
    def p99_ms(self) -> float | None:
        """The 99th percentile of ``latency``."""
        return self._percentile_ms(99)

    def _percentile_ms(self, percentile: float) -> float | None:
        values = self.recent.get(self.latency)
        return percentile_us(values, percentile) / 1000 if values else None


def merged(progresses: Iterable[Progress]) -> Progress:
    """Merge the progress of the workers of a run (at least one)."""
    parts = list(progresses)
    recent: dict[Latency, Counter[int]] = {}
    errors: Counter[str] = Counter()
    for part in parts:
        for latency, values in part.recent.items():
            recent.setdefault(latency, Counter()).update(values)
        errors.update(part.errors)
    return Progress(
        elapsed_s=max(part.elapsed_s for part in parts),
        duration_s=max(part.duration_s for part in parts),
        planned=sum(part.planned for part in parts),
        opened=sum(part.opened for part in parts),
        open_now=sum(part.open_now for part in parts),
        failed=sum(part.failed for part in parts),
        events=sum(part.events for part in parts),
        events_per_s=sum(part.events_per_s for part in parts),
        recent=recent,
        errors=errors,
    )
