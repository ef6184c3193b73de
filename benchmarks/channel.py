"""Measures the delivery latency of one channel for thousands of subscribers of the demo server.

python -m benchmarks.channel [--subscribers 5000] [--rate 2] [--seconds 20] [--rounds 3]

The server has a core for itself. `sse bench` subscribes, audits and measures on the other one. An event carries the
time before its POST, so its delivery latency includes the request, the fan-out and the subscribers served before.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.demo_process import DemoProcess
from benchmarks.facts import facts
from benchmarks.processes import core_busy_s, cores, cpu_s, pinned_to, raise_open_files, rss_bytes

CHANNEL = "/channels/bench"
STARTS_PER_S = 400  # a stream takes the server about a millisecond to open
PATIENCE_S = 60.0
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The number of subscribers, and the events that they receive."""

    subscribers: int
    rate: float
    seconds: float


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.channel", description=__doc__.partition("\n")[0])
    parser.add_argument("--subscribers", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=2.0, help="events published per second (2)")
    parser.add_argument("--seconds", type=float, default=20.0, help="for how long to publish, each round (20)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    usable = cores()
    if len(usable) < 2:
        raise SystemExit("benchmarks.channel: two cores are needed, one for the server and one for its subscribers")
    raise_open_files()
    os.sched_setaffinity(0, {usable[1]})
    known = facts(("sseclient-cli", "fastapi", "uvicorn"))
    plan = Plan(options.subscribers, options.rate, options.seconds)
    rounds = [measure(plan, usable[0], usable[1]) for _ in range(options.rounds)]
    print(markdown(plan, rounds, known))


def measure(plan: Plan, server_core: int, reader_core: int) -> dict[str, float]:
    """Return the figures of one round."""
    opening_s = plan.subscribers / STARTS_PER_S
    with DemoProcess(server_core) as server, tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        empty_bytes = rss_bytes(server.pid)
        command = (
            *(sys.executable, "-m", "sseclient_cli", "bench", f"http://127.0.0.1:{server.port}{CHANNEL}"),
            *("-n", str(plan.subscribers), "--ramp-up", f"{opening_s}s", "-z", f"{opening_s + PATIENCE_S}s"),
            *("--workers", "1", "--timestamp", "ts", "--sequence", "seq", "--json", str(report)),
        )
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=pinned_to(reader_core)) as bench:
            wait_until_open(server, plan.subscribers)
            time.sleep(SETTLE_S)
            open_bytes = rss_bytes(server.pid)
            used_s, busy_s, posts_s = publish(server, plan, server_core)
            sent = server.stats().events_sent
            bench.terminate()  # the report then covers the run until now
        document = json.loads(report.read_text())
    delivery, audit = document["latency"]["delivery"], document["audit"]
    return {
        "delivery_p50_ms": delivery["p50_ms"],
        "delivery_p99_ms": delivery["p99_ms"],
        "delivery_max_ms": delivery["max_ms"],
        "post_p50_ms": 1000 * sorted(posts_s)[len(posts_s) // 2],
        "cpu_us_per_event": 1e6 * used_s / sent,
        "others_percent": 100 * max(busy_s - used_s, 0) / plan.seconds,
        "memory_kib": (open_bytes - empty_bytes) / 1024 / plan.subscribers,
        "missing": sent - document["events"]["received"] + audit["lost"] + audit["duplicated"] + audit["out_of_order"],
    }


def wait_until_open(server: DemoProcess, subscribers: int) -> None:
    """Wait for all subscribers. Raises RuntimeError if they do not come."""
    ends_s = time.monotonic() + subscribers / STARTS_PER_S + PATIENCE_S / 2
    while server.stats().streams_open < subscribers:
        if time.monotonic() > ends_s:
            raise RuntimeError(f"not all of {subscribers:,} subscribers came")
        time.sleep(0.2)


def publish(server: DemoProcess, plan: Plan, core: int) -> tuple[float, float, list[float]]:
    """Publish as planned; return the CPU that the server and its core used, and how long each POST took."""
    posts_s = []
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)) as connection:
        used_s, busy_s = cpu_s(server.pid), core_busy_s(core)
        due_s = time.monotonic()
        for seq in range(round(plan.rate * plan.seconds)):
            start_s = time.monotonic()
            connection.request("POST", CHANNEL, json.dumps({"seq": seq, "ts": time.time_ns()}))
            connection.getresponse().read()
            posts_s.append(time.monotonic() - start_s)
            due_s += 1 / plan.rate
            time.sleep(max(due_s - time.monotonic(), 0))
        return cpu_s(server.pid) - used_s, core_busy_s(core) - busy_s, posts_s


TITLES = {
    "delivery_p50_ms": "delivery p50, ms",
    "delivery_p99_ms": "delivery p99, ms",
    "delivery_max_ms": "delivery max, ms",
    "post_p50_ms": "a POST, from its start to its answer, p50, ms",
    "cpu_us_per_event": "server's CPU per event and subscriber, us",
    "memory_kib": "memory per subscriber, KiB",
    "others_percent": "what others used of the server's core, %",
    "missing": "events lost, duplicated or out of order",
}


def markdown(plan: Plan, rounds: Sequence[dict[str, float]], known: dict[str, str]) -> str:
    """Return the report."""
    lines = [
        f"# One channel, {plan.subscribers:,} subscribers, {plan.rate:g} events/s, one core",
        "",
        "| | median | rounds |",
        "|---|---|---|",
    ]
    for name, title in TITLES.items():
        values = [figures[name] for figures in rounds]
        lines.append(f"| {title} | {median(values):.4g} | {', '.join(f'{value:.4g}' for value in values)} |")
    return "\n".join([*lines, "", *(f"- {name}: {value}" for name, value in known.items())])


if __name__ == "__main__":
    main()
