"""The keys of ``sse watch`` on a pseudo-terminal, which is given back in each way that the command can end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from controlling_terminal import Pty
from controlling_terminal import terminal as controlling_terminal
from real_processes import SSE
from scripted_server import Do, Script, ScriptedServer, head
from terminal import Terminal

if sys.platform == "win32":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)
import termios

ENVIRONMENT = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1", "COLUMNS": "", "NO_COLOR": ""}


class Watched:
    """``sse watch`` on a terminal: its process, all output, and the mode of the terminal before it started."""

    def __init__(self, terminal: Terminal, process: Process, mode: list[Any]) -> None:
        self._terminal = terminal
        self.process = process
        self._mode_before = mode

    def press(self, keys: str) -> None:
        os.write(self._terminal.leader, keys.encode())

    async def shows(self, pattern: str, *, at: int = 0) -> int:
        """Wait until the pattern matches the output after a position; return the end of the match."""
        await self._terminal.until(lambda _: re.search(pattern, self.text[at:]))
        found = re.search(pattern, self.text[at:])
        assert found
        return at + found.end()

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._terminal.text)

    @property
    def is_given_back(self) -> bool:
        """Whether the terminal has its mode and its cursor again."""
        shown = self._terminal.text
        has_cursor = shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")
        return has_cursor and termios.tcgetattr(self._terminal.follower) == self._mode_before


@asynccontextmanager
async def watched(*arguments: str) -> AsyncIterator[Watched]:
    terminal = Terminal(100)
    mode = termios.tcgetattr(terminal.follower)
    process = await asyncio.create_subprocess_exec(
        *SSE, "watch", *arguments,
        stdin=terminal.follower, stdout=terminal.follower, stderr=terminal.follower, env=ENVIRONMENT,
    )  # fmt: skip
    try:
        yield Watched(terminal, process, mode)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        terminal.close()


def script_of(gates: list[asyncio.Event], bodies: list[bytes]) -> Script:
    """A stream that sends each body after its gate."""
    return [head(), *(step for pair in zip(gates, bodies, strict=True) for step in pair), Do.HOLD]


async def test_space_pauses_slash_filters_question_mark_helps_and_q_quits_with_a_summary() -> None:
    gates = [asyncio.Event() for _ in range(4)]
    bodies = [
        b"event: tick\ndata: first\n\n",
        b"event: tick\ndata: second\n\nevent: tock\ndata: third\n\n",
        b"event: tick\ndata: fourth\n\nevent: tock\ndata: fifth\n\n",
        b"id: 9\nevent: tick\ndata: last\n\n",
    ]
    async with ScriptedServer(script_of(gates, bodies)) as server, watched(server.url) as run:
        gates[0].set()
        at = await run.shows("tick first")
        assert await run.shows(r"\? for keys", at=at)

        run.press(" ")
        at = await run.shows("paused: 0 events kept")
        gates[1].set()
        at = await run.shows("paused: 2 events kept", at=at)
        assert "second" not in run.text
        run.press(" ")
        at = await run.shows("tick second", at=at)
        at = await run.shows("tock third", at=at)

        run.press("/type:to")
        at = await run.shows("filter: type:to█", at=at)
        run.press("ck\r")
        at = await run.shows("filter type:tock: 1 of the last 3 events", at=at)
        at = await run.shows("tock third", at=at)
        gates[2].set()
        at = await run.shows("tock fifth", at=at)
        at = await run.shows("filter type:tock: 1 hidden", at=at)
        assert "fourth" not in run.text

        run.press("?")
        at = await run.shows("quit with a summary", at=at)
        run.press("/\x15\r")
        at = await run.shows("no filter: the last 5 events again", at=at)
        at = await run.shows("tick fourth", at=at)
        gates[3].set()
        at = await run.shows("tick id=9 last", at=at)

        run.press("q")
        assert await run.process.wait() == 0
        at = await run.shows(r"stream +6 events .*\r\n", at=at)
        at = await run.shows(r"types +tick 4  tock 2\r\ngaps +p50 .* longest .*\r\nsilence +longest .*\r\n", at=at)
        at = await run.shows(r"opened +1 connection  last ID 9\r\n", at=at)
        assert run.is_given_back


async def test_q_exits_with_the_code_of_an_unmet_expectation() -> None:
    async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server, watched(server.url, "-n", "2") as run:
        await run.shows("message 1")
        run.press("q")
        assert await run.process.wait() == 1
        await run.shows(r"received 1 of 2 events \(-n\)")
        assert run.is_given_back


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_gives_the_terminal_back_and_the_summary_is_shown(number: signal.Signals, code: int) -> None:
    async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server, watched(server.url) as run:
        await run.shows(r"1 event │.*\? for keys")
        assert not run.is_given_back
        run.process.send_signal(number)
        assert await run.process.wait() == code
        await run.shows("stream   1 event ")
        assert run.is_given_back


async def test_a_hangup_gives_the_terminal_back() -> None:
    async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server, watched(server.url) as run:
        await run.shows(r"1 event │.*\? for keys")
        run.process.send_signal(signal.SIGHUP)
        assert await run.process.wait() == -signal.SIGHUP
        assert run.is_given_back


async def test_a_stream_that_ends_during_a_pause_is_drawn_to_its_end() -> None:
    gate = asyncio.Event()
    script: Script = [head(), gate, b"data: 1\n\n"]
    async with ScriptedServer(script) as server, watched(server.url, "--no-reconnect") as run:
        at = await run.shows(r"\? for keys")
        run.press(" ")
        at = await run.shows("paused", at=at)
        gate.set()
        at = await run.shows("message 1", at=at)
        assert await run.process.wait() == 0
        await run.shows("stream   1 event ", at=at)
        assert run.is_given_back


async def test_a_silence_is_shown_while_it_lasts_and_marked_when_it_ends() -> None:
    gate = asyncio.Event()
    script: Script = [head(), b"data: 1\n\n: heartbeat\n\n", gate, b"data: 2\n\n", Do.HOLD]
    async with ScriptedServer(script) as server, watched(server.url, "--stall", "200ms") as run:
        at = await run.shows(r"─── \d\.\d s without an event, 1 comment ───\s+● connected")
        gate.set()
        at = await run.shows(r"─── (\d\.\d) s without an event, 1 comment ───\s+\d\d:\d\d:\d\d\.\d{3} \+", at=at)
        assert await run.shows("s message 2", at=at)


async def test_a_terminal_that_is_too_slow_gets_samples_and_the_server_is_not_slowed_down() -> None:
    sent = asyncio.Event()
    count = 100_000
    body = b"".join(b"data: %d\n\n" % number for number in range(count))
    script: Script = [head(), body, sent, Do.HOLD]
    async with ScriptedServer(script) as server, watched(server.url, "--no-reconnect") as run:
        await run.shows(r"100,000 events │")
        await run.shows(rf"message {count - 1}\b")
        run.press("q")
        assert await run.process.wait() == 0
        await run.shows(r"types +message 100,000\r\n")
        skipped = [int(found.replace(",", "")) for found in re.findall(r"… ([\d,]+) events not drawn", run.text)]
        drawn = {int(found) for found in re.findall(r"(?:\ds| {7}) message (\d+)", run.text)}
        total = re.search(r"([\d,]+) not drawn\r\n", run.text)
        assert total
        assert sum(skipped) == int(total[1].replace(",", ""))
        assert sum(skipped) + len(drawn) == count


async def test_without_a_terminal_at_stdin_there_are_no_keys() -> None:
    terminal = Terminal(100)
    try:
        async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server:
            process = await asyncio.create_subprocess_exec(
                *SSE, "watch", server.url, "--duration", "1s",
                stdin=asyncio.subprocess.DEVNULL, stdout=terminal.follower, stderr=terminal.follower, env=ENVIRONMENT,
            )  # fmt: skip
            assert await process.wait() == 0
        await terminal.until(lambda text: "1 connection" in text)
        assert "for keys" not in terminal.text
    finally:
        terminal.close()


async def test_ctrl_z_gives_the_terminal_back_and_keys_work_again_after_fg() -> None:
    async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server:
        await asyncio.to_thread(stop_and_continue, server.url)


def stop_and_continue(url: str) -> None:
    with controlling_terminal("bash", "--norc", "--noprofile", "-i", PS1="$ ") as shell:
        shell.type(f"{' '.join(SSE)} watch {url}\n")
        shell.until(lambda text: "for keys" in text)
        shell.type("\x1a")
        shell.until(lambda text: "Stopped" in text)
        assert shell.text.rindex("\x1b[?25h") > shell.text.rindex("\x1b[?25l")
        wait_for_echo(shell)
        shell.type("fg\n")
        seen = len(shell.text)
        shell.until(lambda text: "for keys" in text[seen:])
        shell.type(" ")
        shell.until(lambda text: "paused" in text[seen:])
        shell.type("q")
        shell.until(lambda text: "1 connection" in text[seen:])
        shell.type("exit\n")
        assert shell.end() == 0


def wait_for_echo(shell: Pty) -> None:
    """Run a command whose output differs from its echo."""
    shell.type("echo $((40 + 2))-and-on\n")
    shell.until(lambda text: "42-and-on" in text)
