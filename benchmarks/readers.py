"""The readers: the command of each, its largest number of streams, and its report.

A reader is a process that opens N streams, reads them for some seconds, and ends. Its cost is measured from outside;
only its event count and the latencies that it claims are taken from its own report.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.building import BUILD
from benchmarks.packages import AIPERF, ARTILLERY, LOCUST
from benchmarks.workloads import Peers, Workload

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Order:
    """The task of a reader."""

    port: int
    path: str
    streams: int
    duration_s: float
    ramp_up_s: float
    report: Path
    """Where a reader that writes its report to a file is to put it."""
    workers: int = 1
    field: str = "id"
    """The field that each event has once."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Report:
    """A reader's own report."""

    opened: int
    events: int
    duration_s: float
    delivery_p50_ms: float | None = None
    delivery_p99_ms: float | None = None
    saturated: bool | None = None
    """Whether it says that it was not fast enough; None for readers that never say."""
    lost: int | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """One way to read streams."""

    name: str
    command: Callable[[Order], list[str]]
    report: Callable[[Order, str], Report]
    """Makes a report from the order and the reader's standard output."""
    missing: Callable[[], str | None] = lambda: None
    """Why it cannot run here, if so."""
    most_streams: int | None = None
    variables: Callable[[Order], dict[str, str]] = lambda _order: {}
    """Environment variables."""


def _limit_command(order: Order) -> list[str]:
    sizes = (str(order.streams), str(order.duration_s), str(order.ramp_up_s))
    return [str(BUILD / "reader"), "127.0.0.1", str(order.port), order.path, *sizes, order.field]


def _limit_report(_order: Order, output: str) -> Report:
    said = json.loads(output)
    return Report(opened=said["opened"], events=said["events"], duration_s=said["duration_s"])


def sse_bench_command(order: Order) -> list[str]:
    """Return the command line that a user would type."""
    command = [sys.executable, "-m", "sseclient_cli", "bench", order.url, "-n", str(order.streams)]
    command += ["-z", f"{order.duration_s}s", "--ramp-up", f"{order.ramp_up_s}s", "--json", str(order.report)]
    return command + (["--workers", str(order.workers)] if has_workers() else [])


@cache
def has_workers() -> bool:
    """Return whether this `sse bench` knows --workers."""
    asked = [sys.executable, "-m", "sseclient_cli", "bench", "--help"]
    return "--workers" in subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True).stdout


def sse_bench_report(order: Order, _output: str) -> Report:
    """Read the document of the run."""
    document: dict[str, Any] = json.loads(order.report.read_text())
    delivery = document["latency"]["delivery"] or {}
    return Report(
        opened=document["streams"]["opened"],
        events=document["events"]["received"],
        duration_s=document["run"]["duration_s"],
        delivery_p50_ms=delivery.get("p50_ms"),
        delivery_p99_ms=delivery.get("p99_ms"),
        saturated=document["generator"]["saturated"],
        lost=document["audit"]["lost"] + document["audit"]["duplicated"] if document["audit"] else None,
    )


def _script(name: str, *arguments: str, of: Callable[[], str] = lambda: sys.executable) -> Callable[[Order], list[str]]:
    def command(order: Order) -> list[str]:
        sizes = (str(order.streams), str(order.duration_s), str(order.ramp_up_s))
        return [of(), str(HERE / name), *arguments, order.url, *sizes]

    return command


def _own_report(_order: Order, output: str) -> Report:
    return Report(**json.loads(output.splitlines()[-1]))


def _aiohttp_missing() -> str | None:
    return None if importlib.util.find_spec("aiohttp") else "aiohttp is not installed"


def _aiperf_python() -> str:
    return os.environ.get("AIPERF_PYTHON", str(AIPERF.python))


def _aiperf_missing() -> str | None:
    return None if "AIPERF_PYTHON" in os.environ else AIPERF.missing()


