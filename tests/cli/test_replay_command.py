"""`sse replay`, and recordings as the URL of other commands, with real processes."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import PAGE, PAGE_PATH, Browser, event_of
from in_process import InProcess
from recordings import at_ms, numbered, recording_file
from scripted_server import ScriptedServer

from sseclient_cli.cli.options.values import parse_speed
from sseclient_cli.cli.replay import is_recording
from sseclient_cli.client.recording import Ended, Header, Opened, RecordedComment, RecordedRetry, encode
from sseclient_cli.sse.event_stream import Event, EventStreamParser

COMMAND = [sys.executable, "-m", "sseclient_cli"]
END = Ended(arrived_ns=0, elapsed_ns=50_000_000, reason="the server ended the stream")


def sse(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=50, check=False)


def test_replay_serves_a_recording_until_ctrl_c(tmp_path: Path) -> None:
    path = recording_file(tmp_path, *numbered(3, 5), b"\x00 damaged\n", END)
    command = [*COMMAND, "replay", str(path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name, _, url = process.stdout.readline().rstrip().rpartition(" on ")
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            whole = EventStreamParser().feed(client.get("/any/path").content)
            rest = EventStreamParser().feed(client.post("/", headers={"Last-Event-ID": "2"}).content)
            is_over = client.get("/", headers={"Last-Event-ID": "3"}).status_code
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert name == "replay"
    assert [event.data for event in whole] == ["1", "2", "3"]
    assert [event.data for event in rest] == ["3"]
    assert is_over == 204
    assert process.returncode == 0
    assert err.splitlines() == [
        f"{path}: line 5 is skipped: it is not JSON",
        f"{path}: 3 events in 0.1 s",
    ]


async def test_a_page_of_another_origin_follows_a_replay_to_its_end(browser: Browser, tmp_path: Path) -> None:
    retry = RecordedRetry(arrived_ns=0, elapsed_ns=0, retry_ms=10)
    path = recording_file(tmp_path, retry, *numbered(2, 5), at_ms(20, "a\nb", id="3", type="price"))
    command = [*COMMAND, "replay", str(path), "--port", "0"]

    def watch(page: str) -> list[list[Any]]:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout is not None
            _, _, url = process.stdout.readline().rstrip().rpartition(" on ")
            browser.go_to(page)
            log = browser.watch(url, ["message", "price"])
            process.terminate()
        return log

    async with ScriptedServer(pages={PAGE_PATH: PAGE}) as pages:
        log = await asyncio.to_thread(watch, pages.url + PAGE_PATH)
    found = [Event("message", "1", "1"), Event("message", "2", "2"), Event("price", "a\nb", "3")]
    assert [event_of(entry) for entry in log if entry[0] == "event"] == found
    # It reconnects once, and stops at the answer 204.
    assert [entry[:2] for entry in log if entry[0] == "error"] == [["error", 0], ["error", 2]]


def test_a_recording_can_be_watched_to_its_end(tmp_path: Path) -> None:
    path = recording_file(tmp_path, *numbered(3, 5), b"{}\n", END)
    done = sse("watch", str(path), "--raw")
    assert (done.returncode, done.stdout) == (0, "1\n2\n3\n")
    assert done.stderr == f"{path}: line 5 is skipped: it has no kind\n"


def test_several_streams_of_a_recording_are_watched_together(tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    header = Header(recording=1, streams=["http://a/prices", "http://b/news"], started_ns=0)
    second = encode(at_ms(1, "2")).replace(b"{", b'{"stream":1,', 1)
    path.write_bytes(encode(header) + encode(at_ms(0, "1")) + second)
    done = sse("watch", str(path), "--no-tui")
    assert done.returncode == 0
    assert sorted(line.split(" ", 1)[1] for line in done.stdout.splitlines()) == [
        "/news message 2",
        "/prices message 1",
    ]


def test_a_recording_can_be_benched(tmp_path: Path) -> None:
    path = recording_file(tmp_path, *numbered(5, 20), END)
    done = sse("bench", str(path), "-n", "3", "-z", "30s", "--events", "15", "--json", "-")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["events"]["received"] == 15


def test_bench_says_which_of_several_recorded_streams_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    header = Header(recording=1, streams=["http://a/prices", "http://b/news"], started_ns=0)
    path.write_bytes(encode(header) + encode(at_ms(0, "1")))
    done = sse("bench", str(path), "-n", "1", "-z", "30s", "--events", "1")
    assert "the recording has 2 streams: this is /prices; `sse replay` serves the others too\n" in done.stderr


def test_a_report_of_a_recording_has_its_figures(sse_in_process: InProcess, tmp_path: Path) -> None:
    opened = Opened(arrived_ns=0, elapsed_ns=0, status=200, headers={})
    reopened = Opened(arrived_ns=0, elapsed_ns=40_000_000, status=200, headers={})
    beat = RecordedComment(arrived_ns=0, elapsed_ns=20_000_000, text="")
    path = recording_file(
        tmp_path, opened, at_ms(10, "äx", type="a", id="7"), beat, b"?\n", reopened, at_ms(45, "y"), END
    )
    code, out, err = sse_in_process("report", str(path))
    assert (code, err) == (0, f"{path}: line 5 is skipped: it is not JSON\n")
    assert "http://example.com/events, recorded 1970-01-01" in out
    assert "2 events" in out
    assert "1 reconnect" in out

    code, out, err = sse_in_process("report", str(path), "--json", "-", "-q")
    document = json.loads(out)
    [stream] = document.pop("streams")
    assert document["skipped_lines"] == 1
    assert document["started_at"] == "1970-01-01T00:16:40+00:00"
    assert (stream["url"], stream["types"]) == ("http://example.com/events", {"a": 1, "message": 1})
    assert (stream["comments"], stream["connections"], stream["data_bytes"]) == (1, 2, 4)
    assert stream["gaps"]["longest_us"] == 35_000
    assert (stream["duration_s"], stream["longest_silence_s"]) == (0.05, 0.02)


def test_a_recording_is_reported_alone(sse_in_process: InProcess, tmp_path: Path) -> None:
    path = str(recording_file(tmp_path, at_ms(0, "x")))
    for more in ([path], ["--assert", "events.received > 1"]):
        code, _, err = sse_in_process("report", path, *more)
        assert (code, "show it alone" in err) == (2, True)
    code, _, err = sse_in_process("report", path, "--html", str(tmp_path / "x.html"))
    assert (code, "only a summary" in err) == (2, True)


@pytest.mark.parametrize("command", ["watch", "bench", "replay"])
def test_another_file_is_one_clear_error(command: str, sse_in_process: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello\n")
    code, _, err = sse_in_process(command, str(path))
    assert code == 2
    assert err == (
        f"sse: {path} is not a recording: line 1 is no header (it is not JSON); "
        "`sse watch URL --record FILE` makes a recording\n"
    )


@pytest.mark.parametrize("url", ["demo", "demo/stream"])
def test_demo_is_the_bundled_server_also_beside_a_file_of_that_name(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / url).parent.mkdir(exist_ok=True)
    (tmp_path / url).write_text("no recording")
    monkeypatch.chdir(tmp_path)
    assert not is_recording(url)


def test_a_recording_without_events_cannot_be_replayed(sse_in_process: InProcess, tmp_path: Path) -> None:
    code, _, err = sse_in_process("replay", str(recording_file(tmp_path, END)))
    assert (code, "no event and no comment to replay" in err) == (2, True)


def test_a_port_in_use_has_a_fix(sse_in_process: InProcess, tmp_path: Path) -> None:
    path = recording_file(tmp_path, at_ms(0, "x"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, _, err = sse_in_process("replay", str(path), "--port", str(port))
    assert code == 2
    assert err.splitlines()[-1] == (
        f"sse: cannot listen on 127.0.0.1 port {port}: address already in use; --port 0 picks a free port"
    )


@pytest.mark.parametrize(("text", "speed"), [("10x", 10), ("0.5x", 0.5), ("2", 2), ("max", float("inf"))])
def test_speeds_are_read(text: str, speed: float) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["0x", "-1x", "fast", "x", "", "nan", "inf", "1e9x"])
def test_other_speeds_are_refused(text: str, sse_in_process: InProcess) -> None:
    code, _, err = sse_in_process("replay", "x", f"--speed={text}")
    assert (code, "is not a speed: write it like 10x, 0.5x or max" in err) == (2, True)
