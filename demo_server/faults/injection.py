"""What can go wrong in the body of a stream. Each fault is a few lines of its own: read from `FaultyStream.run` on.

What is sent is decided in faults.py and made in faulty_events.py; here it is sent, or not.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import sys
import time

from starlette.types import Send

from demo_server.faults.encoding import PIECE_BYTES, Event, EventEncoder
from demo_server.faults.fault_log import Account
from demo_server.faults.parameters import FaultParameters, Trouble
from demo_server.streams.messages import END, NOTHING, body
from demo_server.streams.stream import Notice, Stream

# Long enough for the two halves of a character to be two reads of the client's.
SPLIT_PAUSE_S = 0.02

# A reset throws away what the kernel has taken and not sent yet: it may wait for acknowledgements, some 40 ms, although
# the client keeps up.
RESET_PAUSE_S = 0.1

# SO_LINGER on, 0 s: the kernel throws away what it has not sent, and sends RST in place of FIN.
LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class FaultyStream:
    """The body of one response."""

    def __init__(self, stream: Stream, send: Send, faults: FaultParameters, account: Account) -> None:
        self._stream, self._send, self._faults, self._account = stream, send, faults, account
        self._encoder = EventEncoder(faults)
        self._trouble, self._trouble_after = faults.trouble
        self._made = 0
        self._held = bytearray()
        self._held_events: list[Event] = []
        self._held_blocks = 0
        self._cut: int | None = None
        self._is_inside_line = False

    async def run(self, first_seq: int) -> str:
        """Send everything, and return how it ended."""
        self._account.begins(first_seq)
        self._sequence = self._faults.sequence(first_seq)
        if preamble := self._encoder.preamble():
            await self._write(preamble)
        if self._trouble_after == 0:
            return await self._get_into_trouble()
        heartbeat_s = 0 if self._faults.heartbeats_only else self._faults.heartbeat
        async for tick in self._stream.ticks(1, self._faults.count, self._faults.pace_s, heartbeat_s):
            if tick is Notice.FAREWELL:
                break
            await self._take_turn(is_heartbeat=tick is Notice.HEARTBEAT or self._faults.heartbeats_only)
            if self._made == self._trouble_after:
                return await self._get_into_trouble()
        return await self._end("count")

    async def _take_turn(self, *, is_heartbeat: bool) -> None:
        """Send what is due: a heartbeat, or an event, once, twice or not at all."""
        if is_heartbeat:
            await self._hold(self._encoder.notice(Notice.HEARTBEAT))
            self._account.heartbeat()
            self._made += self._faults.heartbeats_only
            return
        seq, copies = next(self._sequence)
        if not copies:
            self._account.dropped(seq)
            return
        is_huge = self._faults.huge is not None and seq % self._faults.huge == 0
        event = self._encoder.event(seq, time.time_ns(), is_huge=is_huge)
        for _ in range(copies):
            if is_huge:
                await self._send_in_pieces(event)
            else:
                await self._hold(event.whole(), event)
            self._made += 1
            if self._made == self._trouble_after:
                return

    # What becomes of the connection.

    async def _get_into_trouble(self) -> str:
        """Do what is to be done after so many events, and return how the stream ended."""
        await self._flush()
        if self._stream.ended:
            return await self._end("")
        match self._trouble:
            case Trouble.RESET:
                return await self._reset()
            case Trouble.TRUNCATE:
                return await self._truncate()
            case Trouble.STALL:
                await self._until_ended()
            case Trouble.ENDLESS_LINE:
                await self._send_endless_line()
        return await self._end("close")

    async def _reset(self) -> str:
        """Have the kernel send RST: what a crashed process, or a firewall that has lost its state, looks like."""
        await self._stream.sleep_until(asyncio.get_running_loop().time() + RESET_PAUSE_S)
        if self._stream.transport.is_closing():  # the client was faster
            return await self._end("client")
        connection: socket.socket = self._stream.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self._stream.transport.abort()
        await self._until_gone()
        return "reset"

    async def _truncate(self) -> str:
        """Close in the middle of a chunk: the response is not complete, and a client can know it."""
        block = self._encoder.notice(Notice.HEARTBEAT) if self._faults.heartbeats_only else self._next_event().whole()
        # Past ASGI, whose every message becomes a whole chunk: here the chunk's head announces more than there is.
        self._stream.transport.write(b"%x\r\n" % len(block) + block[: len(block) // 2])
        self._stream.transport.close()
        await self._until_gone()
        return "truncate"

    async def _send_endless_line(self) -> None:
        """Begin an event and never come to its line end: a client without a limit runs out of memory."""
        self._is_inside_line = True
        await self._write(self._next_event().before)
        async for tick in self._stream.ticks(1, None, self._faults.pace_s):
            if tick is not Notice.FAREWELL:
                await self._write(b"x" * PIECE_BYTES)

    async def _until_ended(self) -> None:
        """Stay silent until the client leaves or the server goes down."""
        while not self._stream.ended:
            await self._stream.sleep_until(math.inf)

    async def _until_gone(self) -> None:
        """Wait until uvicorn knows that the connection is lost: it complains of responses that are left incomplete."""
        await self._until_ended()
        self._stream.transport.abort()  # at shutdown, there may be bytes left that the client does not read
        await asyncio.sleep(0)

    async def _end(self, how: str) -> str:
        """End the response properly, and return how it came to that."""
        if self._stream.is_farewell and not self._is_inside_line:
            self._held += self._encoder.notice(Notice.FAREWELL)
        await self._flush()
        if self._faults.no_final_blank and not self._stream.ended:
            await self._write(self._next_event().without_blank_line())
        if self._stream.ended:
            how = "shutdown" if self._stream.is_farewell else "client"
        await self._send(END)
        return how

    # What is sent.

    def _next_event(self) -> Event:
        """Return the event that would be next, for the faults that do not let it come to its end."""
        seq = next(seq for seq, copies in self._sequence if copies)
        return self._encoder.event(seq, time.time_ns())

    async def _hold(self, block: bytes, event: Event | None = None) -> None:
        """Send a block, or keep it until there are enough for a burst."""
        if event is not None:
            self._held_events.append(event)
            self._cut = None if event.cut is None else len(self._held) + event.cut
        self._held += block
        self._held_blocks += 1
        if self._faults.burst is None or self._held_blocks >= self._faults.burst:
            await self._flush()

    async def _flush(self) -> None:
        """Send what is held, in one write."""
        if self._held and await self._write(bytes(self._held), self._cut):
            for event in self._held_events:
                self._count(event)
        self._held.clear()
        self._held_events.clear()
        self._held_blocks, self._cut = 0, None

    async def _send_in_pieces(self, event: Event) -> None:
        """Send a huge event without ever having all of it in memory."""
        await self._flush()
        self._is_inside_line = True
        is_taken = await self._write(event.before, event.cut)
        for piece in event.rest():
            await asyncio.sleep(0)  # the other streams go on, although the client reads as fast as we write
            if self._stream.ended:
                return
            is_taken = await self._write(piece)
        self._is_inside_line = False
        if is_taken:
            self._count(event)

    def _count(self, event: Event) -> None:
        self._stream.count_event()
        self._account.sent(event.seq)

    async def _write(self, data: bytes, cut: int | None = None) -> bool:
        """Send bytes, cut in two if that is asked for, and say whether the kernel has taken them."""
        if cut is not None:
            await self._send(body(data[:cut]))
            await self._stream.sleep_until(asyncio.get_running_loop().time() + SPLIT_PAUSE_S)
            data = data[cut:]
        await self._send(body(data))
        if self._stream.transport.get_write_buffer_size():
            await self._send(NOTHING)  # which waits until the kernel has taken the rest
        if not self._stream.transport.is_closing():
            return True
        if not self._stream.ended:
            self._stream.end()  # the client has left, and uvicorn is about to hear of it
        return False
