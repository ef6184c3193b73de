"""More clients than open files: the server refuses them with a reason, and logs one line."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from real_processes import until
from running_demo import Demo, running_demo

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")

FILES = 200
CLIENTS = 300
LIMITED = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES})); "
LIMITED += "from demo_server.__main__ import main; main()"
LINE = re.compile(
    r"demo server: all 200 open files are in use: (\d+) connections were refused with 503"
    r"(; further connections wait)?\. Raise the limit \(`ulimit -n`\) or start more --workers"
)


@contextmanager
def clients(demo: Demo, request: bytes) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        connections = []
        for _ in range(CLIENTS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", demo.port), timeout=30))
            connection.sendall(request)
            connections.append(connection)
        yield connections


def answers(demo: Demo) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{demo.port}/stats", trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_connections_beyond_the_limit_are_answered_503_and_logged_in_one_line() -> None:
    with running_demo("--access-log", "none", code=LIMITED) as demo:
        with clients(demo, b"GET /load HTTP/1.1\r\nHost: localhost\r\n\r\n") as connections:
            answered = [connection.recv(12) for connection in connections]
            refused = [connections[i] for i, line in enumerate(answered) if line == b"HTTP/1.1 503"]
            assert len(refused) + answered.count(b"HTTP/1.1 200") == CLIENTS
            assert CLIENTS - FILES < len(refused) < CLIENTS / 2
            assert b"raise it (ulimit -n)" in refused[0].recv(65536)
        until(lambda: answers(demo))
        lines = demo.end().splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), lines
    assert sum(int(match[1]) for match in matches if match) >= len(refused)
    assert len(lines) <= 2  # a busy machine may take longer than the time between two lines


def test_idle_connections_at_the_limit_are_logged_in_few_lines_and_the_server_recovers() -> None:
    with running_demo("--access-log", "none", code=LIMITED) as demo:
        with clients(demo, b""):
            until(lambda: "in use" in demo.read_stderr(), 30)
        until(lambda: answers(demo), 30)
        lines = demo.end().splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert 1 <= len(lines) <= 10
