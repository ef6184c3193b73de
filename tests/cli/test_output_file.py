"""`-o FILE`: output to a file instead of stdout."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from scripted_server import Do, Script, ScriptedServer, head

COMMAND = [sys.executable, "-m", "sseclient_cli"]
TWO: Script = [head(), b"data: 1\n\ndata: \xc3\xbc\n\n"]
REFUSED: Script = [head(404, b"Content-Length: 0\r\n")]
HELD: Script = [head(), b"data: 1\n\n", Do.HOLD]
WATCH = ("--raw", "--no-reconnect")
BENCH = ("-n", "1", "-z", "30s", "--events", "1", "--no-preflight")


async def sse(*arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode()


async def test_watch_writes_the_file_and_not_stdout(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_text("an older and much longer text")
    async with ScriptedServer(TWO) as server:
        assert await sse("watch", server.url, *WATCH, "-o", str(file)) == (0, "", "")
    assert file.read_bytes() == b"1\n\xc3\xbc\n"


async def test_each_event_is_in_the_file_while_the_stream_continues(tmp_path: Path) -> None:
    file, is_read = tmp_path / "events", asyncio.Event()
    async with ScriptedServer([head(), b"data: 1\n\n", is_read, b"data: 2\n\n"]) as server:
        process = await asyncio.create_subprocess_exec(*COMMAND, "watch", server.url, *WATCH, "-o", str(file))
        while not (file.exists() and file.read_text() == "1\n"):  # noqa: ASYNC110  a file gives no notice
            await asyncio.sleep(0.02)
        is_read.set()
        assert await process.wait() == 0
    assert file.read_text() == "1\n2\n"


async def test_a_reconnection_appends_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "events"
    async with ScriptedServer([head(), b"retry: 10\ndata: 1\n\n"], [head(), b"data: 2\n\n"]) as server:
        code, out, _ = await sse("watch", server.url, "--raw", "--output", str(file))
    assert (code, out, file.read_text()) == (0, "", "1\n2\n")


async def test_a_stream_without_events_empties_the_file(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_text("old")
    async with ScriptedServer([head()]) as server:
        assert (await sse("watch", server.url, *WATCH, "-o", str(file)))[:2] == (0, "")
    assert file.read_text() == ""


async def test_an_error_response_leaves_the_file_unchanged(tmp_path: Path) -> None:
    file, new = tmp_path / "events", tmp_path / "new"
    file.write_text("old")
    async with ScriptedServer(REFUSED, REFUSED) as server:
        for path in (file, new):
            assert (await sse("watch", server.url, *WATCH, "-o", str(path)))[:2] == (3, "")
    assert (file.read_text(), new.exists()) == ("old", False)


@pytest.mark.parametrize("command", [("watch", *WATCH), ("bench", *BENCH)], ids=["watch", "bench"])
async def test_a_file_that_cannot_be_written_is_a_usage_error_before_any_request(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    async with ScriptedServer(TWO) as server:
        code, out, err = await sse(*command, server.url, "-o", str(tmp_path / "no" / "file"))
        assert server.requests == []
    assert (code, out) == (2, "")
    assert err == f"sse: cannot write {tmp_path / 'no' / 'file'}: no such file or directory\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
async def test_a_full_disk_ends_watch_with_one_line() -> None:
    async with ScriptedServer(HELD) as server:
        code, out, err = await sse("watch", server.url, *WATCH, "-o", "/dev/full")
    assert (code, out) == (2, "")
    assert err.startswith("sse: cannot write /dev/full: no space left on device; ")
    assert err.count("\n") == 1


async def test_a_dash_is_stdout() -> None:
    async with ScriptedServer(TWO) as server:
        assert await sse("watch", server.url, *WATCH, "-o", "-") == (0, "1\nü\n", "")


@pytest.mark.parametrize("more", [(), ("-q",)], ids=["loud", "quiet"])
async def test_bench_writes_its_summary_to_the_file(more: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "summary.txt"
    async with ScriptedServer(HELD) as server:
        code, out, err = await sse("bench", server.url, *BENCH, "--json", "-", "-o", str(file), *more)
    assert (code, err) == (0, "")
    assert json.loads(out)["streams"]["opened"] == 1
    assert "1 opened  0 failed" in file.read_text("utf-8")
    assert "\x1b" not in file.read_text("utf-8")


async def test_bench_refuses_one_file_for_two_things(tmp_path: Path) -> None:
    async with ScriptedServer(HELD) as server:
        for name in (str(tmp_path / "run"), "-"):
            code, _, err = await sse("bench", server.url, *BENCH, "--json", name, "-o", name)
            assert (code, err) == (
                2,
                f"sse: two outputs go to {'stdout' if name == '-' else name}: give each a file of its own\n",
            )
        assert server.requests == []
