"""Runs on several agents in one process. ``tests/cluster`` has the same on a real cluster."""

import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from agent_network import AgentNetwork
from anyio.from_thread import start_blocking_portal
from demo_server_processes import demo_server_process
from real_processes import streams_open, until

from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.coordinator import run
from sseclient_cli.run.executors.cluster_run import ClusterExecutor, Place
from sseclient_cli.run.hosts.clock_offset import ClockOffset
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.spec import Shard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="load processes of an agent")

NAMES = ["a", "b", "c"]


@pytest.fixture(name="server", scope="module")
def shared_server() -> Iterator[str]:
    with demo_server_process() as url:
        yield url


def shard(server: str, duration_s: float = 1.0) -> Shard:
    resolved = ResolvedTarget(
        Target(url=f"{server}/load"), Address(socket.AF_INET, ("127.0.0.1", urlsplit(server).port))
    )
    return Shard(chain=(resolved,), plan=Plan(connections=6, duration_s=duration_s, ramp_up_s=0))


@contextmanager
def executor_on(network: AgentNetwork, whole: Shard) -> Iterator[ClusterExecutor]:
    places = [
        Place(name, whole, f"host-{name}", HostTotals(address=name), ClockOffset(0, 0, 0)) for name in network.agents
    ]
    with start_blocking_portal() as portal:
        yield ClusterExecutor(portal, network, places, trip_ns=0)


def run_on(network: AgentNetwork, whole: Shard, on_progress: object = None) -> Totals:
    with executor_on(network, whole) as executor:
        return run(whole, executor, on_progress)  # type: ignore[arg-type]


def test_totals_of_all_machines_are_merged_and_shown_by_machine(server: str) -> None:
    network = AgentNetwork(NAMES)
    received: list[Progress] = []
    totals = run_on(network, shard(server), received.append)
    assert (totals.planned, totals.opened, totals.workers_lost, len(totals.cpu_percent)) == (6, 6, 0, 3)
    assert {name: (host.address, host.workers, host.opened) for name, host in totals.hosts.items()} == {
        f"host-{name}": (name, 1, 2) for name in NAMES
    }
    assert sum(host.events for host in totals.hosts.values()) == totals.events > 0
    assert {progress.planned for progress in received} == {6}
    assert received[-1].opened == 6
    until(lambda: streams_open(server) == 0)


def test_each_exchange_and_the_totals_take_one_call_of_the_coordinator(server: str) -> None:
    network = AgentNetwork(NAMES)
    run_on(network, shard(server))
    # The other calls are those between agents: two per turn.
    assert network.calls["exchange"] % len(NAMES) == 0
    assert network.calls["collect"] == len(NAMES)


@pytest.mark.parametrize("lost", NAMES)
def test_machine_that_breaks_its_connections_is_lost_alone(server: str, lost: str) -> None:
    network = AgentNetwork(NAMES)

    def lose(progress: Progress) -> None:
        if progress.opened == 6:
            network.refusing.add(lost)

    totals = run_on(network, shard(server, duration_s=3), lose)
    assert (totals.workers_lost, totals.lost, totals.opened) == (1, 2, 4)
    [error] = totals.errors.values()
    assert f"on host-{lost} was lost: its machine does not answer" in error.example
    assert totals.hosts[f"host-{lost}"].lost == 2
    until(lambda: streams_open(server) == 0)  # an agent that is not asked any more ends its load


def test_silent_machine_is_lost_after_the_time_in_which_it_ends_its_load(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("agent_run.LEASE_S", "exchanges.LOST_S"):
        monkeypatch.setattr(f"sseclient_cli.run.executors.{module}", 3)
    network = AgentNetwork(NAMES)

    def lose(progress: Progress) -> None:
        if progress.opened == 6:
            network.silent.add("a")

    totals = run_on(network, shard(server, duration_s=6), lose)
    assert (totals.workers_lost, totals.opened) == (1, 4)
    until(lambda: streams_open(server) == 0)


def test_load_that_ended_without_a_coordinator_is_in_the_report(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sseclient_cli.run.executors.agent_run.LEASE_S", 2)
    network = AgentNetwork(NAMES)
    stopped: list[threading.Timer] = []

    def stop(progress: Progress) -> None:
        if progress.opened == 6 and not stopped:
            network.silent.update(NAMES)
            stopped.append(threading.Timer(5, network.silent.clear))
            stopped[0].start()

    totals = run_on(network, shard(server, duration_s=60), stop)
    assert (totals.opened, totals.workers_lost, totals.lost) == (6, 3, 0)
    assert totals.events > 0
    assert totals.errors["host-lost"].count == 3
    assert "after 2 s without a call of the coordinator" in totals.errors["host-lost"].example


def test_loss_known_to_the_network_is_named(server: str) -> None:
    network = AgentNetwork(NAMES)

    def lose(progress: Progress) -> None:
        if progress.opened == 6:
            network.losses["b"] = "was lost with its worker"

    totals = run_on(network, shard(server, duration_s=2), lose)
    assert "worker 1 of 3 on host-b was lost with its worker" in totals.errors["host-lost"].example


def test_bug_in_an_exchange_ends_the_run_with_an_internal_error(server: str) -> None:
    network = AgentNetwork(NAMES)

    def fail(progress: Progress) -> None:
        if progress.opened == 6:
            network.failing.add("a")

    totals = run_on(network, shard(server, duration_s=60), fail)
    assert {kind: error.count for kind, error in totals.errors.items()} == {"internal": 3}
    assert "RuntimeError: such a bug" in totals.errors["internal"].example


def test_interrupt_ends_the_load_on_all_machines(server: str) -> None:
    network = AgentNetwork(NAMES)
    interrupted_s: list[float] = []

    def interrupt(progress: Progress) -> None:
        if progress.opened == 6 and not interrupted_s:
            interrupted_s.append(time.monotonic())
            threading.Timer(0, signal.raise_signal, [signal.SIGINT]).start()

    totals = run_on(network, shard(server, duration_s=60), interrupt)
    assert (totals.interrupted, totals.opened, totals.workers_lost) == (True, 6, 0)
    assert totals.duration_ns < 30e9


def test_process_that_dies_is_named_with_its_machine(server: str) -> None:
    network = AgentNetwork(NAMES)
    whole = shard(server, duration_s=2)
    with executor_on(network, whole) as executor:

        def kill(progress: Progress) -> None:
            if progress.opened == 6:
                network.kill("c", 2)

        totals = run(whole, executor, kill)
    assert "worker 2 of 3 on host-c was killed by SIGKILL" in totals.errors["worker-lost"].example


def test_agent_that_was_started_again_has_no_run(server: str) -> None:
    network = AgentNetwork(NAMES)

    def forget(progress: Progress) -> None:
        if progress.opened == 6:
            network.start_again("b")

    totals = run_on(network, shard(server, duration_s=2), forget)
    assert (totals.workers_lost, totals.opened) == (1, 4)


def test_snapshots_of_all_machines_can_end_a_run_early(server: str) -> None:
    seen: list[int] = []

    def early_end(totals: Totals) -> str:
        seen.append(totals.opened)
        return "enough" if totals.opened == 6 else ""

    whole = replace(shard(server, duration_s=60))
    with executor_on(AgentNetwork(NAMES), whole) as executor:
        totals = run(whole, executor, early_end=early_end)
    assert (totals.aborted_by, totals.opened, seen[-1]) == ("enough", 6, 6)
