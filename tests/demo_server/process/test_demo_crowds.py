"""Thousands of streams: shutdown in time, and no memory leak."""

from __future__ import annotations

import resource
import selectors
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest
from demo_server_processes import END_WITHIN_S, started_server
from real_processes import until
from running_demo import HANDSHAKE

CROWD = 5000
PATHS = [
    "/stream?interval=60",
    "/native?interval=60",
    "/load?interval=60",
    "/streaming-response?interval=60",
    "/ndjson?interval=60",
    "/ws?interval=60",
    "/channels/x",
]
NOTICE = b"the server is going down"

COME_AND_GO = 10_000
AT_A_TIME = 500
# Variation by Python's allocator and the kernel's pages. A leak of one small object per connection is 1 MB or more.
MEMORY_NOISE_BYTES = 3 << 20


@pytest.fixture(autouse=True, scope="module")
def files_for_a_crowd() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def crowd(port: int, paths: list[str]) -> Iterator[list[socket.socket]]:
    """Open a stream for each path, some hundred at a time, and wait for all responses."""
    with ExitStack() as stack:
        connections: list[socket.socket] = []
        for start in range(0, len(paths), 200):
            for path in paths[start : start + 200]:
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
                upgrade = HANDSHAKE if path.startswith("/ws") else ""
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n".encode())
                connections.append(connection)
            for connection in connections[start:]:
                assert connection.recv(12) in {b"HTTP/1.1 200", b"HTTP/1.1 101"}
        yield connections


def read_all_to_their_ends(connections: list[socket.socket]) -> list[bytes]:
    """Return the last bytes of each stream."""
    endings = dict.fromkeys(connections, b"")
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                readable = key.fileobj
                assert isinstance(readable, socket.socket)
                if received := readable.recv(65536):
                    endings[readable] = (endings[readable] + received)[-200:]
                else:
                    selector.unregister(readable)
    return list(endings.values())


@pytest.mark.timeout(120)
def test_sigterm_sends_shutdown_notices_to_five_thousand_streams_and_exits_in_time() -> None:
    with started_server() as (process, port), crowd(port, list(islice(cycle(PATHS), CROWD))) as connections:
        asked_at_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        endings = read_all_to_their_ends(connections)
        stdout, stderr = process.communicate(timeout=30)
        took_s = time.monotonic() - asked_at_s
    assert sum(NOTICE in ending for ending in endings) == CROWD
    # Each response is complete, with a last chunk or a close frame with this reason.
    assert sum(ending.endswith((b"0\r\n\r\n", NOTICE)) for ending in endings) == CROWD
    assert (process.returncode, stdout, stderr) == (0, "", "")
    assert took_s < END_WITHIN_S


@pytest.mark.timeout(120)
def test_memory_is_freed_after_ten_thousand_streams() -> None:
    with started_server() as (process, port), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:

        def come_and_go(paths: list[str]) -> int:
            with crowd(port, paths):
                pass
            until(lambda: client.get("/stats").json()["streams_open"] == 0)
            return int(Path(f"/proc/{process.pid}/statm").read_text("ascii").split()[1]) * resource.getpagesize()

        rounds = [list(islice(cycle(PATHS), AT_A_TIME)) for _ in range(COME_AND_GO // AT_A_TIME)]
        # The first streams import modules and grow the heap, which stays. The memory of each stream must be freed.
        before_bytes = min(come_and_go(rounds[0]) for _ in range(3))
        after_bytes = min([come_and_go(paths) for paths in rounds][-3:])
    assert after_bytes - before_bytes < MEMORY_NOISE_BYTES
