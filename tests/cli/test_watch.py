from __future__ import annotations

import asyncio
import json
import os
import re
import select
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from certificates import Authority
from in_process import InProcess
from scripted_server import CHUNKED, Do, Script, ScriptedServer, chunk, head
from terminal import Terminal

COMMAND = [sys.executable, "-m", "sseclient_cli", "watch"]
ENVIRONMENT = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1", "COLUMNS": "", "NO_COLOR": ""}
CLOCK = r"\d\d:\d\d:\d\d\.\d\d\d"
SOON = b"retry: 50\n\n"


@asynccontextmanager
async def watching(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE, stderr=PIPE, env=ENVIRONMENT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def watch(*arguments: str) -> tuple[int | None, str, str]:
    """Run the command to its end; return its exit code, stdout and stderr."""
    async with watching(*arguments) as process:
        out, err = await process.communicate()
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode()


async def test_events_are_plain_lines_in_a_pipe_until_the_server_says_204() -> None:
    body = SOON + b'id: 1\nevent: tick\ndata: {"a":1.10}\n\ndata: two\ndata: lines\n\n: ping\n\n'
    async with ScriptedServer([head(), body]) as server:
        code, out, err = await watch(server.url)
    lines = re.sub(CLOCK, "TIME", out).splitlines()
    assert lines == ['TIME tick id=1 {"a":1.10}', "TIME message id=1", "  two", "  lines"]
    assert code == 0
    assert re.sub(CLOCK, "TIME", err).splitlines() == [
        "TIME reconnecting in 0.1 s because the server ended the stream",
        "the server ended the stream for good (status 204): 2 events",
    ]


async def test_count_counts_the_events_that_are_shown() -> None:
    body = b"data: 1\n\nevent: tick\ndata: 2\n\nevent: tock\ndata: 3\n\ndata: 4\n\nevent: tick\ndata: 5\n\n"
    async with ScriptedServer([head(), body, Do.HOLD]) as server:
        code, out, err = await watch(server.url, "--event", "tick", "--event", "tock", "-n", "2", "--raw")
    assert (code, out, err) == (0, "2\n3\n", "")


async def test_json_lines_are_ascii_with_comments_on_request() -> None:
    async with ScriptedServer([head(), ": hé\nid: 1\ndata: 火\x1b\n\n".encode(), Do.HOLD]) as server:
        code, out, _ = await watch(server.url, "--json", "--comments", "-n", "1")
    assert code == 0
    assert out.isascii()
    comment, event = [json.loads(line) for line in out.splitlines()]
    assert (comment["comment"], event["type"], event["id"], event["data"]) == (" hé", "message", "1", "火\x1b")
    assert event["time"] >= comment["time"] > 1.7e9


async def test_raw_data_in_a_pipe_is_verbatim_and_lines_are_not() -> None:
    hostile = "\x1b]0;owned\x07 [red]\u202e 火"
    script: list[bytes | Do] = [head(), f"data: {hostile}\n\n".encode(), Do.HOLD]
    async with ScriptedServer(script, script) as server:
        _, raw, _ = await watch(server.url, "--raw", "-n", "1")
        _, text, _ = await watch(server.url, "-n", "1")
    assert raw == hostile + "\n"
    assert r"\x1b]0;owned\x07 [red]\u202e 火" in text
    assert "\x1b" not in text


async def test_every_event_is_out_at_once() -> None:
    gate = asyncio.Event()
    async with (
        ScriptedServer([head(), b"data: 1\n\n", gate, b"data: 2\n\n", Do.HOLD]) as server,
        watching(server.url, "--raw") as process,
    ):
        assert process.stdout is not None
        assert await process.stdout.readline() == b"1\n"
        gate.set()
        assert await process.stdout.readline() == b"2\n"


async def test_options_become_the_request() -> None:
    async with ScriptedServer() as server:
        options = ["-H", "X-A: 1", "-H", "X-B: ü", "--bearer", "t", "-d", "{}", "--last-event-id", "7"]
        code, _, _ = await watch(server.url.removeprefix("http://"), *options)
        request = server.requests[0]
    assert code == 0
    assert (request.method, request.body) == ("POST", b"{}")
    assert request.header("x-a") == b"1"
    assert request.header("x-b") == "ü".encode()
    assert request.header("authorization") == b"Bearer t"
    assert request.header("last-event-id") == b"7"


async def test_duration_ends_a_silent_stream() -> None:
    async with ScriptedServer([head(), Do.HOLD]) as server:
        assert await watch(server.url, "--duration", "2s") == (0, "", "")


async def test_a_clean_end_without_reconnecting_is_a_success() -> None:
    async with ScriptedServer([head(), b"data: 1\n\n"]) as server:
        assert await watch(server.url, "--no-reconnect", "--raw") == (0, "1\n", "")
        assert len(server.requests) == 1


async def test_a_cut_stream_without_reconnecting_is_exit_code_3() -> None:
    async with ScriptedServer([head(headers=CHUNKED), chunk(b"data: 1\n\n")]) as server:
        code, out, err = await watch(server.url, "--no-reconnect", "--raw")
    assert (code, out) == (3, "1\n")
    assert err == "sse: the connection was cut in the middle of the response\n"


async def test_nothing_listening_is_one_line_at_once() -> None:
    async with ScriptedServer() as server:
        pass
    code, out, err = await watch(server.url)
    assert (code, out) == (3, "")
    assert err == f"sse: nothing listens on 127.0.0.1:{server.port}: is the server running, and is this its port?\n"


async def test_a_host_that_no_name_server_can_know_is_one_line_at_once() -> None:
    name = "n" * 64 + ".invalid"  # a label of DNS has at most 63
    code, out, err = await watch(f"http://{name}/")
    assert (code, out) == (2, "")
    assert err.startswith(f"sse: 'http://{name}/' names no valid host: ")


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (head(404), "answered 404 Not Found: check the path"),
        (head(401), "answered 401 Unauthorized: give valid credentials"),
        (head(200, b"Content-Type: text/html\x1b[2J\r\n"), r"with 'text/html\x1b[2J', not text/event-stream"),
        (
            head(200, b"Content-Type: text/html\r\n"),
            "with 'text/html', not text/event-stream: this is a web page: check the URL",
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "is not valid HTTP/1.1"),
    ],
)
async def test_a_response_that_is_not_an_event_stream_is_exit_code_3(response: bytes, says: str) -> None:
    async with ScriptedServer([response]) as server:
        code, out, err = await watch(server.url)
    assert (code, out) == (3, "")
    assert says in err
    assert err.count("\n") == 1
    assert "\x1b" not in err


