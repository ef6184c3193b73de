"""`sse watch` and `sse bench` with ws:// URLs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from http_proxy import HttpProxy
from in_process import InProcess
from running_demo import Demo
from websocket_server import Handler, cut, echo, ending, websocket_server
from websockets.sync.server import ServerConnection

COMMAND = [sys.executable, "-m", "sseclient_cli"]


class Bench:
    """Runs `sse bench` in this process for at most 30 s, and returns its report."""

    def __init__(self, run: InProcess, file: Path) -> None:
        self._run, self._file = run, file

    def __call__(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        limit = () if "-z" in arguments else ("-z", "30s")
        found, _, err = self._run("bench", *arguments, *limit, "--json", str(self._file), "--no-tui")
        assert found == code, err
        report: dict[str, Any] = json.loads(self._file.read_text())
        return report


@pytest.fixture(name="bench")
def bench_in_process(sse_in_process: InProcess, tmp_path: Path) -> Bench:
    return Bench(sse_in_process, tmp_path / "report.json")


def test_the_demo_is_measured_like_its_event_stream(demo: Demo, bench: Bench) -> None:
    report = bench(f"ws://127.0.0.1:{demo.port}/ws?rate=20&count=10", "-n", "4")
    assert (report["streams"]["opened"], report["streams"]["ended_by_server"], report["errors"]) == (4, 4, [])
    assert report["events"]["by_type"] == {"message": 40}
    assert (report["audit"]["source"], report["audit"]["checked"], report["audit"]["lost"]) == ("data.seq", 40, 0)
    assert report["latency"]["delivery"]["count"] > 0
    assert 0 < report["latency"]["gap"]["count"] <= 36  # none for messages that arrive in one read
    assert report["bytes_without_event"] is None
    assert report["run"]["preflight"]["status"] == 101


def subscribing(connection: ServerConnection) -> None:
    """Send events after a subscription, each of them after the answer to a ping."""
    assert connection.recv() == "subscribe"
    for number in range(3):
        assert connection.ping().wait(30)
        connection.send(json.dumps({"seq": number}))
    connection.close()


def test_streams_subscribe_and_answer_pings(bench: Bench) -> None:
    with websocket_server(subscribing) as server:
        report = bench(server.url, "-n", "5", "--send", "subscribe", "--no-preflight")
    assert (report["events"]["received"], report["streams"]["ended_by_server"]) == (15, 5)
    assert report["events"]["comments"] == 15
    assert report["run"]["target"]["message_count"] == 1


@pytest.mark.parametrize(
    ("handler", "kind", "words"),
    [
        (ending("x", code=1011, reason="boom"), "ws-1011", "1011 (internal error) boom"),
        (ending("x", code=4001), "ws-4001", "4001 (private use)"),
        (cut("x"), "connection-lost", "without a close frame"),
        (ending("x", "y" * 101), "event-too-large", "more than 100 bytes"),
    ],
    ids=["1011", "4001", "cut", "too large"],
)
def test_an_abnormal_end_is_an_error_with_its_code(bench: Bench, handler: Handler, kind: str, words: str) -> None:
    with websocket_server(handler) as server:
        report = bench(server.url, "-n", "2", "--no-preflight", "--max-event-bytes", "100")
    [error] = report["errors"]
    assert (error["kind"], error["count"]) == (kind, 2)
    assert words in error["example"]
    assert (report["streams"]["broken"], report["events"]["received"]) == (2, 2)


def test_streams_reconnect_after_a_close(bench: Bench) -> None:
    with websocket_server(ending("x", code=1001), echo) as server:
        report = bench(server.url, "-n", "1", "--no-preflight", "--on-end", "reconnect", "--events", "1", "-z", "5s")
        assert len({request.headers["Sec-WebSocket-Key"] for request in server.requests}) == len(server.requests)
    assert report["streams"]["completed"] == 1


def test_a_refused_handshake_is_counted_by_status(bench: Bench) -> None:
    with websocket_server(echo, refused=(403, "no seat left")) as server:
        report = bench(server.url, "-n", "2", "--no-preflight", code=3)
    [error] = report["errors"]
    assert (error["kind"], error["count"]) == ("http-403", 2)
    assert "no seat left" in error["example"]


def test_a_storm_reopens_all_streams(bench: Bench) -> None:
    with websocket_server(echo) as server:
        report = bench(server.url, "-n", "3", "--send", "hello", "--no-preflight", "-z", "2s", "--storm", "1s")
    assert (report["streams"]["reconnected"], report["events"]["received"]) == (3, 6)


def test_streams_use_tls(bench: Bench, authority: Authority) -> None:
    with websocket_server(ending("x"), ssl_context=authority.server()) as server:
        report = bench(server.url, "-n", "2", "--cacert", authority.file)
    assert (report["events"]["received"], report["errors"], report["latency"]["tls"]["count"]) == (2, [], 2)


@pytest.mark.parametrize("is_tls", [False, True], ids=["ws", "wss"])
async def test_a_proxy_gets_a_tunnel_for_each_stream(is_tls: bool, authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    context = authority.server("events.test") if is_tls else None
    with websocket_server(ending("x"), ssl_context=context) as server:
        async with HttpProxy(server) as proxy:
            url = f"{'wss' if is_tls else 'ws'}://events.test/"
            command = [*COMMAND, "bench", url, "--proxy", proxy.url, "--cacert", authority.file, "-n", "2", "-z", "30s"]
            made = await asyncio.create_subprocess_exec(*command, "--json", str(file), "-q", stderr=PIPE)
            _, err = await made.communicate()
    assert made.returncode == 0, err
    report = json.loads(file.read_text())
    assert (report["events"]["received"], report["errors"]) == (2, [])
    asked = {(each.method, each.target) for each in proxy.requests}
    assert asked == {("CONNECT", f"events.test:{443 if is_tls else 80}")}


def test_an_event_stream_against_a_websocket_is_one_run(demo: Demo, tmp_path: Path) -> None:
    host, file = f"127.0.0.1:{demo.port}", tmp_path / "ab.json"
    urls = [f"http://{host}/stream?rate=20", "--against", f"ws://{host}/ws?rate=20"]
    command = [*COMMAND, "bench", *urls, "-n", "6", "-z", "3s", "--workers", "2"]
    made = subprocess.run(
        [*command, "--json", str(file), "--no-tui"], capture_output=True, text=True, timeout=50, check=False
    )
    assert made.returncode == 0, made.stderr
    sse, websocket = json.loads(file.read_text())["reports"]
    for report in (sse, websocket):
        assert (report["streams"]["opened"], report["streams"]["failed"], report["errors"]) == (6, 0, [])
        assert report["latency"]["delivery"]["count"] > 0
    assert websocket["events"]["bytes"] < sse["events"]["bytes"]


def test_repeating_a_run_with_messages_needs_the_messages(sse_in_process: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    with websocket_server(echo) as server:
        options = ("-n", "1", "--events", "1", "--no-preflight", "-z", "30s", "--no-tui")
        assert sse_in_process("bench", server.url, *options, "--send", "x", "--json", str(file))[0] == 0
        code, _, err = sse_in_process("bench", "--from", str(file))
        assert (code, "give them with --send" in err) == (2, True)
        assert sse_in_process("bench", "--from", str(file), "--send", "y", "-q")[0] == 0


def test_watch_ends_with_the_close_code(sse_in_process: InProcess) -> None:
    with websocket_server(ending("one", reason="bye")) as server:
        code, out, err = sse_in_process("watch", server.url)
    assert (code, out.endswith(" message one\n")) == (0, True)
    assert err.splitlines() == [
        "close code 1000 (OK) bye",
        "the server ended the stream; --reconnect would send the GET again: 1 event",
    ]


def test_watch_fails_with_a_close_code_that_is_final(sse_in_process: InProcess) -> None:
    with websocket_server(ending("one", code=1008, reason="no\x1b[2J")) as server:
        code, _, err = sse_in_process("watch", server.url)
    words = "the server closed the WebSocket with the close code 1008 (policy violation) no\\x1b[2J"
    assert (code, err) == (3, f"sse: {words}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["watch", "http://127.0.0.1:1/", "--send", "x"], "only a WebSocket (ws:// or wss://) can have --send"),
        (["bench", "http://127.0.0.1:1/", "--send", "x"], "only a WebSocket (ws:// or wss://) can have --send"),
        (["watch", "ws://127.0.0.1:1/", "-d", "x"], "leave out --data, and send text with --send"),
        (["watch", "ws://127.0.0.1:1/", "--format", "lines"], "not divided by a --format"),
        (["check", "ws://127.0.0.1:1/"], "`sse check` examines event streams"),
        (["watch", "ws://127.0.0.1:1/", "--proxy", "https://127.0.0.1:1"], "cannot be used for ws:// URLs"),
    ],
)
def test_what_no_websocket_can_have_is_refused_in_one_line(
    sse_in_process: InProcess, arguments: list[str], words: str
) -> None:
    code, out, err = sse_in_process(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
