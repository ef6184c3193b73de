"""The machines of a cluster: the agents on each, its clocks, and its share of a run."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sseclient_cli.engine.clock import read_clocks
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.run.executors.choice import worker_count
from sseclient_cli.run.executors.network import Network
from sseclient_cli.run.hosts.clock_offset import ClockOffset, RoundTrip, clock_offset
from sseclient_cli.run.hosts.host import Host
from sseclient_cli.run.hosts.route import Route

ROUND_TRIPS = 16
"""Round trips that measure the clocks of a machine. The tightest counts, and most are short."""

MACHINES_AT_ONCE = 4
"""Machines whose clocks are measured at the same time: more would lengthen the round trips."""


@dataclass(slots=True, eq=False)
class Machine:
    """A machine of the cluster."""

    name: str
    address: str
    host: Host
    agents: list[str]
    clock: ClockOffset
    placed: list[str] = field(default_factory=list)
    """The agent of each load process that it has in the run."""
    routes: tuple[Route, ...] = ()
    """Its route to each target."""

    def described(self, *, is_corrected: bool) -> HostTotals:
        """Return the machine as the report describes it, without results."""
        return HostTotals(
            address=self.address,
            system=self.host.system,
            machine=self.host.machine,
            python=self.host.python,
            cpus=self.host.cpus,
            clock_offset_ns=self.clock.wall_ns,
            clock_bound_ns=self.clock.bound_ns,
            is_corrected=is_corrected,
        )


async def found_machines(network: Network) -> list[Machine]:
    """Ask all agents which machine they are on, and measure the clocks of each machine."""
    hosts: list[Host] = await asyncio.gather(*(network.call(agent, "host") for agent in network.agents))
    found: dict[tuple[str, str], list[str]] = {}
    host_of = {}
    for agent, host in zip(network.agents, hosts, strict=True):
        key = host.name, urlsplit(agent).hostname or agent
        found.setdefault(key, []).append(agent)
        host_of[key] = host
    names = Counter(name for name, _ in found)
    free = asyncio.Semaphore(MACHINES_AT_ONCE)

    async def machine(name: str, address: str, agents: list[str]) -> Machine:
        async with free:
            clock = await _measured_clock(network, agents[0])
        shown = name if names[name] == 1 else f"{name} ({address})"
        return Machine(shown, address, host_of[name, address], agents, clock)

    return await asyncio.gather(*(machine(*key, agents) for key, agents in found.items()))


async def _measured_clock(network: Network, agent: str) -> ClockOffset:
    trips = []
    for _ in range(ROUND_TRIPS):
        sent = read_clocks()
        theirs = await network.call(agent, "clock")
        trips.append(RoundTrip(sent, theirs, read_clocks()))
    return clock_offset(trips)


def place(machines: Sequence[Machine], connections: int, asked: str) -> list[tuple[Machine, str]]:
    """Decide how many load processes each machine has. Return machine and agent of each.

    ``asked`` is their number for each machine, or ``auto``: one for each agent at least. Raises UsageError.
    """
    share = max(connections // len(machines), 1)
    for machine in machines:
        count = worker_count(asked, share, machine.host.cpus)
        count = max(count, len(machine.agents)) if asked == "auto" else count
        machine.placed = [machine.agents[number % len(machine.agents)] for number in range(count)]
    rounds = range(max(len(machine.placed) for machine in machines))
    # Round by round, so that a run with fewer streams than processes uses all machines.
    places = [
        (machine, machine.placed[number]) for number in rounds for machine in machines if number < len(machine.placed)
    ]
    for machine, _ in places[connections:]:
        machine.placed.pop()
    return places[:connections]
