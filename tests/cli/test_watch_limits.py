"""``--timeout``, ``--idle-timeout`` and ``--max-event-bytes`` of ``sse watch``."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE

import pytest
import typer
from scripted_server import CHUNKED, Do, Script, ScriptedServer, chunk, head
from silent_port import silent_port

from sseclient_cli.cli.options.values import parse_size_bytes, parse_time_limit_s

CLOCK = r"\d\d:\d\d:\d\d\.\d\d\d"


async def watch(*arguments: str) -> tuple[int | None, str, str]:
    """Run the command to its end; return its exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sseclient_cli", "watch", *arguments), stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_a_connection_without_a_byte_is_closed_and_made_again() -> None:
    silent: Script = [head(), b"retry: 50\nid: 7\ndata: 1\n\n", Do.HOLD]
    async with ScriptedServer(silent, [head(), b"data: 2\n\n", Do.HOLD]) as server:
        code, out, err = await watch(server.url, "--idle-timeout", "300ms", "--raw", "-n", "2")
        await server.requests[0].disconnected.wait()
        assert server.requests[1].header("last-event-id") == b"7"
    assert (code, out) == (0, "1\n2\n")
    lines = re.sub(CLOCK, "TIME", err).splitlines()
    assert lines == ["TIME reconnecting in 0.1 s because no bytes for 0.3 s", "TIME reconnected"]


async def test_bytes_that_are_no_event_keep_a_connection_open() -> None:
    beats: list[bytes | float] = [step for _ in range(10) for step in (0.2, chunk(b":\n"))]
    script: Script = [head(headers=CHUNKED), *beats, chunk(b"data: 1\n\n"), Do.HOLD]
    async with ScriptedServer(script) as server:
        assert await watch(server.url, "--idle-timeout", "1s", "--raw", "-n", "1") == (0, "1\n", "")


async def test_silence_without_reconnecting_is_exit_code_3() -> None:
    async with ScriptedServer([head(), Do.HOLD]) as server:
        code, out, err = await watch(server.url, "--idle-timeout", "200ms", "--no-reconnect")
    assert (code, out, err) == (3, "", "sse: no bytes for 0.2 s\n")


@pytest.mark.parametrize(
    "script",
    [
        [Do.HOLD],
        [b"HTTP/1.1 200 OK\r\n", Do.HOLD],
        [step for _ in range(99) for step in (b"HTTP/1.1 100 C\r\n\r\n", 0.1)],
    ],
    ids=["silent", "half", "trickled"],
)
async def test_a_late_response_head_is_an_error_that_names_the_option(script: list[bytes | Do | float]) -> None:
    async with ScriptedServer(script) as server:
        code, out, err = await watch(server.url, "--timeout", "500ms")
        await server.requests[0].disconnected.wait()
    assert (code, out) == (3, "")
    assert err == "sse: no response head within 0.5 s: check that the URL streams, or raise --timeout\n"


async def test_the_timeout_ends_with_the_response_head() -> None:
    async with ScriptedServer([head(), 1.0, b"data: 1\n\n", Do.HOLD]) as server:
        assert await watch(server.url, "--timeout", "500ms", "--raw", "-n", "1") == (0, "1\n", "")


async def test_once_open_a_server_that_does_not_answer_is_asked_again() -> None:
    first = [head(), b"retry: 50\ndata: 1\n\n"]
    async with ScriptedServer(first, [Do.HOLD], [head(), b"data: 2\n\n", Do.HOLD]) as server:
        code, out, err = await watch(server.url, "--timeout", "1s", "--raw", "-n", "2")
    assert (code, out) == (0, "1\n2\n")
    assert "because no response head within 1 s" in err


async def test_a_connect_timeout_is_an_error_with_the_limit() -> None:
    with silent_port() as port:
        code, out, err = await watch(f"http://127.0.0.1:{port}/", "--timeout", "300ms")
    assert (code, out) == (3, "")
    assert err.startswith(f"sse: no connection to 127.0.0.1:{port} within 0.3 s: ")


async def test_an_event_that_is_too_large_is_an_error_that_names_the_option() -> None:
    script: list[bytes | Do] = [head(), b"data: %b\n\n" % (b"x" * 900), b"data: %b\n\n" % (b"x" * 2000), Do.HOLD]
    async with ScriptedServer(script, script) as server:
        code, out, err = await watch(server.url, "--max-event-bytes", "1k", "--raw")
        enough = await watch(server.url, "--max-event-bytes", "2k", "-n", "2")
    assert (enough[0], enough[2]) == (0, "")
    assert (code, out) == (3, "x" * 900 + "\n")
    cause = "the stream holds an event of more than 1,024 bytes: raise --max-event-bytes"
    assert err == f"sse: {cause}\n"


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("1", 1), ("65536", 65536), ("64k", 65536), ("64K", 65536), (" 16M ", 16 * 2**20), ("1g", 2**30)],
)
def test_a_size_is_a_number_of_bytes_or_has_a_unit(text: str, size_bytes: int) -> None:
    assert parse_size_bytes(text) == size_bytes


@pytest.mark.parametrize("text", ["", "0", "0k", "-1", "1.5M", "k", "1 M", "٣", "9999G", "9" * 16])
def test_an_invalid_size_is_a_usage_error(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_size_bytes(text)


@pytest.mark.parametrize("text", ["0", "0ms", "x"])
def test_a_time_limit_of_zero_is_an_error(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_time_limit_s(text)
