"""A demo server of a test's own, and one reader for all its push endpoints."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import create_connection, socket
from typing import IO

import httpx
from demo_server_processes import serving
from websockets.sync.client import ClientConnection, connect

EVENT_STREAMS = ["/stream", "/native", "/load"]
PUSH_ENDPOINTS = [*EVENT_STREAMS, "/streaming-response", "/ndjson", "/ws"]
HANDSHAKE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
HANDSHAKE += "A" * 21 + "Q==\r\n"

# Then nothing can depend on when the garbage collector runs.
WITHOUT_GC = "import gc; gc.disable(); from demo_server.__main__ import main; main()"

Said = dict[str, object]
"""An event ("seq", "type", "pad"; most endpoints: "ts"; event streams: "id"), a "comment" or a "retry"."""


@dataclass
class Demo:
    """A demo server that runs in a process of its own."""

    process: subprocess.Popen[str]
    stderr: IO[str]
    client: httpx.Client

    @property
    def port(self) -> int:
        assert self.client.base_url.port
        return self.client.base_url.port

    def stats(self) -> dict[str, int]:
        counters: dict[str, int] = self.client.get("/stats").json()
        return counters

    def wait_for_stats(self, within_s: float, reached: Callable[[dict[str, int]], bool]) -> None:
        """Ask until the counters are as they should be; the server offers no event to wait for."""
        deadline_s = time.monotonic() + within_s
        while not reached(counters := self.stats()):
            assert time.monotonic() < deadline_s, counters
            time.sleep(0.005)

    def wait_until_idle(self, within_s: float) -> None:
        self.wait_for_stats(within_s, lambda counters: counters["streams_open"] == 0)

    def read_stderr(self) -> str:
        self.stderr.seek(0)
        return self.stderr.read()

    def end(self) -> str:
        """Stop the server with SIGTERM, and return its stderr."""
        self.process.terminate()
        assert self.process.wait(10) == 0
        return self.read_stderr()

    def open_stream(self, path: str, receive_buffer_bytes: int = 0, body: str = "") -> socket:
        """Return a connection on which the response has begun, and nothing is read."""
        connection = create_connection(("127.0.0.1", self.port), timeout=30)
        upgrade = HANDSHAKE if path.startswith("/ws") else ""
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        method = "POST" if body else "GET"
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{kind}{upgrade}\r\n{body}".encode())
        assert connection.recv(12) == (b"HTTP/1.1 101" if upgrade else b"HTTP/1.1 200")
        return connection

    def connect(self, path: str) -> ClientConnection:
        # Without a limit to its queue: when that is full, websockets does not even read the end of the connection.
        return connect(f"ws://127.0.0.1:{self.port}{path}", compression=None, proxy=None, max_queue=None)

    def listen(self, path: str, query: str = "", headers: dict[str, str] | None = None) -> Iterator[Said]:
        """Yield the events, comments and retries of a push endpoint until it ends."""
        if path == "/ws":
            with self.connect(f"{path}?{query}") as websocket:
                yield from read_records(str(message) for message in websocket)
            return
        with self.client.stream("GET", f"{path}?{query}", headers=headers) as response:
            assert response.status_code == 200, response.read()
            lines = response.iter_lines()
            if path in EVENT_STREAMS:
                yield from read_event_stream(lines)
            else:
                yield from (read_text if path == "/streaming-response" else read_records)(lines)


@contextmanager
def running_demo(*options: str, code: str = "") -> Iterator[Demo]:
    """Run the bundled server, or code that does so; it always ends with the block."""
    with (
        tempfile.TemporaryFile("w+") as stderr,
        serving("--exit-on-stdin-eof", *options, code=code, stderr=stderr) as (process, url),
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield Demo(process, stderr, client)


def read_event_stream(lines: Iterable[str]) -> Iterator[Said]:
    """Read the part of the format that the demo server uses."""
    event: Said = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "":
            if value:
                yield {"comment": value}
            elif "seq" in event:
                yield {"type": None, "pad": "", **event}
                event = {}
        elif name == "retry":
            yield {"retry": int(value)}
        elif name == "data":
            event.update(json.loads(value))
        else:
            event["type" if name == "event" else name] = value


def read_records(records: Iterable[str]) -> Iterator[Said]:
    for record in map(json.loads, records):
        if "seq" in record:
            yield {"type": record.pop("event", None), "pad": "", **record}
        else:
            yield record


def read_text(lines: Iterable[str]) -> Iterator[Said]:
    for line in lines:
        name, *rest = line.split(" ")
        if name == "retry":
            yield {"retry": int(rest[0])}
        elif not rest or not rest[0].isdigit():
            yield {"comment": line}
        else:
            yield {"type": None if name == "data" else name, "seq": int(rest[0]), "pad": " ".join(rest[1:])}
