"""The server closes connections with an incomplete request, and no others. The tests shorten the timeout."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from running_demo import HANDSHAKE, Demo, running_demo

WITHIN_S = 1.0
SHORT = (
    f"import demo_server.connections.http_protocol as p; p.REQUEST_TIMEOUT_S = {WITHIN_S}; "
    "from demo_server.__main__ import main; main()"
)
HALF_HEAD = "GET /stats HTTP/1.1\r\nHost: localhost\r\nX-Half: "
HALF_BODY = "POST /channels/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"
WHOLE = "GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_ANSWER = b"HTTP/1.1 408 Request Timeout\r\n"


@pytest.fixture(name="demo", scope="module")
def demo_with_a_short_limit() -> Iterator[Demo]:
    with running_demo("--access-log", "none", code=SHORT) as demo:
        yield demo
        assert demo.end() == ""


def connect(demo: Demo) -> socket.socket:
    return socket.create_connection(("127.0.0.1", demo.port), timeout=30)


def ask_for_stats(connection: socket.socket) -> None:
    connection.sendall(WHOLE.encode())
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")


def read_to_end(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def test_incomplete_request_is_answered_408_and_closed(demo: Demo) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(demo)) for _ in range(3)]
        for connection, half in zip(connections, (HALF_HEAD, HALF_BODY, "G"), strict=True):
            connection.sendall(half.encode())
        for connection in connections:
            received = read_to_end(connection)
            assert received.startswith(LAST_ANSWER)
            assert received.endswith(b'{"detail": "the request was not complete after 1 s"}')


def test_incomplete_second_request_is_answered_408_and_closed(demo: Demo) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(demo)) for _ in range(2)]
        for connection, half in zip(connections, (HALF_HEAD, HALF_BODY), strict=True):
            ask_for_stats(connection)
            connection.sendall(half.encode())
        for connection in connections:
            assert read_to_end(connection).startswith(LAST_ANSWER)


def test_request_byte_by_byte_does_not_extend_the_timeout(demo: Demo) -> None:
    with connect(demo) as connection:
        connection.sendall(HALF_HEAD.encode())
        connection.settimeout(0.05)
        received, ends_s = b"", time.monotonic() + 30
        while not received and time.monotonic() < ends_s:
            with suppress(OSError):
                connection.sendall(b"x")
            with suppress(TimeoutError):
                received = connection.recv(65536)
    assert received.startswith(LAST_ANSWER)


def test_connection_without_a_request_is_closed_without_a_response(demo: Demo) -> None:
    with connect(demo) as connection:
        assert read_to_end(connection) == b""


def test_empty_line_after_a_response_does_not_keep_the_connection_open(demo: Demo) -> None:
    with connect(demo) as connection:
        ask_for_stats(connection)
        connection.sendall(b"\r\n")
        assert read_to_end(connection) == b""


@pytest.mark.parametrize(("request_line", "status"), [("POST /ndjson", b"405"), ("GET /load", b"200")])
def test_incomplete_request_with_a_response_is_aborted_without_a_408(
    demo: Demo, request_line: str, status: bytes
) -> None:
    received = b""
    with connect(demo) as connection, suppress(ConnectionResetError):
        connection.sendall(f"{request_line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf".encode())
        while chunk := connection.recv(65536):  # the stream itself is endless
            received += chunk
    assert received.startswith(b"HTTP/1.1 " + status)
    assert received.count(b"HTTP/1.1") == 1


def test_stream_outlasts_the_request_timeout(demo: Demo) -> None:
    with ExitStack() as stack:
        connections = {path: stack.enter_context(connect(demo)) for path in ("/load", "/stream", "/channels/x", "/ws")}
        for path, connection in connections.items():
            upgrade = HANDSHAKE if path == "/ws" else ""
            heartbeat = "heartbeat=0.2" if path == "/channels/x" else "rate=10"
            connection.sendall(f"GET {path}?{heartbeat} HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n".encode())
        ends_s = time.monotonic() + 3 * WITHIN_S
        while time.monotonic() < ends_s:
            for path, connection in connections.items():
                assert connection.recv(65536), path


def test_pipelined_request_behind_a_stream_has_no_timeout(demo: Demo) -> None:
    stream = "GET /load?rate=10&count=25 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    second = "POST /channels/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n"
    with connect(demo) as connection:
        connection.sendall((stream + second).encode())
        connection.sendall(b"x" * 200_000)
        with suppress(ConnectionResetError):  # above the size limit of a message
            received = b""
            while b"HTTP/1.1 413" not in received:
                received += connection.recv(65536)
    assert b"HTTP/1.1 413" in received
