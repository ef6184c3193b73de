"""Fault injection: the body of a stream, with one method per fault.

parameters.py decides which events are sent, encoding.py encodes them, and this module sends them. Begin reading at
`FaultInjector.run`.
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
from demo_server.faults.fault_log import StreamLog
from demo_server.faults.parameters import ConnectionFault, FaultParameters
from demo_server.streams.messages import DRAIN, END, body
from demo_server.streams.stream import Notice, Stream

# Long enough for the client to receive the two halves of a character in two reads.
SPLIT_PAUSE_S = 0.02

# A reset discards the bytes that the kernel has not sent yet. They may wait for an acknowledgement for about 40 ms,
# even if the client is fast enough.
RESET_PAUSE_S = 0.1

# SO_LINGER on with 0 s: on close, the kernel discards unsent bytes and sends RST instead of FIN.
LINGER_ZERO = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class FaultInjector:
    """Sends the body of one response, with the faults of its parameters."""

    def __init__(self, stream: Stream, send: Send, faults: FaultParameters, log: StreamLog) -> None:
        self._stream, self._send, self._faults, self._log = stream, send, faults, log
        self._encoder = EventEncoder(faults)
        self._fault, self._fault_after = faults.connection_fault
        self._made = 0
        self._held = bytearray()
        self._held_events: list[Event] = []
        self._held_blocks = 0
        self._split_at: int | None = None
        self._is_inside_line = False

    async def run(self, first_seq: int) -> str:
        """Send the body, and return how it ended."""
        self._log.begins(first_seq)
        self._sequence = self._faults.sequence(first_seq)
        if preamble := self._encoder.preamble():
            await self._write(preamble)
        if self._fault_after == 0:
            return await self._inject_connection_fault()
        heartbeat_s = 0 if self._faults.heartbeats_only else self._faults.heartbeat
        async for tick in self._stream.ticks(1, self._faults.count, self._faults.pace_s, heartbeat_s):
            if tick is Notice.SHUTDOWN:
                break
            await self._send_next(is_heartbeat=tick is Notice.HEARTBEAT or self._faults.heartbeats_only)
            if self._made == self._fault_after:
                return await self._inject_connection_fault()
        return await self._end("count")

    async def _send_next(self, *, is_heartbeat: bool) -> None:
        """Send a heartbeat, or the next event once, twice or not at all."""
        if is_heartbeat:
            await self._hold(self._encoder.notice(Notice.HEARTBEAT))
            self._log.heartbeat()
            self._made += self._faults.heartbeats_only
            return
        seq, copies = next(self._sequence)
        if not copies:
            self._log.dropped(seq)
            return
        is_huge = self._faults.huge is not None and seq % self._faults.huge == 0
        event = self._encoder.event(seq, time.time_ns(), is_huge=is_huge)
        for _ in range(copies):
            if is_huge:
                await self._send_in_pieces(event)
            else:
                await self._hold(event.whole(), event)
            self._made += 1
            if self._made == self._fault_after:
                return

    # Faults of the connection.

    async def _inject_connection_fault(self) -> str:
        """Inject the fault of the connection, and return how the stream ended."""
        await self._flush()
        if self._stream.ended:
            return await self._end("")
        match self._fault:
            case ConnectionFault.RESET:
                return await self._reset()
            case ConnectionFault.TRUNCATE:
                return await self._truncate()
            case ConnectionFault.STALL:
                await self._until_ended()
            case ConnectionFault.ENDLESS_LINE:
                await self._send_endless_line()
        return await self._end("close")

    async def _reset(self) -> str:
        """Make the kernel send RST, as after a crashed process or in a firewall that lost its state."""
        await self._stream.sleep_until(asyncio.get_running_loop().time() + RESET_PAUSE_S)
        if self._stream.transport.is_closing():  # the client closed first
            return await self._end("client")
        connection: socket.socket = self._stream.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self._stream.transport.abort()
        await self._until_gone()
        return "reset"

    async def _truncate(self) -> str:
        """Close the connection inside a chunk, so that a client can detect the incomplete response."""
        block = self._encoder.notice(Notice.HEARTBEAT) if self._faults.heartbeats_only else self._next_event().whole()
        # Written to the transport: an ASGI message is always sent as a complete chunk.
        self._stream.transport.write(b"%x\r\n" % len(block) + block[: len(block) // 2])
        self._stream.transport.close()
        await self._until_gone()
        return "truncate"

    async def _send_endless_line(self) -> None:
        """Send an event whose line never ends. A client without a size limit runs out of memory."""
        self._is_inside_line = True
        await self._write(self._next_event().before)
        async for tick in self._stream.ticks(1, None, self._faults.pace_s):
            if tick is not Notice.SHUTDOWN:
                await self._write(b"x" * PIECE_BYTES)

    async def _until_ended(self) -> None:
        """Send nothing until the client disconnects or the server shuts down."""
        while not self._stream.ended:
            await self._stream.sleep_until(math.inf)

    async def _until_gone(self) -> None:
        """Wait until uvicorn has noticed the lost connection; it logs an error for an incomplete response before."""
        await self._until_ended()
        self._stream.transport.abort()  # at shutdown, the client may have left bytes unread
        await asyncio.sleep(0)

    async def _end(self, how: str) -> str:
        """End the response with a last chunk, and return how the stream ended."""
        if self._stream.is_shutdown and not self._is_inside_line:
            self._held += self._encoder.notice(Notice.SHUTDOWN)
        await self._flush()
        if self._faults.no_final_blank and not self._stream.ended:
            await self._write(self._next_event().without_blank_line())
        if self._stream.ended:
            how = "shutdown" if self._stream.is_shutdown else "client"
        await self._send(END)
        return how

    # Sending.

    def _next_event(self) -> Event:
        """Return the next event, for faults that send only a part of it."""
        seq = next(seq for seq, copies in self._sequence if copies)
        return self._encoder.event(seq, time.time_ns())

    async def _hold(self, block: bytes, event: Event | None = None) -> None:
        """Send a block, or keep it until a burst is complete."""
        if event is not None:
            self._held_events.append(event)
            self._split_at = None if event.split_at is None else len(self._held) + event.split_at
        self._held += block
        self._held_blocks += 1
        if self._faults.burst is None or self._held_blocks >= self._faults.burst:
            await self._flush()

    async def _flush(self) -> None:
        """Send the held blocks in one write."""
        if self._held and await self._write(bytes(self._held), self._split_at):
            for event in self._held_events:
                self._count(event)
        self._held.clear()
        self._held_events.clear()
        self._held_blocks, self._split_at = 0, None

    async def _send_in_pieces(self, event: Event) -> None:
        """Send a huge event without holding all of it in memory."""
        await self._flush()
        self._is_inside_line = True
        is_taken = await self._write(event.before, event.split_at)
        for piece in event.rest():
            await asyncio.sleep(0)  # let other streams run, even if the client reads as fast as this one writes
            if self._stream.ended:
                return
            is_taken = await self._write(piece)
        self._is_inside_line = False
        if is_taken:
            self._count(event)

    def _count(self, event: Event) -> None:
        self._stream.count_event()
        self._log.sent(event.seq)

    async def _write(self, data: bytes, split_at: int | None = None) -> bool:
        """Send bytes, in two parts if asked to, and say whether the kernel has taken them."""
        if split_at is not None:
            await self._send(body(data[:split_at]))
            await self._stream.sleep_until(asyncio.get_running_loop().time() + SPLIT_PAUSE_S)
            data = data[split_at:]
        await self._send(body(data))
        if self._stream.transport.get_write_buffer_size():
            await self._send(DRAIN)
        if not self._stream.transport.is_closing():
            return True
        if not self._stream.ended:
            self._stream.end()  # the client has disconnected; uvicorn reports it a moment later
        return False
