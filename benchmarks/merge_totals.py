"""The totals of many workers: those of a few real ones, and copies of them with other values."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, fields
from hashlib import blake2b
from queue import SimpleQueue
from random import Random

from benchmarks.demo_process import DemoProcess
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.rounding import rounded
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.addresses import resolved
from sseclient_cli.request.target import Target
from sseclient_cli.run.executors.processes import ProcessesExecutor
from sseclient_cli.run.messages import Ready, Start
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.spec import RunSpec, Shard

PATH = "/load?rate=10"
"""Each stream has its own events, so that the reach, which samples events, gets the most entries."""

MAX_SHIFT = 600
"""Numbers by which an audit is shifted: the streams of a worker joined a channel within a minute of 10 events/s."""

WORKERS_PER_HOST = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """A run, and what each of its workers sent."""

    spec: RunSpec
    shard: Shard
    totals: list[Totals]
    progress: list[Progress]


def measured(workers: int, streams: int, duration_s: float) -> Measured:
    """Run this number of workers with ``streams`` streams each on a new demo server."""
    with DemoProcess(None) as demo:
        target = Target.parse(f"http://127.0.0.1:{demo.port}{PATH}")
        plan = Plan(connections=workers * streams, duration_s=duration_s, ramp_up_s=duration_s / 10)
        spec = RunSpec(target=target, plan=plan, workers=workers)
        shard = spec.shard((resolved(target, timeout_s=5),))
        shards = [shard.part(index, workers) for index in range(workers)]
        inbox: SimpleQueue[tuple[int, object]] = SimpleQueue()
        sent: list[list[object]] = [[] for _ in shards]
        executor = ProcessesExecutor(workers)
        with executor.started(shards, lambda *message: inbox.put(message), with_progress=True) as handles:
            _collect(inbox, sent, Ready)
            for handle in handles:
                handle.tell(Start(time.monotonic_ns() + executor.start_delay_ns))
            _collect(inbox, sent, Totals)
    totals = [each for messages in sent for each in messages if isinstance(each, Totals)]
    progress = [each for messages in sent for each in messages if isinstance(each, Progress)]
    return Measured(spec, shard, totals, progress[-len(shards) :])


def _collect(inbox: SimpleQueue[tuple[int, object]], sent: list[list[object]], last: type) -> None:
    """Keep messages until each worker has sent one of the type ``last``."""
    while not all(any(isinstance(each, last) for each in messages) for messages in sent):
        index, message = inbox.get()
        if message is None or isinstance(message, Exception):
            raise RuntimeError(f"worker {index} ended: {message!r}")
        sent[index].append(message)


def varied(totals: Totals, seed: int) -> Totals:
    """Return totals of another worker: durations of another scale, events of its own, shifted numbers."""
    random = Random(seed)
    scale, shift = random.uniform(0.7, 1.4), random.randrange(MAX_SHIFT)
    made = deepcopy(totals)
    made.latencies = {latency: _scaled(histogram, scale) for latency, histogram in made.latencies.items()}
    for each in fields(Totals):
        value = getattr(made, each.name)
        if isinstance(value, Histogram):
            setattr(made, each.name, _scaled(value, scale))
    for interval in made.timeline.values():
        interval.delivery = rounded(_times(interval.delivery.items(), scale))
        interval.gap = rounded(_times(interval.gap.items(), scale))
    for audit in made.audits.values():
        audit.spanned = Counter({number + shift: change for number, change in audit.spanned.items()})
        audit.received = Counter({number + shift: change for number, change in audit.received.items()})
    made.hosts = {f"generator-{seed // WORKERS_PER_HOST}": HostTotals.of(made)}
    salt = seed.to_bytes(8)
    made.reach.arrivals = {
        blake2b(digest, digest_size=8, salt=salt).digest(): arrivals for digest, arrivals in made.reach.arrivals.items()
    }
    return made


def _scaled(histogram: Histogram, scale: float) -> Histogram:
    made = Histogram()
    made.record(_times(histogram.counts_us().items(), scale))
    return made


def _times(counts: Iterable[tuple[int, int]], scale: float) -> Counter[int]:
    found: Counter[int] = Counter()
    for value, count in counts:
        found[round(value * scale)] += count
    return found
