"""``sse watch`` shows when events arrived, also where its output is read much later, and says that it is behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from plain_server import serving
from scripted_server import head
from terminal import Terminal

COMMAND = [sys.executable, "-m", "sseclient_cli", "watch"]
ENVIRONMENT = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1", "COLUMNS": "", "NO_COLOR": ""}
CLOCK = r"\d\d:\d\d:\d\d\.\d\d\d"
INTERVAL_S = 0.2
EVENTS = 8
LARGE = b"data: %b\n\n" % (b"x" * 300_000)  # more than a pipe or a terminal takes


class Server:
    """Fills the output, and then sends events with their time, and says when it has sent the last one."""

    def __init__(self) -> None:
        self.is_done = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head() + LARGE)
        for _ in range(EVENTS):
            await asyncio.sleep(INTERVAL_S)
            writer.write(b": %d\ndata: %d\n\n" % (time.time_ns(), time.time_ns()))
        self.is_done.set()
        await self.goes_on.wait()
        writer.write(b"data: %d\n\n" % time.time_ns())
        await reader.read()


def plain(text: str) -> str:
    """Return the text sent to a terminal, without escape codes."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@asynccontextmanager
async def telling_the_time() -> AsyncIterator[tuple[str, Server]]:
    server = Server()
    async with serving(server.serve) as port:
        yield f"http://127.0.0.1:{port}", server


@asynccontextmanager
async def watching_unread(url: str, *arguments: str) -> AsyncIterator[tuple[Process, asyncio.StreamReader]]:
    """Watch into a pipe that the test reads from the returned stream."""
    read_end, write_end = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, url, *arguments, stdout=write_end, stderr=PIPE, env=ENVIRONMENT
    )
    os.close(write_end)
    reader = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()

    def read() -> None:
        data = os.read(read_end, 65536)
        if data:
            reader.feed_data(data)
        else:
            loop.remove_reader(read_end)
            reader.feed_eof()

    class Unread(asyncio.StreamReader):
        async def readline(self) -> bytes:
            loop.add_reader(read_end, read)
            return await reader.readline()

    try:
        yield process, Unread()
    finally:
        if process.returncode is None:
            process.kill()
        loop.remove_reader(read_end)
        await process.communicate()
        os.close(read_end)


async def test_a_pipe_that_is_not_read_for_a_while_does_not_change_the_arrival_times() -> None:
    async with (
        telling_the_time() as (url, server),
        watching_unread(url, "--json", "--comments", "-n", str(EVENTS + 1)) as (process, out),
    ):
        await server.is_done.wait()
        await asyncio.sleep(INTERVAL_S * 3)
        await out.readline()
        lines = [json.loads(await out.readline()) for _ in range(EVENTS * 2)]
        assert await process.wait() == 0
    times = [line["time"] for line in lines]
    assert times == sorted(times)
    for line in lines:
        sent_s = int(line.get("data") or line["comment"]) / 1e9
        # To the millisecond; read at the end, all would have the time of the last one.
        assert sent_s - 0.002 <= line["time"] < sent_s + INTERVAL_S


async def test_a_slow_reader_of_the_output_is_reported_once_and_again_when_caught_up() -> None:
    async with telling_the_time() as (url, server), watching_unread(url) as (process, out):
        assert process.stderr is not None
        await server.is_done.wait()
        for _ in range(EVENTS + 1):
            await out.readline()
        behind = (await process.stderr.readline()).decode()
        found = re.fullmatch(rf"{CLOCK} (\d\.\d) s behind: the output is read more slowly than events arrive\n", behind)
        assert found
        assert 1 < float(found[1]) < 60
        assert re.fullmatch(rf"{CLOCK} caught up\n", (await process.stderr.readline()).decode())
        server.goes_on.set()
        await out.readline()
        process.terminate()
        assert await process.stderr.read() == b""


async def test_a_terminal_that_is_paused_shows_true_times_and_how_far_it_is_behind() -> None:
    async with telling_the_time() as (url, server):
        terminal = Terminal(80)
        terminal.pause()
        process = await asyncio.create_subprocess_exec(
            *COMMAND, url, "--json",
            stdin=terminal.follower, stdout=terminal.follower, stderr=terminal.follower, env=ENVIRONMENT,
        )  # fmt: skip
        try:
            await server.is_done.wait()
            await asyncio.sleep(INTERVAL_S)
            terminal.resume()
            await terminal.until(lambda text: re.search(r"connected │ \d\.\d s behind │", plain(text)))
            await terminal.until(lambda text: f"connected │ {EVENTS + 1} events │" in plain(text))
            shown = re.findall(r'"time": ([0-9.]+), "type": "message", "id": "", "data": "(\d+)"', plain(terminal.text))
            assert len(shown) == EVENTS
            for arrived_s, sent_ns in shown:
                assert int(sent_ns) / 1e9 - 0.002 <= float(arrived_s) < int(sent_ns) / 1e9 + INTERVAL_S
        finally:
            process.kill()
            await process.wait()
            terminal.close()
