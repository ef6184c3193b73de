"""The machines of a cluster before a run: what they are asked, and their errors."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from agent_network import AgentNetwork
from anyio.from_thread import start_blocking_portal
from demo_server_processes import demo_server_process

from sseclient_cli.errors import BadStatusError, ClusterError, LimitError
from sseclient_cli.request.target import Target
from sseclient_cli.run.coordinator import run
from sseclient_cli.run.executors.cluster import Cluster
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import RunSpec

NAMES = ["a", "b", "c"]


@pytest.fixture(name="server", scope="module")
def shared_server() -> Iterator[str]:
    with demo_server_process() as url:
        yield url


@contextmanager
def cluster_on(network: AgentNetwork) -> Iterator[Cluster]:
    with start_blocking_portal() as portal:
        yield Cluster(portal, network, corrects_clocks=False)


def spec_of(url: str, connections: int = 6) -> RunSpec:
    return RunSpec(target=Target.parse(url), plan=Plan(connections=connections, duration_s=1, ramp_up_s=0))


def test_requests_of_the_preflights_of_all_machines_are_counted(server: str) -> None:
    with cluster_on(AgentNetwork(NAMES)) as cluster:
        spec = cluster.place(spec_of(f"{server}/load"), "auto")
        cluster.require_resources(spec)
        [route] = cluster.find_routes(with_preflight=True)
        assert route.preflight is not None
        assert (spec.workers, route.preflight.requests, len(route.chain)) == (3, 3, 1)
        [route] = cluster.find_routes(with_preflight=False)
        assert route.preflight is None


def test_larger_run_than_the_first_has_routes_on_all_its_machines(server: str) -> None:
    with cluster_on(AgentNetwork(NAMES)) as cluster:
        cluster.require_resources(cluster.place(spec_of(f"{server}/load", 1), "auto"))
        cluster.find_routes(with_preflight=True)
        spec = cluster.place(spec_of(f"{server}/load", 6), "auto")
        cluster.require_resources(spec)
        assert cluster.executor(spec).workers == 3


def test_refusal_of_the_target_is_said_once_for_all_machines(server: str) -> None:
    with cluster_on(AgentNetwork(NAMES)) as cluster:
        cluster.require_resources(cluster.place(spec_of(f"{server}/missing"), "auto"))
        with pytest.raises(BadStatusError, match=r"^on all 3 machines: GET .*404"):
            cluster.find_routes(with_preflight=True)


def test_machine_that_does_not_answer_before_the_run_is_named(server: str) -> None:
    network = AgentNetwork(NAMES)
    with cluster_on(network) as cluster:
        spec = cluster.place(spec_of(f"{server}/load"), "auto")
        network.refusing.add("b")
        with pytest.raises(ClusterError, match=r"^on \S+ \(b\): the machine does not answer: ConnectionRefusedError$"):
            cluster.require_resources(spec)
        network.refusing.clear()
        cluster.require_resources(spec)
        cluster.find_routes(with_preflight=False)
        executor = cluster.executor(spec)
        network.refusing.add("b")
        whole = spec.shard(cluster._machines[0].routes[0].chain)
        with pytest.raises(ClusterError, match=r"^on \S+ \(b\): the machine does not answer"):
            run(whole, executor)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_machine_that_does_not_answer_at_first_is_named_by_its_agent() -> None:
    network = AgentNetwork(NAMES)
    network.refusing.add("c")
    with pytest.raises(ClusterError, match=r"^on c: the machine does not answer"), cluster_on(network):
        pass


def test_resources_of_each_machine_are_checked(server: str) -> None:
    with cluster_on(AgentNetwork(NAMES)) as cluster:
        spec = cluster.place(spec_of(f"{server}/load", 300_000), "1")
        with pytest.raises(LimitError, match="on all 3 machines: 100,000 connections exceed"):
            cluster.require_resources(spec)


def test_machine_with_other_code_of_the_same_version_is_named() -> None:
    network = AgentNetwork(NAMES)
    network.codes["b"] = "another digest"
    with pytest.raises(ClusterError, match="on b: other code of this version"), cluster_on(network):
        pass
