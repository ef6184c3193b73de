"""The machines of a cluster: the agents on each, its clocks, and its share of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sseclient_cli.errors import ClusterError
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.run.executors.choice import worker_count
from sseclient_cli.run.executors.clocks import measured_clocks
from sseclient_cli.run.executors.network import Network
from sseclient_cli.run.hosts.clock_offset import ClockOffset
from sseclient_cli.run.hosts.host import Host
from sseclient_cli.run.hosts.host_errors import answers_of, listed
from sseclient_cli.run.hosts.route import Route
from sseclient_cli.run.hosts.versions import code_digest


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
    """Ask all agents which machine they are on, and measure the clocks of each machine. Raises ClusterError."""
    await _require_our_code(network)
    hosts: list[Host] = await answers_of((agent, network.call(agent, "host")) for agent in network.agents)
    found: dict[tuple[str, str], list[str]] = {}
    host_of = {}
    for agent, host in zip(network.agents, hosts, strict=True):
        key = host.name, urlsplit(agent).hostname or agent
        found.setdefault(key, []).append(agent)
        host_of[key] = host
    names = Counter(name for name, _ in found)
    clocks = await measured_clocks(network, [agents[0] for agents in found.values()])
    machines = []
    for (name, address), agents in found.items():
        shown = name if names[name] == 1 else f"{name} ({address})"
        if agents[0] not in clocks:
            raise ClusterError(f"the machine {shown} does not answer: its clock cannot be measured")
        machines.append(Machine(shown, address, host_of[name, address], agents, clocks[agents[0]]))
    return machines


async def _require_our_code(network: Network) -> None:
    codes = await answers_of((agent, network.call(agent, "code")) for agent in network.agents)
    others = [agent for agent, code in zip(network.agents, codes, strict=True) if code != code_digest()]
    if others:
        words = f"on {listed(others)}: other code of this version of sseclient-cli; install the same on each machine"
        raise ClusterError(words, code="code-differs")


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