def _locust_command(order: Order) -> list[str]:
    rate = order.streams / order.ramp_up_s if order.ramp_up_s else order.streams
    command = [
        str(LOCUST.python),
        "-m",
        "locust",
        "--locustfile",
        str(HERE / "locust_reader.py"),
        "--headless",
        "--only-summary",
    ]
    command += ["--users", str(order.streams), "--spawn-rate", str(rate)]
    return [*command, "--run-time", f"{order.duration_s:.0f}s", "--host", f"http://127.0.0.1:{order.port}"]


def _artillery_command(order: Order) -> list[str]:
    script = {
        "config": {
            "target": f"http://127.0.0.1:{order.port}",
            "phases": [{"duration": max(round(order.ramp_up_s), 1), "arrivalCount": order.streams}],
            "http": {"timeout": order.duration_s},
        },
        "scenarios": [{"flow": [{"get": {"url": order.path}}]}],
    }
    path = order.report.with_name("artillery.json")
    path.write_text(json.dumps(script))
    return [str(ARTILLERY.executable), "run", str(path)]


def _artillery_report(_order: Order, output: str) -> Report:
    """Return no events: its summary has requests, responses and codes, and its HTTP engine no word for an event."""
    opened = re.findall(r"^http\.codes\.200:[ .]*(\d+)$", output, re.MULTILINE)
    return Report(opened=sum(map(int, opened)), events=0, duration_s=0)


def k6_program() -> str | None:
    """Return the k6 to run, if there is one."""
    return os.environ.get("K6") or shutil.which("k6")


@cache
def _k6_missing() -> str | None:
    program = k6_program()
    if program is None:
        return "no k6 found (K6, PATH)"
    asked = subprocess.run(
        [program, "version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return None if "xk6-sse" in asked.stdout else "this k6 is built without xk6-sse"


def _k6_command(order: Order) -> list[str]:
    variables = (f"URL={order.url}", f"STREAMS={order.streams}", f"DURATION_S={order.duration_s}")
    settings = [word for variable in variables for word in ("-e", variable)]
    return [k6_program() or "k6", "run", "--quiet", "--no-usage-report", *settings, str(HERE / "k6.js")]


LIMIT = "limit"
SSE_BENCH = "sse bench"
AIOHTTP = "aiohttp"
AIOHTTP_UVLOOP = "aiohttp + uvloop"
READERS = (
    Reader(LIMIT, _limit_command, _limit_report),
    Reader(SSE_BENCH, sse_bench_command, sse_bench_report),
    Reader(AIOHTTP, _script("aiohttp_reader.py"), _own_report, _aiohttp_missing),
    Reader(AIOHTTP_UVLOOP, _script("python_readers.py", "aiohttp"), _own_report, _aiohttp_missing),
    Reader("aiperf's reader", _script("python_readers.py", "aiperf", of=_aiperf_python), _own_report, _aiperf_missing),
    # Its pool looks through all connections for each new one: 4,000 would take a minute to open.
    Reader("httpx + httpx-sse", _script("python_readers.py", "httpx"), _own_report, most_streams=1000),
    Reader(
        "Locust",
        _locust_command,
        _own_report,
        LOCUST.missing,
        variables=lambda order: {"STREAM_PATH": order.path},
    ),
    # Each reader has one core. Without GOMAXPROCS, Go starts more threads, which compete for it.
    Reader("k6 + xk6-sse", _k6_command, _own_report, _k6_missing, variables=lambda _order: {"GOMAXPROCS": "1"}),
    Reader("Artillery", _artillery_command, _artillery_report, ARTILLERY.missing),
)

NOT_INSTALLABLE = {"mlcommons/endpoints": "not on PyPI; it is installed from its Git repository only"}
"""Other readers of event streams, and why they are not in the list."""

_OF_WORKLOAD = {
    Peers.ALL: [reader.name for reader in READERS],
    Peers.AIOHTTP: [LIMIT, SSE_BENCH, AIOHTTP, AIOHTTP_UVLOOP],
    Peers.NONE: [LIMIT, SSE_BENCH],
}


def takes(workload: Workload, reader: Reader) -> bool:
    """Return whether a workload is for this reader."""
    return reader.name in _OF_WORKLOAD[workload.peers]
