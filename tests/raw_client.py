"""An HTTP client that keeps the bytes: the head, each chunk as it was sent, and the end of the connection."""

from __future__ import annotations

import json
import re
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

DATA_LINE = re.compile(rb"data: ([^\r\n]*)[\r\n]")
TS = re.compile(rb'"ts":\d+')


@dataclass
class Answer:
    """All bytes that a server sent until it ended the response or fell silent."""

    head: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    arrivals_s: list[float] = field(default_factory=list)
    announced_bytes: int = 0
    """The size of the incomplete chunk, if there is one; `rest` has its first bytes."""
    rest: bytes = b""
    ended: str = ""
    """complete (last chunk, or no body), cut, reset, silent."""

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def body_without_ts(self) -> bytes:
        return TS.sub(b'"ts":0', self.body)

    @property
    def seqs(self) -> list[int]:
        """The numbers of the events in their order, including events whose blank line is missing."""
        return [json.loads(data)["seq"] for data in DATA_LINE.findall(self.body)]

    def header(self, name: str) -> str | None:
        found = re.search(rb"\r\n%s: ([^\r]*)" % name.encode(), self.head, re.IGNORECASE)
        return found[1].decode() if found else None


class RawClient:
    """One request on a connection of its own."""

    def __init__(self, url: str, last_event_id: str | None = None, timeout_s: float = 20) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=timeout_s)
        extra = "" if last_event_id is None else f"Last-Event-ID: {last_event_id}\r\n"
        self.socket.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n".encode())
        self.received = b""
        self.answer = Answer()

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def read_chunks(self, count: int) -> Answer:
        """Read until there are ``count`` chunks, or the end."""
        answer = self.answer
        while len(answer.chunks) < count and not answer.ended:
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError:
                answer.ended = "reset"
            except TimeoutError:
                answer.ended = "silent"
            else:
                self.received += data
                self._take(is_end=not data)
        return answer

    def read_to(self, ending: bytes) -> Answer:
        """Read until the body ends like this, or to its end."""
        while not self.answer.body.endswith(ending) and not self.answer.ended:
            self.read_chunks(len(self.answer.chunks) + 1)
        return self.answer

    def read(self) -> Answer:
        """Read to the end."""
        return self.read_chunks(1 << 60)

    def _take(self, *, is_end: bool) -> None:
        answer = self.answer
        if not answer.head:
            head, end, rest = self.received.partition(b"\r\n\r\n")
            if not end:
                assert not is_end, "the end came before the head"
                return
            answer.head, self.received = head + end, rest
            if answer.header("transfer-encoding") is None:
                answer.ended = "complete"
        while not answer.ended and (line := re.match(rb"([0-9a-f]+)\r\n", self.received)):
            size = int(line[1], 16)
            chunk = self.received[line.end() : line.end() + size + 2]
            if len(chunk) < size + 2:
                answer.announced_bytes, answer.rest = size, chunk
                break
            self.received = self.received[line.end() + size + 2 :]
            if not size:
                answer.ended = "complete"
            else:
                answer.chunks.append(chunk[:-2])
                answer.arrivals_s.append(time.monotonic())
        if is_end and not answer.ended:
            answer.ended = "cut"


def get(url: str, last_event_id: str | None = None, timeout_s: float = 20) -> Answer:
    """Make a request, and read to the end."""
    with RawClient(url, last_event_id, timeout_s) as client:
        return client.read()