async def test_once_answered_it_waits_for_a_server_that_comes_back() -> None:
    server = ScriptedServer([head(503, b"Retry-After: 1\r\nContent-Length: 0\r\n")], [head(), b"data: 1\n\n", Do.HOLD])
    async with server, watching(server.url, "--raw", "-n", "1", "--retry-status", "503") as process:
        assert process.stderr is not None
        assert b"503" in await process.stderr.readline()
        await server.stop()
        assert b"nothing listens" in await process.stderr.readline()
        await server.start()
        out, _ = await process.communicate()
        assert (process.returncode, out) == (0, b"1\n")


async def test_once_open_it_waits_for_a_server_that_comes_back() -> None:
    server = ScriptedServer([head(), SOON + b"data: 1\n\n", Do.HOLD], [head(), b"data: 2\n\n", Do.HOLD])
    async with server, watching(server.url, "--raw", "-n", "2") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert await process.stdout.readline() == b"1\n"
        await server.stop()
        while b"nothing listens" not in (line := await process.stderr.readline()):
            assert b"reconnecting in" in line
        await server.start()
        assert await process.stdout.readline() == b"2\n"
        assert (await process.stderr.read()).endswith(b"reconnected\n")
        assert await process.wait() == 0


async def test_a_status_that_is_to_be_retried_is_waited_out_from_the_first_attempt_on() -> None:
    busy = [head(503, b"Content-Length: 0\r\n")]
    async with ScriptedServer(busy, [head(), SOON + b"data: 1\n\n"], busy, [head(), b"data: 2\n\n"]) as server:
        code, out, err = await watch(server.url, "--retry-status", "429, 503", "--raw")
    assert (code, out) == (0, "1\n2\n")
    first, *_, last = re.sub(CLOCK, "TIME", err).splitlines()
    assert first.startswith("TIME reconnecting in 3.0 s because GET")
    assert "answered 503 Service Unavailable" in first
    assert last.startswith("the server ended the stream for good")


