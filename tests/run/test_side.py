"""Two targets in one run: shared figures, and figures of one side."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from multiprocessing import active_children
from urllib.parse import urlsplit

import pytest
from demo_server_processes import demo_server_process

from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.coordinator import run
from sseclient_cli.run.executors.local import LocalExecutor
from sseclient_cli.run.executors.processes import ProcessesExecutor
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture(name="server")
def own_server() -> Iterator[str]:
    with demo_server_process() as url:
        yield url


def _shard(server: str, connections: int, duration_s: float, ramp_up_s: float = 0) -> Shard:
    address = Address(socket.AF_INET, ("127.0.0.1", urlsplit(server).port))
    chain = (ResolvedTarget(Target(url=f"{server}/load"), address),)
    plan = Plan(connections=connections, duration_s=duration_s, ramp_up_s=ramp_up_s)
    return Shard(chain=chain, against=chain, plan=plan)


def test_starts_of_the_sides_alternate(server: str) -> None:
    worker = Worker(_shard(server, connections=4, duration_s=0.6, ramp_up_s=0.4))
    intended_ns: list[list[int]] = [[], []]
    for side, times_ns in zip(worker._sides, intended_ns, strict=True):
        started = lambda slot, at_ns, *, is_planned, times_ns=times_ns: times_ns.append(at_ns)  # noqa: E731
        side.pool._start = started  # type: ignore[method-assign]
    worker.run()
    in_turn = [at_ns for pair in zip(*intended_ns, strict=True) for at_ns in pair]
    assert len(in_turn) == 8
    assert {after - before for before, after in pairwise(in_turn)} == {50_000_000}


def test_progress_counts_the_streams_of_both_sides_in_one_worker(server: str) -> None:
    received: list[Progress] = []
    totals = run(_shard(server, connections=3, duration_s=1.2), LocalExecutor(), received.append)
    assert (totals.opened, totals.against[1].opened) == (3, 3)
    assert {progress.planned for progress in received} == {6}
    assert {len(progress.workers) for progress in received} == {1}
    last = received[-1]
    assert (last.opened, last.open_now, last.workers[0].open_now) == (6, 6, 6)


def test_lost_worker_counts_for_each_side(server: str) -> None:
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        if progress.opened == 8 and not killed:
            killed.append(active_children()[0].pid or 0)
            os.kill(killed[0], signal.SIGKILL)

    totals = run(_shard(server, connections=4, duration_s=3), ProcessesExecutor(2), kill_one)
    for side in (totals, totals.against[1]):
        assert (side.planned, side.workers_lost, side.lost, side.opened) == (4, 1, 2, 2)
        assert side.errors["worker-lost"].count == 1


def test_side_that_ends_early_has_its_own_duration(server: str) -> None:
    shard = _shard(server, connections=2, duration_s=60)
    assert shard.against is not None
    slow = replace(shard.against[0], target=Target(url=f"{server}/load?rate=2"))
    totals = run(replace(shard, plan=replace(shard.plan, events=8), against=(slow,)), LocalExecutor())
    fast, slow_one = totals, totals.against[1]
    assert (fast.completed, slow_one.completed) == (2, 2)
    # 8 events at 10/s (7 gaps of 0.1 s), and at 2/s (7 gaps of 0.5 s).
    assert fast.duration_ns + 1_000_000_000 < slow_one.duration_ns
    assert slow_one.duration_ns >= 3_500_000_000
    assert len(fast.timeline) < len(slow_one.timeline)


def test_interrupt_is_in_the_totals_of_each_side(server: str) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.opened == 6:
            signal.raise_signal(signal.SIGINT)

    totals = run(_shard(server, connections=3, duration_s=300), LocalExecutor(), interrupt)
    assert [side.interrupted for side in (totals, totals.against[1])] == [True, True]
    assert [side.open_now for side in (totals, totals.against[1])] == [3, 3]
