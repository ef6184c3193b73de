"""Detects that the load generator, not the server, was the bottleneck of a run.

A late load generator does not distort latencies: arrivals have kernel timestamps, and an event without a known arrival
is not sampled. It does distort the load: a client that does not read makes the server wait. Pure: the worker measures,
this module only compares with limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sseclient_cli.errors import LimitError, MemoryLimitError
from sseclient_cli.measure.totals import ErrorCount

MAX_CPU_PERCENT = 90.0
"""Of one core, per worker. Above it, queues grow with every burst."""

MAX_READ_DELAY_US = 50_000
"""At p99. If data waits longer than this to be read, the server sees a slow client."""

MAX_LOOP_LAG_US = 50_000
"""At p99. If timers fire later than this, the event loop is overloaded."""

MAX_START_DELAY_US = 50_000
"""At p99. If connections start later than this, the server did not get the planned load."""

MAX_RECEIVE_QUEUE_BYTES = 65_536
"""At p99. The receive window of a new connection on Linux: 64 KiB by its documentation. Measured (6.18, events of 40 B
to 1 MB), the server's data is held back from 100 to 128 KB on. A reader that is fast enough leaves almost nothing."""


class Distribution(Protocol):
    """Values with known percentiles: a ``Histogram``, or ``RoundedValues``."""

    @property
    def count(self) -> int:
        """The number of values."""

    @property
    def max_us(self) -> int:
        """The largest value."""

    def percentiles_us(self, wanted: Iterable[float]) -> Mapping[float, int | None]:
        """Return the value at each percentile (0-100); None if it is negative or there are no values."""


class GeneratorHealth(Protocol):
    """The measurements of the load generator itself: the totals of a run, or those of the live view so far."""

    @property
    def cpu_percent(self) -> Sequence[float | None]:
        """CPU time of each worker in percent of one core; None if unknown."""

    @property
    def read_delay(self) -> Distribution:
        """How long data waited for its reader."""

    @property
    def start_delay(self) -> Distribution:
        """From the intended to the actual start of a connection."""

    @property
    def loop_lag(self) -> Distribution:
        """How late the timers fired."""

    @property
    def receive_queue(self) -> Distribution:
        """Bytes, not us: unread data in the sockets."""

    @property
    def errors(self) -> Mapping[str, ErrorCount]:
        """The errors so far, by kind."""


def saturation_reasons(health: GeneratorHealth) -> list[str]:
    """Return the reasons why the load generator was the bottleneck of a run; an empty list if it was not."""
    reasons = [
        f"worker {index} used {cpu:.0f} % of its core (limit {MAX_CPU_PERCENT:.0f} %)"
        for index, cpu in enumerate(health.cpu_percent)
        if cpu is not None and cpu > MAX_CPU_PERCENT
    ]
    for name, histogram, limit_us in (
        ("data waited {} for its reader", health.read_delay, MAX_READ_DELAY_US),
        ("connections were started {} late", health.start_delay, MAX_START_DELAY_US),
        ("timers fired {} late", health.loop_lag, MAX_LOOP_LAG_US),
    ):
        if histogram.max_us <= limit_us:
            continue  # a percentile takes a millisecond, and the live view asks four times per second
        p99_us = _p99(histogram)
        if p99_us > limit_us and _third_largest(histogram) > limit_us:
            reasons.append(f"{name.format(f'{p99_us / 1000:.0f} ms')} at p99 (limit {limit_us // 1000} ms)")
    queue = health.receive_queue
    queue_bytes = _p99(queue) if queue.max_us >= MAX_RECEIVE_QUEUE_BYTES else 0
    if queue_bytes >= MAX_RECEIVE_QUEUE_BYTES and _third_largest(queue) >= MAX_RECEIVE_QUEUE_BYTES:
        reasons.append(
            f"{queue_bytes // 1024:,} KiB waited in a socket for its reader at p99, which delays the server "
            f"(limit {MAX_RECEIVE_QUEUE_BYTES // 1024} KiB)"
        )
    missing = health.errors.get(LimitError.kind)
    if missing is not None:
        reasons.append(f"{missing.count:,} streams could not be opened from here: {missing.example}")
    ended = health.errors.get(MemoryLimitError.kind)
    if ended is not None:
        reasons.append(
            f"{ended.count:,} streams were closed by the load generator to limit its memory: {ended.example}"
        )
    return reasons


def _p99(histogram: Distribution) -> int:
    return _at(histogram, 99)


def _third_largest(histogram: Distribution) -> int:
    """Return the third largest value: p99 of the 20 ticks of a short run is the maximum, which may be an outlier."""
    return _at(histogram, 100 * (1 - 2 / histogram.count)) if histogram.count > 2 else 0


def _at(histogram: Distribution, percentile: float) -> int:
    """Return a percentile in the histogram's own unit; 0 without values."""
    return histogram.percentiles_us([percentile])[percentile] or 0