@pytest.mark.parametrize(
    "arguments",
    [["--json", "--raw"], ["--raw", "--comments"], ["-H", "bad"], ["-n", "0"], ["-k", "--cacert", "x"], ["--key", "x"],
     ["--retry-status", "204"], ["--retry-status", "503", "--no-reconnect"], ["--connect-to", "x"],
     ["--unix-socket", "x", "--connect-to", "x:1"], ["--source-address", "x"]],
)  # fmt: skip
def test_options_that_make_no_sense_are_exit_code_2(arguments: list[str], sse_in_process: InProcess) -> None:
    code, out, err = sse_in_process("watch", "http://127.0.0.1:1/", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("sse: ")
    assert err.count("\n") == 1


async def test_ctrl_c_ends_with_130_and_a_last_line() -> None:
    async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server, watching(server.url) as process:
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        assert (process.returncode, out) == (130, b"")
        assert re.fullmatch(rb"1 event in \d+\.\d s\n", err)


async def test_ctrl_c_lists_the_types_that_came_where_none_was_selected() -> None:
    script: Script = [head(), b": ping\n\nevent: tick\ndata: 1\n\n: pong\n\n", Do.HOLD]
    async with (
        ScriptedServer(script) as server,
        watching(server.url, "--event", "tock", "--comments") as process,
    ):
        assert process.stdout is not None
        while b"pong" not in await process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert process.returncode == 130
        assert re.fullmatch(rb"0 events in \d+\.\d s; received types: tick \(1\)\n", err)


async def test_a_reader_that_leaves_ends_it_quietly_and_without_another_event() -> None:
    async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server:
        read_end, write_end = os.pipe()
        process = await asyncio.create_subprocess_exec(*COMMAND, server.url, stdout=write_end, stderr=PIPE)
        os.close(write_end)
        line = await asyncio.to_thread(os.read, read_end, 100)
        assert line.endswith(b"message 1\n")
        os.close(read_end)
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")


async def test_a_full_disk_is_one_line() -> None:
    async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server:
        with open("/dev/full", "wb") as full:  # noqa: ASYNC230  a device, opened at once
            process = await asyncio.create_subprocess_exec(*COMMAND, server.url, stdout=full, stderr=PIPE)
            _, err = await process.communicate()
    assert (process.returncode, err) == (2, b"sse: cannot write the output: no space left on device\n")


def test_an_event_id_that_is_not_utf_8_is_exit_code_2(sse_in_process: InProcess) -> None:
    code, out, err = sse_in_process("watch", "http://127.0.0.1:1/", "--last-event-id", "\udcff")
    assert (code, out, err) == (2, "", "sse: --last-event-id has bytes that are not UTF-8\n")


async def test_a_certificate_file_that_is_not_there_is_one_line() -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "https://127.0.0.1:1/", stderr=PIPE, env={**ENVIRONMENT, "SSL_CERT_FILE": "/nonexistent"}
    )
    _, err = await process.communicate()
    assert process.returncode == 2
    assert err == b"sse: no certificates can be loaded from SSL_CERT_FILE=/nonexistent: correct or unset it\n"


# TLS, and where to connect


async def test_https_is_read_where_the_certificate_is_trusted(authority: Authority) -> None:
    script: Script = [head(), b"data: x\n\n", Do.HOLD]
    async with ScriptedServer(script, ssl_context=authority.server()) as server:
        assert await watch(server.url, "--cacert", authority.file, "--raw", "-n", "1") == (0, "x\n", "")
    async with ScriptedServer(script, ssl_context=authority.server(expired=True)) as server:
        assert await watch(server.url, "-k", "--raw", "-n", "1") == (0, "x\n", "")


