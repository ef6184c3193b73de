"""Streams with every fault end when their client disconnects, and at shutdown."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from demo_server_processes import END_WITHIN_S, serving
from raw_client import RawClient
from real_processes import streams_open, until

NOTICE = b": the server is going down\n\n"

# Each is in the middle of its fault while its client reads.
AT_WORK = [
    "interval=0&stall=1",
    "interval=0&stall=0&line_end=crlf",
    "interval=0.01&endless_line=1",
    "interval=0&endless_line=0",
    "interval=0&huge=1&huge_bytes=2000000000",
    "interval=0.01&burst=10000",
    "interval=0&split_utf8=true",
    "heartbeats_only=true&heartbeat=0.01",
    "heartbeats_only=true&heartbeat=3600",
    "interval=3600&drop=2&reorder=10",
    "interval=0.01&no_final_blank=true&close=100000&line_end=mixed&bom=true",
    "header_delay=3600",
    "header_delay=3600&status=503",
    "header_delay=3600&redirect=1",
    "interval=3600&huge=1&huge_bytes=1000",
]
# Each waits for a stalled client.
UNREAD = [
    "interval=0&endless_line=0",
    "interval=0&huge=1&huge_bytes=2000000000",
    "interval=0&size=1000000&truncate=5",
    "interval=0&size=1000000&reset=1000",
    "interval=0&size=1000000&close=1000&no_final_blank=true&count=1000",
    "interval=0&size=1000000&burst=8",
    "interval=0&size=1000000&split_utf8=true",
]


@contextmanager
def server() -> Iterator[tuple[subprocess.Popen[str], str]]:
    with serving("--access-log", "none") as served:
        yield served


def open_all(stack: ExitStack, url: str, queries: list[str]) -> list[RawClient]:
    clients = [stack.enter_context(RawClient(f"{url}/faults?run=a&{query}")) for query in queries]
    until(lambda: streams_open(url) == len(queries))
    return clients


def open_unread(stack: ExitStack, url: str, query: str) -> socket.socket:
    """Open a stream on a connection with a small buffer, and do not read."""
    connection = stack.enter_context(socket.socket())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    parts = urlsplit(url)
    connection.connect((parts.hostname, parts.port))
    connection.sendall(f"GET /faults?run=a&{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


def endings(url: str) -> dict[str, int]:
    found: dict[str, int] = httpx.get(f"{url}/truth/a").json()["totals"]["ended"]
    return found


def test_each_fault_stream_ends_within_a_second_of_its_client() -> None:
    with server() as (process, url):
        with ExitStack() as stack:
            open_all(stack, url, AT_WORK)
        until(lambda: streams_open(url) == 0, timeout_s=1)
        redirected = 1
        assert endings(url) == {"client": len(AT_WORK) - redirected}
        process.terminate()
        assert process.communicate(timeout=20) == ("", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_each_fault_stream_with_a_complete_response(number: signal.Signals) -> None:
    with server() as (process, url), ExitStack() as stack:
        clients = open_all(stack, url, AT_WORK)
        clients[-1].read_to(b"\n\n")  # the signal comes between its events, not inside one
        asked_at_s = time.monotonic()
        process.send_signal(number)
        answers = [client.read() for client in clients]
        assert process.communicate(timeout=20) == ("", "")
        assert time.monotonic() - asked_at_s < END_WITHIN_S
    assert process.returncode == 0
    assert {query: answer.ended for query, answer in zip(AT_WORK, answers, strict=True)} == dict.fromkeys(
        AT_WORK, "complete"
    )
    silent = {
        query: answer.body
        for query, answer in zip(AT_WORK, answers, strict=True)
        if answer.status == 200 and "mixed" not in query and not answer.body.replace(b"\r\n", b"\n").endswith(NOTICE)
    }
    # A notice is impossible inside a line. The signal may arrive before the first line or between two lines.
    assert set(silent) <= {AT_WORK[2], AT_WORK[3], AT_WORK[4]}
    assert not any(body.endswith(b"\n") for body in silent.values())


def test_signal_ends_each_fault_stream_of_a_stalled_client() -> None:
    with server() as (process, url), ExitStack() as stack:
        for query in UNREAD:
            open_unread(stack, url, query)
        until(lambda: streams_open(url) == len(UNREAD))
        asked_at_s = time.monotonic()
        process.terminate()
        assert process.communicate(timeout=20) == ("", "")
        assert time.monotonic() - asked_at_s < END_WITHIN_S
    assert process.returncode == 0


def test_events_not_accepted_by_the_kernel_are_not_logged_as_sent() -> None:
    with server() as (_, url):
        with ExitStack() as stack:
            open_unread(stack, url, "interval=0&size=1000000")
            until(lambda: endings(url) == {"open": 1})
        until(lambda: streams_open(url) == 0)
        log = httpx.get(f"{url}/truth/a").json()["totals"]
        assert log["sent"] == httpx.get(f"{url}/stats").json()["events_sent"] > 0


def test_disconnects_just_before_a_reset_leave_nothing_on_stderr() -> None:
    with server() as (process, url):
        with ExitStack() as stack:
            for client in [stack.enter_context(RawClient(f"{url}/faults?interval=0&reset=1&run=a")) for _ in range(50)]:
                client.read_chunks(1)
        until(lambda: streams_open(url) == 0, timeout_s=1)
        assert endings(url).get("client")
        process.terminate()
        assert process.communicate(timeout=20) == ("", "")


def test_disconnects_without_reading_leave_nothing_on_stderr() -> None:
    with server() as (process, url):
        for _ in range(3):
            with ExitStack() as stack:
                for query in UNREAD:
                    open_unread(stack, url, query)
                until(lambda: streams_open(url) == len(UNREAD))
            until(lambda: streams_open(url) == 0, timeout_s=1)
        process.terminate()
        assert process.communicate(timeout=20) == ("", "")
