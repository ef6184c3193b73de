"""`sse watch --record FILE`: everything that arrives is in the file, and no secret."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from in_process import InProcess
from scripted_server import Do, Script, ScriptedServer, head

from sseclient_cli.cli.recorder import Recorder, Recording
from sseclient_cli.cli.recording_file import RecordingFile
from sseclient_cli.client.recording import (
    Ended,
    Header,
    Opened,
    RecordedComment,
    RecordedEvent,
    RecordedRetry,
    decode,
    decode_header,
    encode,
)
from sseclient_cli.client.recording import Record as AnyRecord
from sseclient_cli.client.source import EventSource
from sseclient_cli.errors import LimitError, UsageError
from sseclient_cli.request.target import Target

HEADER = encode(Header(recording=1, streams=["http://h/"], started_ns=1))
COMMAND = [sys.executable, "-m", "sseclient_cli", "watch"]


async def record(path: Path, url: str) -> None:
    """Record a stream to its end."""
    target = Target.parse(url)
    recorders: list[Recorder] = []
    with RecordingFile(path) as file:
        source = EventSource(
            target,
            on_comment=lambda comment: recorders[0].comment(comment),
            on_state=lambda change: recorders[0].state(change),
        )
        recorders.append(Recording(file, [target]).stream(0, source))
        async with source:
            async for event in source:
                recorders[0].event(event)


def records_of(path: Path) -> list[AnyRecord]:
    _, *lines = path.read_bytes().splitlines(keepends=True)
    return [decode(line) for line in lines]


async def test_all_that_arrives_is_recorded_in_order(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    first: Script = [head(), b": beat\n\nretry: 20\nevent: a\nid: 1\ndata: x\ndata: y\n\n"]
    async with ScriptedServer(first, [head(), b"data: z\n\n"]) as server:
        await record(path, server.url)
    records = records_of(path)
    opened, retry, comment, event, end, reopened, other, other_end, last_end = records
    assert isinstance(opened, Opened)
    assert (opened.status, opened.headers["content-type"], opened.format) == (200, "text/event-stream", "sse")
    assert isinstance(retry, RecordedRetry)
    assert retry.retry_ms == 20
    assert isinstance(comment, RecordedComment)
    assert comment.text == " beat"
    assert isinstance(event, RecordedEvent)
    assert (event.type, event.id, event.data) == ("a", "1", "x\ny")
    assert isinstance(end, Ended)
    assert (end.reason, end.reconnect_after_s) == ("the server ended the stream", 0.02)
    assert isinstance(reopened, Opened)
    assert isinstance(other, RecordedEvent)
    assert (other.type, other.id, other.data) == ("message", "1", "z")
    assert isinstance(other_end, Ended)
    assert isinstance(last_end, Ended)  # the answer 204
    assert last_end.reconnect_after_s is None
    elapsed_ns = [each.elapsed_ns for each in records]
    assert elapsed_ns == sorted(elapsed_ns)
    assert reopened.elapsed_ns - end.elapsed_ns >= 20_000_000


async def test_secrets_of_the_request_and_the_response_are_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    headers = b"Content-Type: text/event-stream\r\nSet-Cookie: sid=hush1\r\nX-Api-Key: hush2\r\nX-Plain: seen\r\n"
    async with ScriptedServer([head(headers=headers), b"retry: 1\ndata: 1\n\n"]) as server:
        url = server.url.replace("://", "://user:hush3@") + "?access_token=hush4&page=7"
        await record(path, url)
    text = path.read_text()
    assert "hush" not in text
    assert "seen" in text
    assert "page=7" in decode_header(text.splitlines(keepends=True)[0].encode()).streams[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
async def test_only_the_owner_can_read_a_recording_also_over_an_old_file(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_bytes(HEADER + b"x" * 10_000)
    old.chmod(0o644)
    for path in (new, old):
        async with ScriptedServer([head(), b"retry: 1\ndata: 1\n\n"]) as server:
            await record(path, server.url)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [each.data for each in records_of(path) if isinstance(each, RecordedEvent)] == ["1"]


async def test_without_a_stream_an_old_file_stays_and_a_new_one_is_removed(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_bytes(HEADER)
    for path in (new, old):
        with RecordingFile(path):
            pass
    assert (new.exists(), old.read_bytes()) == (False, HEADER)


@pytest.mark.parametrize("content", [b"notes", b"[]\n", b'{"events": 1}\n', b"x" * 2_000_000], ids=len)
def test_a_file_with_other_content_is_not_overwritten(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is not a recording and is not overwritten"):
        RecordingFile(path)
    assert path.read_bytes() == content


def test_a_step_of_the_wall_clock_does_not_change_gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RecordingFile(tmp_path / "x") as file:
        recording = Recording(file, [])
        now_ns = time.time_ns()
        recording.begin(now_ns)
        before_ns = recording.elapsed_ns(now_ns)
        monkeypatch.setattr(time, "time_ns", lambda: now_ns + 3_600_000_000_000)
        assert recording.elapsed_ns(now_ns + 3_600_000_000_000) - before_ns < 600_000_000_000
        monkeypatch.setattr(time, "time_ns", lambda: now_ns - 3_600_000_000_000)
        assert recording.elapsed_ns(now_ns - 3_600_000_000_000) >= before_ns


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
async def test_a_full_disk_is_one_error_and_later_writes_do_nothing() -> None:
    async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server:
        with pytest.raises(
            LimitError, match="cannot write /dev/full: no space left on device; it contains the 0 events"
        ):
            await record(Path("/dev/full"), server.url)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_files_that_cannot_hold_a_recording_are_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, words in ((fifo, "needs a regular file"), (Path("-"), "needs a file"), (tmp_path / "no/x", "no such")):
        with pytest.raises(UsageError, match=words):
            RecordingFile(path)


async def test_a_killed_process_leaves_complete_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = b"".join(b"id: %d\ndata: %b\n\n" % (number, b"x" * (number % 200)) for number in range(1, 5000))
    async with ScriptedServer([head(), *[events] * 60, Do.HOLD]) as server:
        process = await asyncio.create_subprocess_exec(*COMMAND, server.url, "--record", str(path), "-q", stdout=PIPE)
        assert process.stdout is not None
        await process.stdout.readexactly(100_000)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    *lines, rest = path.read_bytes().split(b"\n")
    assert rest == b""
    assert len([decode(line + b"\n") for line in lines[1:]]) > 10


async def test_events_and_comments_that_are_not_shown_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    script: Script = [head(), b": beat\n\nevent: a\ndata: 1\n\nevent: b\ndata: 2\n\nevent: a\ndata: 3\n\n"]
    async with ScriptedServer(script) as server:
        arguments = (server.url, "--event", "b", "--raw", "--no-reconnect", "--record", str(path))
        process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE, stderr=PIPE)
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"2\n", b"")
    _, comment, *events, _ = records_of(path)
    assert isinstance(comment, RecordedComment)
    assert [each.data for each in events if isinstance(each, RecordedEvent)] == ["1", "2", "3"]


def test_the_output_and_the_recording_are_two_files(sse_in_process: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "events"
    code, _, err = sse_in_process("watch", "http://127.0.0.1:9/", "-o", str(path), "--record", str(path))
    assert (code, err) == (2, "sse: --record and --output have the same file: give another one\n")
    assert not path.exists()


def test_the_watched_recording_cannot_be_written(sse_in_process: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"recording":1,"streams":["http://a/"],"started_ns":0}\n')
    code, _, err = sse_in_process("watch", str(path), "--record", str(path))
    assert (code, "give another file" in err) == (2, True)
    assert path.read_text().startswith('{"recording":1')


async def test_a_full_disk_ends_all_streams_of_a_run() -> None:
    async with (
        ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as one,
        ScriptedServer([head(), b"data: 2\n\n", Do.HOLD]) as two,
    ):
        command = [*COMMAND, one.url, two.url, "--record", "/dev/full", "--raw"]
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
        _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == LimitError.exit_code
    assert "cannot write /dev/full: no space left on device" in err.decode()
