"""Agents on the workers of a Dask cluster. This is the only module that knows Dask.

Dask carries messages and finds machines. Each worker holds an actor, the agent: an actor is called without a task and
without a line in the logs, and it is never run again on another worker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

from anyio import CancelScope, move_on_after
from anyio.from_thread import start_blocking_portal
from distributed import Client, Future, LocalCluster, get_worker
from distributed.actor import ProxyRPC
from distributed.protocol import to_serialize
from distributed.utils import silence_logging_cmgr

from sseclient_cli.ending_signals import signals_blocked
from sseclient_cli.errors import ClusterError, SseError
from sseclient_cli.run.executors.agent import Agent
from sseclient_cli.run.executors.cluster import Cluster
from sseclient_cli.run.hosts.host_errors import listed
from sseclient_cli.run.hosts.versions import compared_packages, version_differences

LOCAL = "local:"
"""The prefix of a cluster of processes on this machine."""

CONNECT_TIMEOUT_S = 10
"""Timeout for the connection to the scheduler, and for its first worker."""

AGENT_TIMEOUT_S = 30
"""Timeout for an agent on each worker, which imports this package first: seconds on a busy machine."""


CLOSE_TIMEOUT_S = 10
"""Timeout for the end of the processes of a local cluster."""


class DaskAgent(Agent):
    """The agent on a Dask worker. Agents are named by the addresses of their workers."""

    def __init__(self, network: str) -> None:
        super().__init__()
        self._network = network

    async def call(self, agent: str, method: str, *args: object) -> Any:
        """Call a method of the agent on another worker."""
        return await _called(get_worker().rpc(agent), _key(self._network, agent), method, args)


class DaskNetwork:
    """The agents on the workers of a cluster, called through its scheduler."""

    def __init__(self, client: Client, network: str, actors: Mapping[str, Future]) -> None:
        self.agents = list(actors)
        self._client, self._network = client, network
        self._actors = actors
        """By address. A client without the future of an actor ends it."""

    async def call(self, agent: str, method: str, *args: object) -> Any:
        """Call a method of the agent on a worker."""
        return await _called(ProxyRPC(self._client.scheduler, agent), _key(self._network, agent), method, args)

    def loss(self, agent: str) -> str:
        """Return how the scheduler or the worker of an agent was lost."""
        if self._client.status != "running":
            return "was lost with the scheduler of the cluster"
        return "" if self._actors[agent].status == "finished" else "was lost with its Dask worker"


async def _called(rpc: Any, key: str, method: str, args: Sequence[object]) -> Any:
    """Call a method of an actor, like ``distributed.actor``, which for that starts a client on each worker."""
    reply = await rpc.actor_execute(actor=key, function=method, args=[to_serialize(each) for each in args], kwargs={})
    if reply["status"] != "OK":
        raise reply["exception"]
    return reply["result"]


@contextmanager
def joined(cluster: str, *, corrects_clocks: bool) -> Iterator[Cluster]:
    """Join a cluster: the address of a scheduler, or ``local:N`` for N workers on this machine. Raises ClusterError."""
    with ExitStack() as stack:
        # Dask writes to stderr about lost connections. The coordinator reports them.
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL + 1))
        with signals_blocked():  # in this thread's children too: Ctrl-C must not reach the workers of a local cluster
            portal = stack.enter_context(start_blocking_portal())
        network = stack.enter_context(portal.wrap_async_context_manager(_network(cluster)))
        yield Cluster(portal, network, corrects_clocks=corrects_clocks)


@asynccontextmanager
async def _network(cluster: str) -> AsyncIterator[DaskNetwork]:
    async with AsyncExitStack() as stack:
        try:
            network = await _network_of(await _connected(cluster, stack))
        except SseError:
            raise
        except Exception as exc:  # Dask raises errors of many classes: TypeError, RuntimeError without files for TLS
            raise ClusterError(f"no cluster at {cluster}: {str(exc) or type(exc).__name__}") from exc
        yield network


async def _connected(cluster: str, stack: AsyncExitStack) -> Client:
    """Return a client of the cluster, which has a worker at least."""
    address: Any = cluster
    if cluster.startswith(LOCAL):
        address = LocalCluster(
            n_workers=int(cluster.removeprefix(LOCAL)),
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",  # the default is a fixed port
            silence_logs=logging.CRITICAL,
            asynchronous=True,
        )
        stack.push_async_callback(_close, address)
        with CancelScope(shield=True):  # distributed 2026.8 leaves processes of a start that is cancelled
            await address
    client = Client(address, asynchronous=True, set_as_default=False, timeout=CONNECT_TIMEOUT_S)
    stack.push_async_exit(client)  # it has to be closed even if it does not connect
    try:
        await client
    except OSError as exc:
        words = f"no scheduler answers at {cluster} within {CONNECT_TIMEOUT_S} s: check that it runs, and its port"
        raise ClusterError(words) from exc
    try:
        await client.wait_for_workers(1, timeout=CONNECT_TIMEOUT_S)
    except TimeoutError as exc:
        words = f"the cluster at {cluster} has no workers: start one on each machine with `dask worker {cluster}`"
        raise ClusterError(words) from exc
    return client


async def _close(local: LocalCluster) -> None:
    with move_on_after(CLOSE_TIMEOUT_S, shield=True):  # Ctrl-C has cancelled this task
        await local.close()


async def _network_of(client: Client) -> DaskNetwork:
    if differences := version_differences(await client.get_versions(packages=compared_packages())):
        raise ClusterError(differences)
    network = uuid4().hex
    return DaskNetwork(client, network, await _created_agents(client, network))


async def _created_agents(client: Client, network: str) -> dict[str, Future]:
    """Create an agent on each worker. Raises ClusterError."""
    workers = (await client.scheduler.identity(n_workers=-1))["workers"]
    futures = {
        address: client.submit(
            DaskAgent, network, key=_key(network, address), actor=True, workers=[address], pure=False, retries=0
        )
        for address in workers
    }
    try:
        async with asyncio.timeout(AGENT_TIMEOUT_S):
            await asyncio.gather(*futures.values())
    except TimeoutError as exc:
        busy = listed([address for address, future in futures.items() if future.status == "pending"])
        raise ClusterError(f"no answer from the workers {busy}: other tasks may keep them busy") from exc
    return futures


def _key(name: str, address: str) -> str:
    return f"sse-bench-{name}-{address}"
