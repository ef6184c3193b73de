"""The clocks of a host are wrong by a known time: the offset is found, and a corrected run is right."""

from __future__ import annotations

import asyncio
from itertools import count
from time import monotonic_ns, time_ns

import pytest
from busy_machine import LATE_S
from host_process import RUN_ID, HostProcess, host_process
from plain_server import serving
from scripted_server import head
from shifted_clocks import can_shift_monotonic_clock, with_shifted_monotonic_clock, with_shifted_wall_clock

from sseclient_cli.measure.fanout_token import token_of
from sseclient_cli.run.hosts.clock_offset import clock_offset
from sseclient_cli.units import NS_PER_S

LATE_MS = 1000 * LATE_S
SHIFT_S = 20
"""More than a busy machine delays an event."""


class Publishing:
    """A server whose events have the right time, and a token with the time since the start of the run."""

    def __init__(self) -> None:
        self.started_ns = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head())
        for number in count(1):
            await asyncio.sleep(0.05)
            token = token_of(RUN_ID, number, monotonic_ns() - self.started_ns)
            writer.write(b'data: {"ts": %d, "token": "%b"}\n\n' % (time_ns(), token.encode()))


@pytest.mark.parametrize("shift_s", [SHIFT_S, -SHIFT_S])
async def test_the_offset_of_a_host_is_found_and_corrected(shift_s: int) -> None:
    is_other_uptime = can_shift_monotonic_clock()
    prefix = with_shifted_monotonic_clock(86_400) if is_other_uptime else []
    with host_process(with_shifted_wall_clock(shift_s), prefix) as host:
        offset = clock_offset([await asyncio.to_thread(host.trip) for _ in range(20)])
        assert 0 < offset.bound_ns < NS_PER_S
        assert abs(offset.wall_ns - shift_s * NS_PER_S) <= offset.bound_ns
        assert abs(offset.monotonic_ns - is_other_uptime * 86_400 * NS_PER_S) <= offset.bound_ns
        plain = await run_on(host, offset.monotonic_ns, 0)
        corrected = await run_on(host, offset.monotonic_ns, offset.wall_ns)
    bound_ms = offset.bound_ns / 1e6
    assert -bound_ms <= plain["delivery"] - 1000 * shift_s < LATE_MS
    assert -bound_ms <= corrected["delivery"] < LATE_MS
    for figures in (plain, corrected):
        assert -bound_ms <= figures["delay"] < LATE_MS
        assert 0 < figures["gap"] < LATE_MS
        assert 0 <= figures["read_delay"] < LATE_MS


async def run_on(host: HostProcess, monotonic_offset_ns: int, correction_ns: int) -> dict[str, float]:
    publishing = Publishing()
    async with serving(publishing.serve) as port:
        publishing.started_ns = monotonic_ns() + NS_PER_S // 10
        return await asyncio.to_thread(host.run, port, publishing.started_ns + monotonic_offset_ns, correction_ns)
