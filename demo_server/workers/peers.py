"""Questions from a worker to all workers of the server, including itself.

A single worker answers its own questions. With several workers, the hub (hub.py) in the supervisor process sends each
question to all of them in the same order. A published event therefore has one number and one order everywhere, and
counters cover the whole server.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from demo_server.workers.counters import Counters, Number
from demo_server.workers.messages import MAX_LINE_BYTES, messages, write

Handler = Callable[..., Awaitable[Any]]
"""Takes the arguments of a question, and its number if it has a counter. Arguments and result are JSON."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of all workers to a question."""

    values: list[Any]
    number: Number | None


class PeersLostError(Exception):
    """The other workers cannot be asked any more, because the server is shutting down."""


class Peers(Protocol):
    """All workers of this server."""

    handlers: dict[str, Handler]
    """By question; filled in before the server starts."""

    async def ask(self, question: str, *args: object, counter: str | None = None) -> Answers:
        """Ask all workers, with the next number of ``counter`` if given; raise PeersLostError at shutdown."""
        ...


class LocalPeers:
    """The peers of a single worker: only itself."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self._counters = Counters()
        self._lock = asyncio.Lock()  # one question at a time, as with a hub

    async def ask(self, question: str, *args: object, counter: str | None = None) -> Answers:
        """Answer the question in this process."""
        async with self._lock:
            number = self._counters.next(counter) if counter is not None else None
            numbered = args if number is None else (*args, number)
            return Answers([await self.handlers[question](*numbered)], number)


class HubPeers:
    """The peers of one worker of several, reached through the hub at the other end of a socket."""

    def __init__(self, hub: socket.socket) -> None:
        self.handlers: dict[str, Handler] = {}
        self._hub = hub
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._pending: dict[int, asyncio.Future[Answers]] = {}
        self._calls = 0
        self._is_joined = asyncio.Event()
        self._is_lost = False

    async def join(self) -> None:
        """Tell the hub that this worker is ready, and answer questions from now on."""
        reader, self._writer = await asyncio.open_connection(sock=self._hub, limit=MAX_LINE_BYTES)
        self._listening = asyncio.create_task(self._listen(reader, self._writer))
        self._write({"ready": True})
        self._is_joined.set()

    async def ask(self, question: str, *args: object, counter: str | None = None) -> Answers:
        """Ask all workers through the hub."""
        if self._is_lost:
            raise PeersLostError
        await self._is_joined.wait()  # the server accepts connections a moment before it joins
        self._calls = call = self._calls + 1
        future: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._pending[call] = future
        self._write({"call": call, "question": question, "args": args, "counter": counter})
        try:
            return await future
        finally:
            del self._pending[call]

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # One message at a time, in order of arrival: this makes the order the same in all workers.
        async for message in messages(reader, writer):
            await self._handle(message)
        # Without the supervisor, no process would end this worker, and no question would be answered.
        self._is_lost = True
        for future in self._pending.values():
            if not future.done():
                future.set_exception(PeersLostError())
        signal.raise_signal(signal.SIGTERM)

    async def _handle(self, message: dict[str, Any]) -> None:
        number = Number(*message["number"]) if message["number"] else None
        if "ask" in message:
            args = message["args"] if number is None else [*message["args"], number]
            value = await self.handlers[message["question"]](*args)
            self._write({"answer": message["ask"], "value": value})
            return
        future = self._pending.get(message["call"])
        if future is not None and not future.done():  # otherwise the caller was cancelled
            future.set_result(Answers(message["answers"], number))

    def _write(self, message: dict[str, object]) -> None:
        assert self._writer is not None
        write(self._writer, message)
