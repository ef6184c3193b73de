"""The coordinator with real workers. ``tests/cli/test_bench_workers.py`` tests workers through the CLI."""

import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import active_children
from typing import Any, Self, cast
from urllib.parse import urlsplit

import pytest
from demo_server_processes import demo_server_process
from real_processes import streams_open, until

from sseclient_cli.errors import LimitError
from sseclient_cli.measure.host_totals import NO_HOSTS
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run import coordinator
from sseclient_cli.run.coordinator import run
from sseclient_cli.run.executors import START_DELAY_NS, Post
from sseclient_cli.run.executors.local import LocalExecutor
from sseclient_cli.run.executors.processes import ProcessesExecutor
from sseclient_cli.run.lost_shard import lost_shard
from sseclient_cli.run.messages import Ready, Start
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker
from sseclient_cli.run.worker_life import work

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture(name="server")
def own_server() -> Iterator[str]:
    with demo_server_process() as url:
        yield url


def shard(server: str, connections: int, duration_s: float) -> Shard:
    resolved = ResolvedTarget(
        Target(url=f"{server}/load"), Address(socket.AF_INET, ("127.0.0.1", urlsplit(server).port))
    )
    return Shard(chain=(resolved,), plan=Plan(connections=connections, duration_s=duration_s, ramp_up_s=0))


def errors(of: Any) -> dict[str, tuple[int, str]]:
    return {kind: (error.count, error.example) for kind, error in of.errors.items()}


def test_merged_progress_of_all_workers_is_reported_four_times_per_second(server: str) -> None:
    received: list[Progress] = []
    totals = run(shard(server, connections=31, duration_s=2), ProcessesExecutor(3), received.append)
    assert (totals.planned, totals.opened, totals.open_now, len(totals.cpu_percent)) == (31, 31, 31, 3)
    assert {progress.planned for progress in received} == {31}
    assert (received[-1].opened, received[-1].open_now) == (31, 31)
    assert [s.events for s in received] == sorted(s.events for s in received)
    under_way = [progress for progress in received if progress.elapsed_s > 0]
    assert 4 <= len(under_way) <= 12
    assert any(progress.recent.latencies.get(Latency.GAP) for progress in under_way)
    assert {len(progress.workers) for progress in under_way} == {3}
    assert active_children() == []


def test_number_of_workers_does_not_exceed_number_of_streams(server: str) -> None:
    totals = run(shard(server, connections=2, duration_s=0.5), ProcessesExecutor(8))
    assert (totals.planned, totals.opened, len(totals.cpu_percent)) == (2, 2, 2)


def test_workers_begin_together(server: str) -> None:
    totals = run(shard(server, connections=20, duration_s=1), ProcessesExecutor(2))
    # A worker that begins later would open its streams late and extend the run.
    assert totals.duration_ns < 2_000_000_000
    assert totals.timeline[0].events > 20 * 5


