"""Start and shutdown of the server. Each test has its own process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress

import httpx
import pytest
from demo_server_processes import END_WITHIN_S, serving, started_server
from real_processes import until

STREAMS_PER_ENDPOINT = 100
OPEN_STREAMS = ["/stream?interval=0.1", "/streaming-response?interval=0.1", "/load?rate=10"]
# Not read by these tests: all buffers are full, and the server waits in a send.
LARGEST_EVENTS = ["/stream?interval=0&size=1000000", "/load?rate=0&size=1000000"]
STALLED_STREAMS = ["/stream?interval=0&size=100000", "/streaming-response?interval=0", "/load?rate=0&size=100000"]


def open_streams(
    stack: ExitStack, port: int, paths: list[str], per_path: int, receive_buffer_bytes: int | None = None
) -> list[socket.socket]:
    """Open streams, and wait for all responses."""
    connections = []
    for path in paths * per_path:
        connection = stack.enter_context(socket.socket())
        connection.settimeout(30)
        if receive_buffer_bytes:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        connection.connect(("127.0.0.1", port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        connections.append(connection)
    for connection in connections:
        assert connection.recv(12) == b"HTTP/1.1 200"
    return connections


def read_to_end(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def assert_ends_cleanly(process: subprocess.Popen[str], asked_at_s: float) -> None:
    """The exit code is 0, stderr is empty, and the shutdown took less than END_WITHIN_S."""
    stdout, stderr = process.communicate(timeout=30)
    took_s = time.monotonic() - asked_at_s
    assert (process.returncode, stdout, stderr) == (0, "", "")
    assert took_s < END_WITHIN_S


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_server_and_completes_its_open_streams(number: signal.Signals) -> None:
    with started_server() as (process, port), ExitStack() as stack:
        connections = open_streams(stack, port, OPEN_STREAMS, STREAMS_PER_ENDPOINT)
        asked_at_s = time.monotonic()
        process.send_signal(number)
        endings = {read_to_end(connection)[-5:] for connection in connections}
        assert_ends_cleanly(process, asked_at_s)
    assert endings == {b"0\r\n\r\n"}  # the last chunk, so the response is complete


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_server_with_stalled_clients(number: signal.Signals) -> None:
    with started_server() as (process, port), ExitStack() as stack:
        open_streams(stack, port, STALLED_STREAMS, 10)
        asked_at_s = time.monotonic()
        process.send_signal(number)
        assert_ends_cleanly(process, asked_at_s)


@pytest.mark.parametrize("path", LARGEST_EVENTS)
def test_signal_ends_the_server_while_it_sends_its_largest_events(path: str) -> None:
    with started_server() as (process, port), ExitStack() as stack:
        open_streams(stack, port, [path], 50)
        asked_at_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert_ends_cleanly(process, asked_at_s)


def test_signal_handler_ends_the_streams_immediately() -> None:
    # Otherwise, each stream that is due would send one more event before the shutdown: 4 s with 400 events of 1 MB.
    script = """if True:
        import asyncio, signal, uvicorn
        from demo_server.server import DemoServer
        from demo_server.streams.registry import Streams
        from demo_server.streams.scope_keys import TRANSPORT_EXTENSION

        async def main():
            streams = Streams()
            server = DemoServer(uvicorn.Config("unused"), streams, None, None)
            scope = {"extensions": {TRANSPORT_EXTENSION: None}}
            with server.capture_signals(), streams.open(scope) as stream:
                signal.raise_signal(signal.SIGTERM)
                print(stream.ended)

        asyncio.run(main())
        """
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("True\n", "")


def test_unread_last_chunk_leaves_nothing_on_stderr() -> None:
    with started_server() as (process, port), ExitStack() as stack:
        connections = open_streams_that_lack_their_last_chunk(stack, port, 10)
        asked_at_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert_ends_cleanly(process, asked_at_s)
        assert not any(read_to_end(connection).endswith(b"0\r\n\r\n") for connection in connections)


def test_client_that_does_not_read_the_last_chunk_is_disconnected() -> None:
    code = "import demo_server.connections.stall_timeout as t; t.STALL_TIMEOUT_S = 1; "
    code += "from demo_server.__main__ import main; main()"
    with serving("--access-log", "none", code=code) as (process, url), ExitStack() as stack:
        port = int(url.rpartition(":")[2])
        (connection,) = open_streams_that_lack_their_last_chunk(stack, port, 1)
        with pytest.raises(OSError, match=r"reset|pipe"):
            # HTTP ignores an empty line between requests; a closed socket refuses it.
            while read_stats(port):
                connection.sendall(b"\r\n")
        process.terminate()
        assert_ends_cleanly(process, time.monotonic())


def open_streams_that_lack_their_last_chunk(stack: ExitStack, port: int, count: int) -> list[socket.socket]:
    """Open streams whose last event fills the kernel's buffers, and do not read."""
    path = "/stream?interval=0&size=1000000"
    # A fixed size: otherwise, the kernel chooses a different one for each connection.
    receive_buffer_bytes = 4096
    open_streams(stack, port, [path], 1, receive_buffer_bytes)
    fitting, repeats = 0, 0
    while repeats < 20 or not fitting:
        sent = read_stats(port)["events_sent"]
        fitting, repeats = sent, repeats + 1 if sent == fitting else 0
    connections = open_streams(stack, port, [f"{path}&count={fitting}"], count, receive_buffer_bytes)
    while read_stats(port)["events_sent"] < fitting * (count + 1):
        time.sleep(0.01)
    return connections


