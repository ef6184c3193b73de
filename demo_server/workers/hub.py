"""The hub between worker processes: it sends each question to all workers and returns their answers to the caller.

Messages are lines of JSON. From a worker: ``ready``; ``call`` (a question for all workers); ``answer`` (to an ``ask``).
To a worker: ``ask`` (a question of any worker); ``call`` (the answers to its own question).
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import astuple, dataclass, field
from typing import Any

from demo_server.workers.counters import Counters, Number
from demo_server.workers.messages import MAX_LINE_BYTES, messages, write


@dataclass(slots=True)
class PendingQuestion:
    """A question that some workers have not answered yet."""

    caller: asyncio.StreamWriter
    call: int
    number: Number | None
    answers: list[Any] = field(default_factory=list)


class Hub:
    """The connections to all workers, and their pending questions."""

    def __init__(self) -> None:
        self.all_ready = asyncio.Event()
        self._workers: list[asyncio.StreamWriter] = []
        self._ready = 0
        self._counters = Counters()
        self._pending: dict[int, PendingQuestion] = {}
        self._asks = 0

    async def connect(self, sockets: list[socket.socket]) -> list[asyncio.Task[None]]:
        """Return one task per worker, which is done when the worker has disconnected."""
        pairs = [await asyncio.open_connection(sock=sock, limit=MAX_LINE_BYTES) for sock in sockets]
        self._workers = [writer for _, writer in pairs]
        return [asyncio.create_task(self._listen(*pair)) for pair in pairs]

    def close(self) -> None:
        """Disconnect all workers, which fails their pending questions."""
        for worker in self._workers:
            worker.close()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for message in messages(reader, writer):
            self._handle(writer, message)

    def _handle(self, writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
        if "call" in message:
            self._ask_all(writer, message)
        elif "answer" in message:
            self._collect(message)
        else:
            self._ready += 1
            if self._ready == len(self._workers):
                self.all_ready.set()

    def _ask_all(self, caller: asyncio.StreamWriter, message: dict[str, Any]) -> None:
        counter = message["counter"]
        number = self._counters.next(counter) if counter is not None else None
        self._asks += 1
        self._pending[self._asks] = PendingQuestion(caller, message["call"], number)
        question = {"ask": self._asks, "question": message["question"], "args": message["args"]}
        for worker in self._workers:
            write(worker, {**question, "number": number and astuple(number)})

    def _collect(self, message: dict[str, Any]) -> None:
        asked = self._pending[message["answer"]]
        asked.answers.append(message["value"])
        if len(asked.answers) == len(self._workers):
            del self._pending[message["answer"]]
            answer = {"call": asked.call, "answers": asked.answers, "number": asked.number and astuple(asked.number)}
            write(asked.caller, answer)