def test_unresponsive_worker_is_lost_and_other_workers_are_kept(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sseclient_cli.run.coordinator.END_TIMEOUT_S", 1)
    stopped: list[int] = []

    def stop_one(progress: Progress) -> None:
        if progress.opened == 10 and not stopped:
            stopped.append(active_children()[0].pid or 0)
            os.kill(stopped[0], signal.SIGSTOP)

    totals = run(shard(server, connections=10, duration_s=1.5), ProcessesExecutor(2), stop_one)
    assert (totals.workers_lost, totals.lost, totals.opened, totals.interrupted) == (1, 5, 5, False)
    count, example = errors(totals)["worker-lost"]
    assert count == 1
    assert "stopped responding and was abandoned" in example
    # The wait for the lost worker is not part of the run.
    assert totals.duration_ns < 2_500_000_000
    assert active_children() == []


def test_worker_that_is_never_ready_does_not_stop_the_others_from_starting(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sseclient_cli.run.coordinator.START_TIMEOUT_S", 5)
    stopped: list[int] = []

    def stop_first_worker() -> None:
        until(lambda: bool(active_children()))
        stopped.append(active_children()[0].pid or 0)
        os.kill(stopped[0], signal.SIGSTOP)

    stopper = threading.Thread(target=stop_first_worker)
    stopper.start()
    totals = run(shard(server, connections=10, duration_s=1), ProcessesExecutor(2))
    stopper.join()
    assert (totals.workers_lost, totals.opened) == (1, 5)
    assert "stopped responding and was abandoned before the run began" in errors(totals)["worker-lost"][1]


def test_exception_in_a_worker_is_reported_as_internal_and_not_on_stderr(
    server: str, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = shard(server, connections=4, duration_s=1)
    broken = Shard(chain=(cast(Any, None),), plan=broken.plan)
    totals = run(broken, ProcessesExecutor(2))
    assert (totals.workers_lost, totals.lost) == (2, 4)
    count, example = errors(totals)["internal"]
    assert count == 2
    assert example.startswith("worker 0 of 2 failed ")
    assert "AttributeError" in example
    assert capfd.readouterr().err == ""


def test_sse_error_in_a_worker_keeps_its_kind(server: str) -> None:
    totals = run(shard(server, connections=10**10, duration_s=1), ProcessesExecutor(2))
    count, example = errors(totals)["limit"]
    assert (count, totals.workers_lost) == (2, 2)
    assert "failed before the run began: 5,000,000,000 connections exceed the limit of" in example


@pytest.mark.parametrize("executor", [LocalExecutor(), ProcessesExecutor(2)], ids=["thread", "processes"])
def test_broken_live_view_is_reported_and_does_not_end_the_run(
    server: str, executor: LocalExecutor | ProcessesExecutor
) -> None:
    def broken(progress: Progress) -> None:
        if progress.opened:
            raise BrokenPipeError("such a bug")

    totals = run(shard(server, connections=4, duration_s=1), executor, broken)
    assert (totals.opened, totals.open_now, totals.workers_lost) == (4, 4, 0)
    assert errors(totals) == {"internal": (1, "BrokenPipeError: such a bug")}
    assert active_children() == []
    until(lambda: streams_open(server) == 0)


class Recorded:
    """An executor that notes what its workers are told, and when."""

    workers = 2
    start_delay_ns = START_DELAY_NS
    clock_offset_ns = 7
    hosts = NO_HOSTS

    def __init__(self) -> None:
        self.told: list[tuple[int, object]] = []
        self.posts: list[Callable[[object], None]] = []

    @contextmanager
    def started(self, shards: Sequence[Shard], post: Post, *, with_progress: bool) -> Iterator[list[Self]]:
        self.posts = [partial(post, index) for index in range(len(shards))]
        for each in self.posts:
            each(Ready())
        yield [self] * len(shards)

    def tell(self, command: object) -> None:
        self.told.append((time.monotonic_ns(), command))
        self.posts[len(self.told) - 1](Totals(cpu_percent=[1.0]))

    def kill(self) -> None:
        raise AssertionError

    def death(self) -> str:
        raise AssertionError


@pytest.mark.parametrize("connections", [1, 2])
def test_workers_get_one_start_in_the_future_by_their_own_clocks(connections: int) -> None:
    executor = Recorded()
    run(shard("http://127.0.0.1:1", connections=connections, duration_s=1), executor)
    starts = {cast(Start, command).at_ns for _, command in executor.told}
    assert len(executor.told) == connections
    assert len(starts) == 1
    # Half of the delay, which is there for the command to arrive.
    assert min(starts) - executor.clock_offset_ns > executor.told[0][0] + START_DELAY_NS // 2


def test_worker_is_prepared_before_it_is_ready(server: str) -> None:
    frozen_objects = []

    def send(message: object) -> None:
        if isinstance(message, Ready):
            frozen_objects.append(gc.get_freeze_count())

    orphaned: list[bool] = []
    work(shard(server, connections=1, duration_s=1), lambda: None, send, None, lambda: orphaned.append(True))
    assert frozen_objects[0] > 0
    assert orphaned == [True]


def test_open_files_are_required_for_concurrent_streams_only(server: str) -> None:
    whole = shard(server, connections=4, duration_s=1)
    churning = replace(whole, plan=replace(whole.plan, duration_s=3000, lifetime_s=0.05))
    assert churning.plan.planned > 200_000

    def stop(progress: Progress) -> None:
        if progress.opened > 8:
            signal.raise_signal(signal.SIGINT)

    totals = run(churning, ProcessesExecutor(2), stop)
    assert (totals.interrupted, totals.workers_lost) == (True, 0)
    assert totals.opened > 8


def test_single_worker_runs_in_this_process_and_a_signal_ends_it(server: str) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.opened == 3:
            signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    totals = run(shard(server, connections=3, duration_s=300), LocalExecutor(), interrupt)
    assert (totals.interrupted, totals.opened, totals.workers_lost) == (True, 3, 0)
    assert totals.duration_ns < 200_000_000_000
    assert active_children() == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_start_error_of_a_single_worker_is_raised(server: str) -> None:
    with pytest.raises(LimitError, match="10,000,000,000 connections exceed the limit of"):
        run(shard(server, connections=10**10, duration_s=1), LocalExecutor())


def test_single_worker_that_hangs_is_lost(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sseclient_cli.run.coordinator.END_TIMEOUT_S", 1)
    release, finish = threading.Event(), Worker._finish

    def finish_late(worker: Worker) -> Totals:
        release.wait(60)
        return finish(worker)

    monkeypatch.setattr(Worker, "_finish", finish_late)
    totals = run(shard(server, connections=3, duration_s=0.5), LocalExecutor())
    release.set()
    until(lambda: streams_open(server) == 0)
    assert (totals.workers_lost, totals.lost) == (1, 3)
    assert "worker 0 of 1 stopped responding" in errors(totals)["worker-lost"][1]


def test_error_in_the_coordinator_ends_a_worker_in_this_process(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = coordinator._Coordinator._turn

    def broken_turn(running: coordinator._Coordinator) -> None:
        turn(running)
        if streams_open(server):
            raise RuntimeError

    monkeypatch.setattr(coordinator._Coordinator, "_turn", broken_turn)
    with pytest.raises(RuntimeError):
        run(shard(server, connections=3, duration_s=300), LocalExecutor())
    until(lambda: streams_open(server) == 0)


def test_lost_worker_is_reported_in_the_timeline_row_of_the_loss() -> None:
    whole = shard("http://h:1", connections=10, duration_s=5.5)
    for elapsed_s, row in ((0.0, 0), (2.7, 2), (5.4, 5), (11.0, 5)):
        assert lost_shard(whole, "worker-lost", "", elapsed_s).timeline[row].errors == 1


def test_signal_handlers_are_restored_after_the_run(server: str) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run(shard(server, connections=2, duration_s=0.2), ProcessesExecutor(2))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGINT, signal.SIGTERM}