async def test_an_untrusted_certificate_is_one_line(authority: Authority) -> None:
    async with ScriptedServer(ssl_context=authority.server()) as server:
        code, out, err = await watch(server.url)
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert err.startswith(
        f"sse: no TLS connection with 127.0.0.1:{server.port}: certificate verify failed: unknown issuer ("
    )


async def test_a_client_certificate_is_shown_on_request(authority: Authority) -> None:
    cert, key = authority.client()
    async with ScriptedServer(
        [head(), b"data: x\n\n", Do.HOLD], ssl_context=authority.server("sse.test", wants_client=True)
    ) as server:
        there = ("--connect-to", f"127.0.0.1:{server.port}", "--source-address", "127.0.0.2")
        identity = ("--cacert", authority.file, "--cert", cert, "--key", key)
        assert await watch("https://sse.test/", *there, *identity, "--raw", "-n", "1") == (0, "x\n", "")
    assert (server.sni, server.requests[0].source) == (["sse.test"], "127.0.0.2")


async def test_a_unix_socket_is_read(tmp_path: Path) -> None:
    path = str(tmp_path / "sse.sock")
    async with ScriptedServer([head(), b"data: x\n\n", Do.HOLD], unix_socket=path):
        assert await watch("http://sse.test/", "--unix-socket", path, "--raw", "-n", "1") == (0, "x\n", "")


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
async def test_streams_that_are_closed_or_full_do_not_matter(redirection: str) -> None:
    async with ScriptedServer([head(), SOON + b"data: 1\n\n"]) as server:
        script = f'"$@" {redirection}'
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", script, "sh", *COMMAND, server.url), stdout=PIPE, stderr=PIPE, env=ENVIRONMENT
        )
        out, err = await process.communicate()
        assert len(server.requests) == 2
    assert process.returncode == 0
    assert out.endswith(b"message 1\n") is (">&-" not in redirection.split())
    assert b"Traceback" not in err


# A pipe without a reader


@asynccontextmanager
async def stuck(*arguments: str) -> AsyncIterator[Process]:
    """Watch an endless stream into a pipe that is full, and stays so."""

    async def blast(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head())
        try:
            while True:
                writer.write(b"data: x\n\n" * 8192)
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(blast, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    read_end, write_end = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, f"http://127.0.0.1:{port}", *arguments, stdout=write_end, stderr=PIPE, env=ENVIRONMENT
    )
    try:
        while select.select([], [write_end], [], 0)[1]:  # noqa: ASYNC110  it is the pipe's own word
            await asyncio.sleep(0.01)
        os.close(write_end)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        os.close(read_end)
        server.close()


async def test_the_first_ctrl_c_ends_a_write_that_is_stuck() -> None:
    async with stuck() as process:
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert process.returncode == 130
        assert re.fullmatch(rb"[0-9,]+ events in \d+\.\d s\n", err)


async def test_sigterm_ends_a_write_that_is_stuck() -> None:
    async with stuck() as process:
        process.terminate()
        assert await process.wait() == -signal.SIGTERM


async def test_the_duration_ends_a_write_that_is_stuck() -> None:
    async with stuck("--duration", "1s") as process:
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")


async def test_a_pipe_that_is_open_for_reading_too_does_not_end_it() -> None:
    async with ScriptedServer([head(), b"data: 1\n\n", Do.HOLD], [head(), b"data: 2\n\n", Do.HOLD]) as server:
        with tempfile.TemporaryDirectory() as folder:
            fifo = f"{folder}/fifo"
            os.mkfifo(fifo)
            number = os.open(fifo, os.O_RDWR)
            # Its data makes it readable, which does not mean that its reader has exited.
            os.write(number, b"before\n")
            process = await asyncio.create_subprocess_exec(*COMMAND, server.url, "-n", "1", stdout=number, stderr=PIPE)
            _, err = await process.communicate()
            assert (process.returncode, err) == (0, b"")
            assert os.read(number, 100).endswith(b"message 1\n")
            os.close(number)


# On a terminal


