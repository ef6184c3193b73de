"""The readers that people write in Python, each as good as its library lets it be. Run by the runner, not by hand:

    python benchmarks/python_readers.py NAME URL STREAMS DURATION_S RAMP_UP_S

All run on uvloop, decode the JSON of each event for its timestamp, and take the arrival time when they hold the event,
as a load generator built on that library would do, but without audit and gaps. Each prints its counters as JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from array import array
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import uvloop


@dataclass
class Tally:
    """The counters of all streams."""

    opened: int = 0
    events: int = 0
    delivered_us: array[int] = field(default_factory=lambda: array("q"))

    def count(self, data: str | bytes, arrival_ns: int) -> None:
        self.events += 1
        self.delivered_us.append((arrival_ns - int(json.loads(data)["ts"])) // 1000)


ReadOne = Callable[[str], Awaitable[None]]


async def read_with_httpx(tally: Tally, run: Callable[[ReadOne], Awaitable[None]]) -> None:
    import httpx
    from httpx_sse import aconnect_sse

    async def read_one(url: str) -> None:
        async with aconnect_sse(client, "GET", url) as source:
            tally.opened += 1
            async for event in source.aiter_sse():
                tally.count(event.data, time.time_ns())

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=None, limits=limits, trust_env=False) as client:
        await run(read_one)


def aiohttp_session() -> Any:
    import aiohttp

    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None))


async def read_with_aiohttp(tally: Tally, run: Callable[[ReadOne], Awaitable[None]]) -> None:
    # Read all available bytes and split at blank lines. Line by line, as in most examples, costs twice as much.
    async def read_one(url: str) -> None:
        async with session.get(url) as response:
            tally.opened += 1
            rest = b""
            async for read in response.content.iter_any():
                arrival_ns = time.time_ns()
                rest += read
                if b"\r" in rest:
                    rest = rest.replace(b"\r\n", b"\n")
                *events, rest = rest.split(b"\n\n")
                for event in events:
                    for line in event.split(b"\n"):
                        if line.startswith(b"data: "):
                            tally.count(line[6:], arrival_ns)

    async with aiohttp_session() as session:
        await run(read_one)


async def read_with_aiperf(tally: Tally, run: Callable[[ReadOne], Awaitable[None]]) -> None:
    # aiperf itself holds a stream for one answer of a model, and keeps all its events: this is its reader alone.
    from aiperf.transports.sse_utils import AsyncSSEStreamReader

    wall_less_perf_ns = time.time_ns() - time.perf_counter_ns()

    async def read_one(url: str) -> None:
        async with session.get(url) as response:
            tally.opened += 1
            async for message in AsyncSSEStreamReader(response.content.iter_any()):
                for packet in message.packets:
                    if packet.name == "data":
                        tally.count(packet.value, message.perf_ns + wall_less_perf_ns)

    async with aiohttp_session() as session:
        await run(read_one)


READERS = {"httpx": read_with_httpx, "aiohttp": read_with_aiohttp, "aiperf": read_with_aiperf}


async def main(name: str, url: str, streams: int, duration_s: float, ramp_up_s: float) -> None:
    tally = Tally()
    failures: dict[str, int] = {}

    async def run(read_one: ReadOne) -> None:
        start_s = time.monotonic()
        interrupted = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
        tasks: list[asyncio.Future[None]] = []
        for index in range(streams):
            wait_s = start_s + ramp_up_s * index / streams - time.monotonic()
            if wait_s > 0 or index % 50 == 0:
                await asyncio.sleep(max(wait_s, 0))
            if interrupted.is_set():
                break
            tasks.append(asyncio.ensure_future(read_one(url)))
        with suppress(TimeoutError):
            await asyncio.wait_for(interrupted.wait(), start_s + duration_s - time.monotonic())
        tally_s = time.monotonic() - start_s
        print(json.dumps(report(tally, tally_s)), flush=True)
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                failures[repr(outcome)] = failures.get(repr(outcome), 0) + 1

    await READERS[name](tally, run)
    if failures:
        print(failures, file=sys.stderr)


def report(tally: Tally, duration_s: float) -> dict[str, float | None]:
    delivered_us = sorted(tally.delivered_us)
    p50_ms, p99_ms = (
        delivered_us[int(len(delivered_us) * share)] / 1000 if delivered_us else None for share in (0.5, 0.99)
    )
    return {
        "opened": tally.opened,
        "events": tally.events,
        "duration_s": duration_s,
        "delivery_p50_ms": p50_ms,
        "delivery_p99_ms": p99_ms,
    }


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])))
