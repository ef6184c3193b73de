"""Detects that the load generator, not the server, was the bottleneck of a run.

A late load generator does not distort latencies: arrivals have kernel timestamps, and an event without a known arrival
is not sampled. It does distort the load: a client that does not read makes the server wait. Pure: the worker measures,
this module only compares with limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


MAX_NAMED_HOSTS = 3
"""Hosts that a reason names; the report has the figures of all."""

_WAITED = "data waited {} for its reader"


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


class HostHealth(Protocol):
    """The measurements of one machine of a cluster."""

    @property
    def cpu_percent(self) -> Sequence[float | None]:
        """CPU time of each of its workers in percent of one core; None if unknown."""

    @property
    def read_delay(self) -> Distribution:
        """How long data waited for its reader."""


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

    @property
    def hosts(self) -> Mapping[str, HostHealth]:
        """The machines of a cluster, by name; empty without a cluster."""


def saturation_reasons(health: GeneratorHealth) -> list[str]:
    """Return the reasons why the load generator was the bottleneck of a run; an empty list if it was not."""
    on_some_hosts = _slow_hosts(health)
    reasons = [*_busy_workers(health), *on_some_hosts]
    for name, histogram, limit_us in (
        *([] if on_some_hosts else [(_WAITED, health.read_delay, MAX_READ_DELAY_US)]),
        ("connections were started {} late", health.start_delay, MAX_START_DELAY_US),
        ("timers fired {} late", health.loop_lag, MAX_LOOP_LAG_US),
    ):
        p99_us = _excessive_p99(histogram, limit_us)
        if p99_us is not None:
            reasons.append(_delay_words(name, p99_us, limit_us))
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


def _busy_workers(health: GeneratorHealth) -> Iterator[str]:
    busy = {index: cpu for index, cpu in enumerate(health.cpu_percent) if cpu is not None and cpu > MAX_CPU_PERCENT}
    if busy and health.hosts:  # the workers of a cluster have no order
        names = [
            name for name, host in health.hosts.items() if any((cpu or 0) > MAX_CPU_PERCENT for cpu in host.cpu_percent)
        ]
        most = "" if len(busy) == 1 else "up to "
        yield (
            f"{len(busy):,} of {len(health.cpu_percent):,} workers used {most}{max(busy.values()):.0f} % of a core "
            f"(limit {MAX_CPU_PERCENT:.0f} %){_on(names, health.hosts)}"
        )
        return
    for index, cpu in busy.items():
        yield f"worker {index} used {cpu:.0f} % of its core (limit {MAX_CPU_PERCENT:.0f} %)"


def _slow_hosts(health: GeneratorHealth) -> list[str]:
    """Return a reason if data waited on some hosts only: in the sum of all hosts they may disappear."""
    found = {name: _excessive_p99(host.read_delay, MAX_READ_DELAY_US) for name, host in health.hosts.items()}
    slow = {name: p99_us for name, p99_us in found.items() if p99_us is not None}
    if not slow or len(slow) == len(health.hosts):
        return []
    words = _delay_words(_WAITED, max(slow.values()), MAX_READ_DELAY_US)
    return [f"{words}{_on(list(slow), health.hosts)}"]


def _on(names: Sequence[str], hosts: Mapping[str, HostHealth]) -> str:
    """Return the names of hosts in words, the first few; empty for all hosts."""
    if len(names) == len(hosts):
        return ""
    shown, more = sorted(names)[:MAX_NAMED_HOSTS], len(names) - MAX_NAMED_HOSTS
    return f" on {', '.join(shown)}" + (f" and {more:,} more hosts" if more > 0 else "")


def _delay_words(name: str, p99_us: int, limit_us: int) -> str:
    return f"{name.format(f'{p99_us / 1000:.0f} ms')} at p99 (limit {limit_us // 1000} ms)"


def _excessive_p99(histogram: Distribution, limit_us: int) -> int | None:
    """Return the 99th percentile if it is above the limit."""
    if histogram.max_us <= limit_us:
        return None  # a percentile takes a millisecond, and the live view asks four times per second
    p99_us = _p99(histogram)
    return p99_us if p99_us > limit_us and _third_largest(histogram) > limit_us else None


def _p99(histogram: Distribution) -> int:
    return _at(histogram, 99)


def _third_largest(histogram: Distribution) -> int:
    """Return the third largest value: p99 of the 20 ticks of a short run is the maximum, which may be an outlier."""
    return _at(histogram, 100 * (1 - 2 / histogram.count)) if histogram.count > 2 else 0


def _at(histogram: Distribution, percentile: float) -> int:
    """Return a percentile in the histogram's own unit; 0 without values."""
    return histogram.percentiles_us([percentile])[percentile] or 0
