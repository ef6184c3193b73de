"""What worker processes do together: each can ask all of them a question, itself included.

A worker alone is its own and only peer. With several, the questions go through the hub of the process that started them
(hub.py), which sends each to all workers in the same order. So a published event has one number and one order
everywhere, and counters are those of the whole server.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

Answer = Callable[..., Awaitable[Any]]
"""Takes the arguments of a question, and the number if it asked for one; JSON in, JSON out."""

# One line of the hub's protocol. The longest are the truth of a run as all workers tell it (truth.py): 64 times 1.6 MB.
MAX_LINE_BYTES = 128 << 20
MAX_COUNTERS = 10_000


@dataclass(frozen=True, slots=True)
class Number:
    """A number that no other question with this counter has. A counter that had to be forgotten has a new epoch."""

    epoch: str
    value: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """What all workers answered."""

    answers: list[Any]
    number: Number | None


class PeersLostError(Exception):
    """The other workers cannot be asked any more: the server goes down."""


class Peers(Protocol):
    """All workers of this server."""

    answers: dict[str, Answer]
    """By question; filled in before the server starts."""

    async def ask(self, question: str, *args: object, counter: str | None = None) -> Gathered:
        """Put a question to all, with the next number of a counter if one is named; PeersLostError at the end."""
        ...


class Counters:
    """Counters by name, at most MAX_COUNTERS: the one unused for longest is forgotten."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, Number] = OrderedDict()

    def next(self, name: str) -> Number:
        """Count, from 1."""
        last = self._last.pop(name, None) or Number(secrets.token_hex(3), 0)
        number = self._last[name] = Number(last.epoch, last.value + 1)
        if len(self._last) > MAX_COUNTERS:
            self._last.popitem(last=False)
        return number


class Alone:
    """The peers of the only worker: itself."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self._counters = Counters()
        self._turn = asyncio.Lock()  # one question after the other, as through a hub

    async def ask(self, question: str, *args: object, counter: str | None = None) -> Gathered:
        """Answer it oneself."""
        async with self._turn:
            number = self._counters.next(counter) if counter is not None else None
            numbered = args if number is None else (*args, number)
            return Gathered([await self.answers[question](*numbered)], number)


class Members:
    """The peers of a worker among others, reached through the hub at the other end of a socket."""

    def __init__(self, hub: socket.socket) -> None:
        self.answers: dict[str, Answer] = {}
        self._hub = hub
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._asked: dict[int, asyncio.Future[Gathered]] = {}
        self._calls = 0
        self._is_joined = asyncio.Event()
        self._is_lost = False

    async def join(self) -> None:
        """Say that this worker is ready, and answer from now on."""
        reader, self._writer = await asyncio.open_connection(sock=self._hub, limit=MAX_LINE_BYTES)
        self._listening = asyncio.create_task(self._listen(reader))
        self._write({"ready": True})
        self._is_joined.set()

    async def ask(self, question: str, *args: object, counter: str | None = None) -> Gathered:
        """Have the hub ask all."""
        if self._is_lost:
            raise PeersLostError
        await self._is_joined.wait()  # connections are accepted a moment before
        self._calls = call = self._calls + 1
        future: asyncio.Future[Gathered] = asyncio.get_running_loop().create_future()
        self._asked[call] = future
        self._write({"call": call, "question": question, "args": args, "counter": counter})
        try:
            return await future
        finally:
            del self._asked[call]

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        # In the order of their arrival, one after the other: that is what makes the order the same everywhere.
        with suppress(ConnectionError):  # of a hub that is killed before it has read everything
            async for line in reader:
                await self._take(json.loads(line))
        # The hub is gone, and whoever would end this process and answer its questions with it.
        self._is_lost = True
        for future in self._asked.values():
            if not future.done():
                future.set_exception(PeersLostError())
        signal.raise_signal(signal.SIGTERM)

    async def _take(self, message: dict[str, Any]) -> None:
        number = Number(*message["number"]) if message["number"] else None
        if "ask" in message:
            args = message["args"] if number is None else [*message["args"], number]
            value = await self.answers[message["question"]](*args)
            self._write({"answer": message["ask"], "value": value})
            return
        future = self._asked.get(message["call"])
        if future is not None and not future.done():  # or whoever asked has been cancelled meanwhile
            future.set_result(Gathered(message["answers"], number))

    def _write(self, message: dict[str, object]) -> None:
        assert self._writer is not None
        if not self._writer.is_closing():  # or asyncio complains of each after the first few
            self._writer.write(json.dumps(message).encode() + b"\n")
