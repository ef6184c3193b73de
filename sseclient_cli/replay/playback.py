"""Send the items of a recording to one client, each when it is due.

A slow client slows only its own playback down: items that are late are sent as fast as it reads, and none is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from sseclient_cli.replay.pacing import Pacing
from sseclient_cli.replay.timeline import Timeline

MAX_WRITE_BYTES = 64 * 1024
"""uvicorn (0.54) waits for a client that does not read after a write, so a larger one would take more memory."""


def jitter_of(pacing: Pacing, number: int) -> Callable[[], float]:
    """Return the random numbers of the client with this number: other than those of others, the same in each replay."""
    return Random(f"{pacing.seed} {number}").random if pacing.jitter_s else lambda: 0.0


class Playback:
    """Plays the timeline from one position to one client. ``send`` waits for a client that does not read."""

    def __init__(
        self, timeline: Timeline, pacing: Pacing, number: int, send: Callable[[bytes], Awaitable[None]]
    ) -> None:
        self._timeline = timeline
        self._pacing = pacing
        self._random = jitter_of(pacing, number)
        self._send = send
        self._loop = asyncio.get_running_loop()

    async def play(self, position: int) -> None:
        """Send all items from this position on; with a loop, without an end."""
        elapsed_ns = self._timeline.elapsed_ns_before(position)
        started_s = self._loop.time() - self._pacing.delay_s(elapsed_ns, 0)
        await self._play_once(position, started_s)
        while self._pacing.is_looping and len(self._timeline):
            started_s += self._pacing.delay_s(self._timeline.duration_ns, 0)
            await self._play_once(0, started_s)

    async def _play_once(self, position: int, started_s: float) -> None:
        while items := self._timeline.block_at(position):
            position += len(items)
            due = bytearray()
            for elapsed_ns, payload in items:
                due_s = started_s + self._pacing.delay_s(elapsed_ns, self._random())
                if due_s > self._loop.time():
                    await self._write(due)
                    await self._wait_until(due_s)
                due += payload
                if len(due) >= MAX_WRITE_BYTES:
                    await self._write(due)
            await self._write(due)
            await asyncio.sleep(0)  # other clients have their turn, also without gaps
        await self._wait_until(started_s + self._pacing.delay_s(self._timeline.duration_ns, 0))

    async def _wait_until(self, due_s: float) -> None:
        await asyncio.sleep(due_s - self._loop.time())

    async def _write(self, due: bytearray) -> None:
        """Send the bytes and empty the buffer."""
        for begin in range(0, len(due), MAX_WRITE_BYTES):
            await self._send(bytes(due[begin : begin + MAX_WRITE_BYTES]))
        due.clear()
