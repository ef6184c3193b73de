"""Measures the clocks of machines through the network of agents."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sseclient_cli.engine.clock import read_clocks
from sseclient_cli.run.executors.network import Network
from sseclient_cli.run.hosts.clock_offset import ClockOffset, RoundTrip, clock_offset

ROUND_TRIPS = 16
"""Round trips that measure the clocks of a machine. The tightest counts, and most are short."""

TIMEOUT_S = 5.0
"""Timeout for all round trips to a machine."""

MACHINES_AT_ONCE = 4
"""Machines whose clocks are measured at the same time: more would lengthen the round trips."""


async def measured_clocks(network: Network, agents: Sequence[str]) -> Mapping[str, ClockOffset]:
    """Measure the clocks of the machine of each agent. An agent that does not answer is left out."""
    free = asyncio.Semaphore(MACHINES_AT_ONCE)

    async def measured(agent: str) -> tuple[str, ClockOffset] | None:
        async with free:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    return agent, clock_offset([await _round_trip(network, agent) for _ in range(ROUND_TRIPS)])
            except (OSError, TimeoutError):
                return None

    return dict(each for each in await asyncio.gather(*map(measured, agents)) if each is not None)


async def _round_trip(network: Network, agent: str) -> RoundTrip:
    sent = read_clocks()
    theirs = await network.call(agent, "clock")
    return RoundTrip(sent, theirs, read_clocks())
