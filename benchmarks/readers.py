"""What `sse bench` costs per event, and what it reports, beside the reader most people would write: httpx + httpx-sse.

    .venv/bin/python benchmarks/readers.py [STREAMS] [ROUNDS]

Linux only. The bundled server runs on one core and sends 10 events per second to each stream; each reader in turn runs
on the other core for 8 s, in a process of its own, on uvloop. The CPU time is that of the whole reader process after
its streams are open. Medians of the rounds, with the spread; ratios hold from machine to machine, absolutes do not.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

import uvloop

SERVER_CORE, READER_CORE = 0, 1
DURATION_S = 8
SETTLE_S = 3
"""Opening the streams is over by then; what is measured comes after it."""


@dataclass(frozen=True)
class Figures:
    cpu_us_per_event: float
    delivery_p50_ms: float
    delivery_p99_ms: float
    rss_mib: float


async def read_with_httpx(url: str, streams: int) -> Figures:
    import httpx
    from httpx_sse import aconnect_sse

    delivered_ms: list[float] = []
    measuring = False

    async def read_one(client: httpx.AsyncClient) -> None:
        async with aconnect_sse(client, "GET", url) as source:
            async for event in source.aiter_sse():
                if measuring:  # a comprehension would hold its list back until a stream ends, and none does
                    delivered_ms.append((time.time_ns() - json.loads(event.data)["ts"]) / 1e6)  # noqa: PERF401

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=None, limits=limits, trust_env=False) as client:
        tasks = [asyncio.create_task(read_one(client)) for _ in range(streams)]
        await asyncio.sleep(SETTLE_S)
        measuring, cpu_s = True, time.process_time()
        await asyncio.sleep(DURATION_S - SETTLE_S)
        cpu_s = time.process_time() - cpu_s
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return figures(cpu_s, delivered_ms)


async def read_with_sse_bench(url: str, streams: int) -> Figures:
    from sseclient_cli.client.preflight import preflight
    from sseclient_cli.load.metrics import Latency
    from sseclient_cli.load.plan import Plan
    from sseclient_cli.load.snapshot import Snapshot
    from sseclient_cli.load.worker import Job, Worker
    from sseclient_cli.target import Target

    found = (await preflight(Target.parse(url))).hops[-1]
    plan = Plan(connections=streams, duration_s=DURATION_S, ramp_up_s=1)
    settled: list[tuple[float, int]] = []

    def on_snapshot(snapshot: Snapshot) -> None:
        if snapshot.elapsed_s >= SETTLE_S and not settled:
            settled.append((time.process_time(), snapshot.events))

    totals = await Worker(Job(target=found.target, address=found.address, plan=plan), on_snapshot).run()
    cpu_s, events = time.process_time() - settled[0][0], totals.events - settled[0][1]
    percentiles = totals.latencies[Latency.DELIVERY].percentiles_us([50, 99])
    return Figures(cpu_s / events * 1e6, (percentiles[50] or 0) / 1e3, (percentiles[99] or 0) / 1e3, rss_mib())


def figures(cpu_s: float, delivered_ms: list[float]) -> Figures:
    delivered_ms.sort()
    p50, p99 = (delivered_ms[int(len(delivered_ms) * share)] for share in (0.5, 0.99))
    return Figures(cpu_s / len(delivered_ms) * 1e6, p50, p99, rss_mib())


def rss_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


READERS = {"httpx + httpx-sse": read_with_httpx, "sse bench": read_with_sse_bench}


def run_reader(name: str, url: str, streams: int) -> Figures:
    """Run one reader in a process of its own."""
    command = [sys.executable, __file__, "--reader", name, url, str(streams)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Figures(**json.loads(done.stdout))


def reader_process(name: str, url: str, streams: int) -> None:
    os.sched_setaffinity(0, {READER_CORE})
    found = uvloop.run(READERS[name](url, streams))  # the same loop for both
    print(json.dumps(found.__dict__))


def main(streams: int, rounds: int) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "demo_server", "--port", "0", "--exit-on-stdin-eof"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
    )
    assert server.stdin is not None
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1] + "/load?rate=10"
    print(f"{streams} streams x 10 events/s, {rounds} rounds, median (spread of CPU)")
    print("| reader | CPU per event | delivery p50 | delivery p99 | memory |")
    print("|---|---|---|---|---|")
    medians = {}
    found: dict[str, list[Figures]] = {name: [] for name in READERS}
    for _ in range(rounds):
        for name in READERS:
            found[name].append(run_reader(name, url, streams))
    for name, rows in found.items():
        cpu = [row.cpu_us_per_event for row in rows]
        medians[name] = statistics.median(cpu)
        spread = (max(cpu) - min(cpu)) / medians[name]
        p50, p99, rss = (
            statistics.median(getattr(row, figure) for row in rows)
            for figure in ("delivery_p50_ms", "delivery_p99_ms", "rss_mib")
        )
        print(f"| {name} | {medians[name]:.0f} us ({spread:.0%}) | {p50:.3f} ms | {p99:.3f} ms | {rss:.0f} MiB |")
    print(
        f"\nsse bench costs 1/{medians['httpx + httpx-sse'] / medians['sse bench']:.1f} of httpx + httpx-sse per event"
    )
    server.stdin.close()
    server.wait(10)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--reader"]:
        reader_process(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        sizes = [int(argument) for argument in sys.argv[1:]]
        main(*(sizes + [500, 3][len(sizes) :]))