@asynccontextmanager
async def watching_on_a_terminal(
    *arguments: str, columns: int = 80, **environment: str
) -> AsyncIterator[tuple[Terminal, Process]]:
    terminal = Terminal(columns)
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdin=terminal.follower,
        stdout=terminal.follower,
        stderr=terminal.follower,
        env={**ENVIRONMENT, **environment},
    )
    try:
        yield terminal, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        terminal.close()


async def test_a_terminal_shows_events_above_a_status_line_and_is_restored() -> None:
    body = b'id: 5\ndata: {"n":1.10}\n\ndata: \x1b]0;owned\x07[red]\n\n'
    async with (
        ScriptedServer([head(), body, Do.HOLD]) as server,
        watching_on_a_terminal(server.url) as (terminal, process),
    ):
        await terminal.until(lambda text: "2 events │" in text)
        assert "connected" in terminal.text
        assert "last id 5" in terminal.text
        assert r"\x1b]0;owned\x07[red]" in terminal.text
        assert "\x1b]0;" not in terminal.text
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
        await terminal.until(lambda text: "stream   2 events" in text)
        assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l")


@pytest.mark.parametrize("option", ["--no-tui", "-q"])
async def test_a_terminal_has_plain_lines_with_no_tui_or_quiet(option: str) -> None:
    async with (
        ScriptedServer([head(), SOON + b"data: 1\n\n"], [head(), b"data: 2\n\n", Do.HOLD]) as server,
        watching_on_a_terminal(server.url, "-n", "2", option) as (terminal, process),
    ):
        await terminal.until(lambda text: "message 2\r\n" in text)
        assert await process.wait() == 0
        assert "\x1b" not in terminal.text
        assert ("reconnecting in" in terminal.text) is (option == "--no-tui")


async def test_a_terminal_counts_down_to_the_reconnect() -> None:
    async with (
        ScriptedServer([head(), b"retry: 600\n\n"]) as server,
        watching_on_a_terminal(server.url) as (terminal, process),
    ):
        await terminal.until(lambda text: "for good (status 204): 0 events" in text)
        assert await process.wait() == 0
        counted = re.findall(r"● reconnecting in (0\.\d) s", terminal.text)
        assert len(set(counted)) >= 4
        assert counted == sorted(counted, reverse=True)


@pytest.mark.parametrize("columns", [80, 120])
async def test_the_status_line_fits_the_terminal(columns: int) -> None:
    path = "/" + "x" * 200
    async with (
        ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server,
        watching_on_a_terminal(server.url + path, columns=columns) as (terminal, _),
    ):
        await terminal.until(lambda text: "1 event │" in text)
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.text)
        lines = [line for line in re.split(r"[\r\n]+", plain) if "●" in line]
        assert lines
        assert max(len(line) for line in lines) <= columns


async def test_no_color_on_a_terminal_is_plain_lines() -> None:
    async with (
        ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server,
        watching_on_a_terminal(server.url, "-n", "1", NO_COLOR="1") as (terminal, process),
    ):
        assert await process.wait() == 0
        await terminal.until(lambda text: "message 1" in text)
        assert "\x1b" not in terminal.text


@pytest.mark.parametrize(("arguments", "code"), [(["--duration", "500ms"], 0), ([], 130)])
async def test_a_terminal_at_full_blast_still_hears_the_clock_and_ctrl_c(arguments: list[str], code: int) -> None:
    gate = asyncio.Event()
    many = b"data: x\n\n" * 200_000  # about a minute for a terminal
    async with (
        ScriptedServer([head(), many, gate]) as server,
        watching_on_a_terminal(server.url, *arguments) as (terminal, process),
    ):
        await terminal.until(lambda text: text.count("message") > 100)
        if code:
            process.send_signal(signal.SIGINT)
        assert await process.wait() == code
        assert terminal.text.count("message") < 100_000
        gate.set()


async def test_sigterm_on_a_terminal_restores_it() -> None:
    async with (
        ScriptedServer([head(), b"data: 1\n\n", Do.HOLD]) as server,
        watching_on_a_terminal(server.url) as (terminal, process),
    ):
        await terminal.until(lambda text: "1 event │" in text)
        process.terminate()
        assert await process.wait() == 143
        await terminal.until(lambda text: "\x1b[?25h" in text)
