"""A load process as on another host: its clocks may be shifted. It answers commands on its stdin, in JSON.

``null`` returns a reading of its clocks. An object runs a worker: ``port``, ``start_ns`` (of its own monotonic clock)
and ``correction_ns``; the answer has the least latencies and the least delay of published events, in ms.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sseclient_cli.engine.clock import Reading, read_clocks
from sseclient_cli.measure.field_choice import Choice, Field
from sseclient_cli.measure.samples import Latency
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.hosts.clock_offset import RoundTrip
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

RUN_ID = "0a1b2c3d"


class HostProcess:
    """Our end of such a process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def trip(self) -> RoundTrip:
        """Return a round trip to its clocks."""
        sent = read_clocks()
        theirs = Reading(*self._answer(None))
        return RoundTrip(sent, theirs, read_clocks())

    def run(self, port: int, start_ns: int, correction_ns: int) -> dict[str, float]:
        """Run a worker in it."""
        answer: dict[str, float] = self._answer({"port": port, "start_ns": start_ns, "correction_ns": correction_ns})
        return answer

    def _answer(self, command: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def host_process(environment: dict[str, str], prefix: Sequence[str] = ()) -> Iterator[HostProcess]:
    """Start a process with this environment, after the words of ``prefix``."""
    command = [*prefix, sys.executable, str(Path(__file__))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        yield HostProcess(process)


def ran(port: int, start_ns: int, correction_ns: int) -> dict[str, float]:
    """Run a worker on one stream, until it has received 10 events."""
    resolved = ResolvedTarget(Target(url=f"http://127.0.0.1:{port}/"), Address(socket.AF_INET, ("127.0.0.1", port)))
    plan = Plan(connections=1, duration_s=30, ramp_up_s=0, timestamp=Field(("ts",)), sequence=Choice.NONE, events=10)
    shard = Shard(chain=(resolved,), plan=plan, publisher_id=RUN_ID, clock_correction_ns=correction_ns)
    worker = Worker(shard)
    with worker.prepared():
        totals = worker.run_from(start_ns)
    assert totals.receipts is not None
    figures = {
        "delivery": totals.latencies[Latency.DELIVERY],
        "gap": totals.latencies[Latency.GAP],
        "delay": totals.receipts.delay,
        "read_delay": totals.read_delay,
    }
    return {name: histogram.min_us / 1000 for name, histogram in figures.items() if histogram.count}


if __name__ == "__main__":
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(read_clocks() if command is None else ran(**command)), flush=True)