def read_stats(port: int) -> dict[str, int]:
    stats: dict[str, int] = httpx.get(f"http://127.0.0.1:{port}/stats", trust_env=False, timeout=30).json()
    return stats


def test_second_ctrl_c_ends_the_server_without_a_traceback() -> None:
    with started_server() as (process, port), ExitStack() as stack:
        open_streams(stack, port, OPEN_STREAMS, 10)
        stalled = open_streams(stack, port, STALLED_STREAMS, 1)
        asked_at_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        wait_until_listener_is_closed(port)  # the server handles the first signal, and waits for the stalled clients
        process.send_signal(signal.SIGINT)
        assert_ends_cleanly(process, asked_at_s)
        assert stalled


def wait_until_listener_is_closed(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=30).close()
        except OSError:
            return


def test_connection_accepted_during_shutdown_does_not_delay_it() -> None:
    # It is accepted, but not known to uvicorn yet when that closes the others, and it sends no request.
    script = """if True:
        import asyncio, socket, demo_server
        from demo_server.server import DemoServer

        client = socket.socket()
        shutdown = DemoServer.shutdown

        async def connect_and_shut_down(server, sockets=None):
            client.connect(sockets[0].getsockname())
            for _ in range(3):  # turns of the loop from the accept to the last one before connection_made
                await asyncio.sleep(0)
            await shutdown(server, sockets)

        DemoServer.shutdown = connect_and_shut_down
        demo_server.run(demo_server.Options(port=0))
        """
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        asked_at_s = time.monotonic()
        process.terminate()
        assert_ends_cleanly(process, asked_at_s)


@pytest.mark.parametrize("options", [[], ["--workers", "2"]])
@pytest.mark.parametrize("closed", ["stdout", "pipe"])
def test_server_runs_with_closed_stdout(options: list[str], closed: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "demo_server", "--port", str(port), "--access-log", "none", *options]
    reader, writer = os.pipe()
    os.close(reader)
    shell = ["sh", "-c", 'exec "$@" >&-', "sh"] if closed == "stdout" else []
    with subprocess.Popen([*shell, *command], stdout=writer, stderr=subprocess.PIPE, text=True) as process:
        os.close(writer)
        until(lambda: process.poll() is not None or answers(port))
        process.terminate()
        _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, "")


def answers(port: int) -> bool:
    with suppress(httpx.HTTPError):
        read_stats(port)
        return True
    return False


def test_disconnects_at_full_speed_leave_nothing_on_stderr() -> None:
    with started_server() as (process, port):
        for _ in range(5):
            with ExitStack() as stack:
                for connection in open_streams(stack, port, ["/load?rate=0"], 20):
                    connection.recv(65536)  # with unread data, the close is a reset
        process.terminate()
        assert_ends_cleanly(process, time.monotonic())


def test_end_of_stdin_ends_the_server_with_the_option() -> None:
    with started_server("--exit-on-stdin-eof") as (process, port), ExitStack() as stack:
        open_streams(stack, port, OPEN_STREAMS, 10)
        asked_at_s = time.monotonic()
        assert process.stdin is not None
        process.stdin.write("ignored\n")
        process.stdin.close()
        process.stdin = None  # or communicate() would flush it
        assert_ends_cleanly(process, asked_at_s)


def test_end_of_stdin_is_ignored_without_the_option() -> None:
    with started_server() as (process, port):
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        # Events for 1 s after the end of stdin: with the option, the server would have stopped after 0.1 s.
        body = httpx.get(f"http://127.0.0.1:{port}/load?rate=10&count=11", trust_env=False, timeout=30).text
        assert body.count("data:") == 11


def test_second_write_does_not_wait_for_the_acknowledgement_of_the_first() -> None:
    with started_server() as (_, port), httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        client.get("/stats")
        took_s = []
        for _ in range(20):
            start_s = time.perf_counter()
            client.get("/stats")
            took_s.append(time.perf_counter() - start_s)
    assert min(took_s) < 0.03  # with Nagle's algorithm, each waits 40 ms


@pytest.mark.parametrize(
    "head",
    [
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: localhost\r\nX-Long: ",
    ],
)
def test_request_beyond_the_size_limit_is_refused(head: str) -> None:
    with started_server() as (process, port), socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode())
        with suppress(OSError):  # the server has closed the connection
            while True:
                connection.sendall(b"x" * 10_000)
        process.terminate()
        assert_ends_cleanly(process, time.monotonic())
