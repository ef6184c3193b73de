"""What the demo server answers, asked of one real server that all tests share.

Each test begins without open streams and looks at differences of the other counters, so their order is free.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

STREAMING_PATHS = ["/stream", "/streaming-response", "/load"]
# No second event within a test: whatever ends such a stream was not its timer.
ENDLESS_AND_SLOW = ["/stream?interval=3600", "/streaming-response?interval=3600", "/load?rate=0.0003"]
FULL_BLAST = ["/stream?interval=0&size=10000", "/streaming-response?interval=0", "/load?rate=0&size=10000"]


@pytest.fixture(scope="module", name="shared_client")
def start_server_and_client() -> Iterator[httpx.Client]:
    command = [sys.executable, "-m", "demo_server", "--port", "0", "--exit-on-stdin-eof"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
        httpx.Client(base_url=read_url(process), timeout=30, trust_env=False) as client,
    ):
        yield client
        process.terminate()


@pytest.fixture(name="client")
def wait_until_idle(shared_client: httpx.Client) -> httpx.Client:
    """The client of a server that has noticed that the streams of the test before are gone."""
    wait_for_stats(shared_client, 10, lambda stats: stats["streams_open"] == 0)
    return shared_client


def read_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().removeprefix("demo server on ").strip()


def read_stats(client: httpx.Client) -> dict[str, int]:
    stats: dict[str, int] = client.get("/stats").json()
    return stats


def wait_for_stats(client: httpx.Client, within_s: float, reached: Callable[[dict[str, int]], bool]) -> None:
    """Ask until the counters are as they should be; the server offers no event to wait for."""
    deadline_s = time.monotonic() + within_s
    while not reached(stats := read_stats(client)):
        assert time.monotonic() < deadline_s, stats


def open_stream(client: httpx.Client, path: str) -> socket.socket:
    """Return a connection on which the response's head has arrived."""
    connection = socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=30)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: demo\r\n\r\n".encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def read_data(body: str) -> list[dict[str, object]]:
    return [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line.startswith("data:")]


def test_stream_sends_an_id_and_json_with_crlf_and_ends_after_count(client: httpx.Client) -> None:
    response = client.get("/stream?count=2&interval=0")
    first, second = read_data(response.text)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text == (f"id: 1\r\ndata: {json.dumps(first)}\r\n\r\nid: 2\r\ndata: {json.dumps(second)}\r\n\r\n")
    assert [list(first), first["seq"], second["seq"]] == [["seq", "ts"], 1, 2]


def test_load_sends_an_id_and_json_with_lf_and_ends_after_count(client: httpx.Client) -> None:
    response = client.get("/load?count=2&rate=0")
    first, second = read_data(response.text)
    assert response.headers["content-type"] == "text/event-stream"
    assert response.text == (
        f'id: 1\ndata: {{"seq":1,"ts":{first["ts"]}}}\n\nid: 2\ndata: {{"seq":2,"ts":{second["ts"]}}}\n\n'
    )


def test_streaming_response_sends_plain_lines_and_ends_after_count(client: httpx.Client) -> None:
    response = client.get("/streaming-response?count=3&interval=0")
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text == "data 0\ndata 1\ndata 2\n"


@pytest.mark.parametrize("path", ["/stream?interval=0", "/load?rate=0"])
def test_size_adds_that_many_bytes_of_padding(client: httpx.Client, path: str) -> None:
    (data,) = read_data(client.get(f"{path}&count=1&size=1000").text)
    assert data["pad"] == "x" * 1000


def test_event_names_the_type_of_the_events(client: httpx.Client) -> None:
    body = client.get("/stream?count=1&interval=0&event=price").text
    assert "event: price\r\n" in body


@pytest.mark.parametrize("path", ["/stream?interval=0", "/load?rate=0"])
def test_timestamps_are_nanoseconds_of_the_wall_clock(client: httpx.Client, path: str) -> None:
    before_ns = time.time_ns()
    (data,) = read_data(client.get(f"{path}&count=1").text)
    assert isinstance(data["ts"], int)
    assert before_ns <= data["ts"] <= time.time_ns()


@pytest.mark.parametrize("path", ["/stream?interval=0", "/load?rate=0"])
def test_sequence_goes_on_after_last_event_id(client: httpx.Client, path: str) -> None:
    body = client.get(f"{path}&count=2", headers={"Last-Event-ID": "41"}).text
    assert [data["seq"] for data in read_data(body)] == [42, 43]
    assert "id: 42" in body


@pytest.mark.parametrize("last_event_id", ["", "abc", "-1", "1.5", "²", "9" * 5000], ids=lambda text: text[:3])
def test_foreign_last_event_id_starts_the_sequence_anew(client: httpx.Client, last_event_id: str) -> None:
    headers = [(b"Last-Event-ID", last_event_id.encode())]
    for path in ("/stream?interval=0&count=1", "/load?rate=0&count=1"):
        assert read_data(client.get(path, headers=headers).text)[0]["seq"] == 1


