"""The hub between worker processes: it passes each question to all of them, and their answers to the one who asked.

Messages are lines of JSON. From a worker: ``ready``; ``call``, a question for all; ``answer``, to an ``ask``. To a
worker: ``ask``, a question of one of them; and with ``call`` again the answers to its own.
"""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from typing import Any

from demo_server.workers.peers import MAX_LINE_BYTES, Counters, Number


@dataclass(slots=True)
class Asked:
    """A question that not all workers have answered yet."""

    caller: asyncio.StreamWriter
    call: int
    number: Number | None
    answers: list[Any] = field(default_factory=list)


class Hub:
    """The workers' sockets, and the questions under way."""

    def __init__(self) -> None:
        self.all_ready = asyncio.Event()
        self._workers: list[asyncio.StreamWriter] = []
        self._ready = 0
        self._counters = Counters()
        self._asked: dict[int, Asked] = {}
        self._asks = 0

    async def connect(self, sockets: list[socket.socket]) -> list[asyncio.Task[None]]:
        """Return one task per worker, done when the worker is gone."""
        pairs = [await asyncio.open_connection(sock=sock, limit=MAX_LINE_BYTES) for sock in sockets]
        self._workers = [writer for _, writer in pairs]
        return [asyncio.create_task(self._listen(*pair)) for pair in pairs]

    def close(self) -> None:
        """Let the workers know that their questions are not answered any more."""
        for worker in self._workers:
            worker.close()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # of a worker that is killed before it has read everything
            async for line in reader:
                self._take(writer, json.loads(line))

    def _take(self, writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
        if "call" in message:
            self._ask_all(writer, message)
        elif "answer" in message:
            self._gather(message)
        else:
            self._ready += 1
            if self._ready == len(self._workers):
                self.all_ready.set()

    def _ask_all(self, caller: asyncio.StreamWriter, message: dict[str, Any]) -> None:
        counter = message["counter"]
        number = self._counters.next(counter) if counter is not None else None
        self._asks += 1
        self._asked[self._asks] = Asked(caller, message["call"], number)
        question = {"ask": self._asks, "question": message["question"], "args": message["args"]}
        for worker in self._workers:
            write(worker, {**question, "number": number and astuple(number)})

    def _gather(self, message: dict[str, Any]) -> None:
        asked = self._asked[message["answer"]]
        asked.answers.append(message["value"])
        if len(asked.answers) == len(self._workers):
            del self._asked[message["answer"]]
            answer = {"call": asked.call, "answers": asked.answers, "number": asked.number and astuple(asked.number)}
            write(asked.caller, answer)


def write(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """Send a message; one to a worker that has just gone is lost, and so is the whole server, soon."""
    if not writer.is_closing():  # or asyncio complains of each after the first few
        writer.write(json.dumps(message).encode() + b"\n")
