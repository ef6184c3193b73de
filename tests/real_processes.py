"""Helpers for tests of several processes: child processes, the counters of a server, and how to wait for both."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

SSE = [sys.executable, "-m", "sseclient_cli"]


def until(is_so: Callable[[], bool], timeout_s: float = 15) -> None:
    """Wait until ``is_so()``, with a check every 0.01 s."""
    ends_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < ends_s, f"the condition was not met within {timeout_s} s"
        time.sleep(0.01)


def streams_open(server: str) -> int:
    """Return the number of open streams of the demo server."""
    return int(json_of(server, "/stats")["streams_open"])


def json_of(server: str, path: str) -> Any:
    """Return a JSON answer. Tests ask often while they wait: `httpx.get` needs 40 ms of CPU for its TLS context."""
    with contextlib.closing(HTTPConnection(server.removeprefix("http://"), timeout=30)) as connection:
        connection.request("GET", path)
        return json.load(connection.getresponse())


def children_of(pid: int) -> dict[int, str]:
    """Return the children of a process with their command lines, without children that have just ended."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split():
        with contextlib.suppress(OSError):
            found[int(child)] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def workers_of(pid: int) -> list[int]:
    """Return the worker processes of `sse bench`."""
    return sorted(child for child, command in children_of(pid).items() if "spawn_main" in command)


def is_running(pid: int) -> bool:
    """Return whether the process is running; a zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