@pytest.mark.parametrize(
    ("path", "parameter"),
    [(path, parameter) for path in STREAMING_PATHS[:2] for parameter in ("interval=abc", "interval=-1")]
    + [(path, f"interval={value}") for path in STREAMING_PATHS[:2] for value in ("nan", "inf", "")]
    + [("/load", f"rate={value}") for value in ("-1", "abc", "nan", "inf", "")]
    + [(path, f"count={value}") for path in STREAMING_PATHS for value in ("0", "-1", "1.5", "9" * 30)]
    + [(path, f"size={value}") for path in ("/stream", "/load") for value in ("-1", "1000001", "abc")]
    + [("/stream", "event=a%0Aid:7"), ("/stream", "event=a%0D")],
)
def test_bad_parameter_is_refused_by_name(client: httpx.Client, path: str, parameter: str) -> None:
    response = client.get(f"{path}?{parameter}")
    (problem,) = response.json()["detail"]
    assert response.status_code == 422
    assert problem["loc"] == ["query", parameter.partition("=")[0]]
    assert problem["msg"]


def test_load_answers_get_only(client: httpx.Client) -> None:
    assert client.post("/load").status_code == 405


def test_healthz_says_ok(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "path", ["/stream?interval=0.001", "/streaming-response?interval=0.001", "/load?rate=1000", "/load?rate=0"]
)
def test_stats_count_exactly_what_was_sent(client: httpx.Client, path: str) -> None:
    streams, count = 20, 100
    before = read_stats(client)
    joint = "&" if "?" in path else "?"
    with ThreadPoolExecutor(streams) as pool:
        bodies = list(pool.map(lambda _: client.get(f"{path}{joint}count={count}").text, range(streams)))
    after = read_stats(client)
    assert sum(body.count("data") for body in bodies) == streams * count
    assert after["events_sent"] - before["events_sent"] == streams * count
    assert after["streams_opened"] - before["streams_opened"] == streams
    assert after["streams_open"] == 0


def test_refused_request_does_not_count_as_a_stream(client: httpx.Client) -> None:
    before = read_stats(client)
    for path in STREAMING_PATHS:
        client.get(f"{path}?count=abc")
    assert read_stats(client) == before


@pytest.mark.parametrize("path", ENDLESS_AND_SLOW + FULL_BLAST)
def test_stream_is_closed_within_a_second_of_its_client(client: httpx.Client, path: str) -> None:
    connections = [open_stream(client, path) for _ in range(10)]
    wait_for_stats(client, 10, lambda stats: stats["streams_open"] == 10)
    for connection in connections:
        connection.close()
    wait_for_stats(client, 1, lambda stats: stats["streams_open"] == 0)


def test_event_that_the_kernel_has_not_wholly_taken_is_not_counted(client: httpx.Client) -> None:
    sent_before = read_stats(client)["events_sent"]
    with open_stream(client, "/load?rate=0&size=1000000") as connection:
        stalled_at = settle(lambda: read_stats(client)["events_sent"] - sent_before)
        # To uvicorn a half-closed connection is a lost one: it writes what it holds, the event that was under way,
        # and that is the end.
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(1 << 20):
            received += chunk
    assert received.count(b'"}\n\n') == stalled_at + 1
    assert read_stats(client)["events_sent"] - sent_before == stalled_at


def settle(read: Callable[[], int]) -> int:
    """Return the first value that is read twenty times in a row: the kernel's buffers are full then."""
    value, repeats = read(), 0
    while repeats < 20 or not value:
        latest = read()
        value, repeats = (value, repeats + 1) if latest == value else (latest, 0)
    return value


def test_stalled_client_of_stream_is_hung_up_on(client: httpx.Client) -> None:
    with open_stream(client, "/stream?interval=0&size=1000000"):
        wait_for_stats(client, 10, lambda stats: stats["streams_open"] == 1)
        wait_for_stats(client, 30, lambda stats: stats["streams_open"] == 0)


def test_full_blast_leaves_the_loop_to_others(client: httpx.Client) -> None:
    def read_to_end(connection: socket.socket) -> None:
        # Without parsing, a client is faster than the server: no full buffer ever makes the server pause.
        buffer = bytearray(1 << 20)
        while connection.recv_into(buffer):
            pass

    with ThreadPoolExecutor(1) as pool, open_stream(client, "/load?rate=0") as blast:
        reading = pool.submit(read_to_end, blast)
        try:
            answers = [client.get("/healthz", timeout=5).status_code for _ in range(20)]
            assert not reading.done()
        finally:
            blast.shutdown(socket.SHUT_RDWR)
    assert answers == [200] * 20


@pytest.mark.parametrize("path", ["/stream?interval=0.005&count=401", "/load?rate=1000&count=2001"])
def test_pace_does_not_drift(client: httpx.Client, path: str) -> None:
    stamps_ns = [data["ts"] for data in read_data(client.get(path).text)]
    assert isinstance(stamps_ns[0], int)
    interval_ns = 2_000_000_000 // (len(stamps_ns) - 1)
    late_ns = [ts - stamps_ns[0] - k * interval_ns for k, ts in enumerate(stamps_ns) if isinstance(ts, int)]
    # A busy machine makes single events late, but the pace catches up: some event of the last fifth is on time. An
    # interval counted from the last send is late by the sum of all lateness instead, and never early again.
    assert min(late_ns[-len(late_ns) // 5 :]) < 20_000_000
    assert late_ns[-1] > -1_000_000_000  # nor is it a burst
