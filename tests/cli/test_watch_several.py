from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scripted_server import Do, ScriptedServer, head

ENVIRONMENT = {**os.environ, "PYTHONUTF8": "1", "NO_COLOR": ""}


@asynccontextmanager
async def watching(*arguments: str) -> AsyncIterator[Process]:
    command = [sys.executable, "-m", "sseclient_cli", "watch", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=ENVIRONMENT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def watch(*arguments: str) -> tuple[int | None, list[str], str]:
    """Run the command to its end; return its exit code, the lines of stdout, and stderr."""
    async with watching(*arguments) as process:
        out, err = await process.communicate()
    assert b"Traceback" not in err
    return process.returncode, out.decode().splitlines(), err.decode()


async def test_events_of_several_streams_are_interleaved_with_labels() -> None:
    gate = asyncio.Event()
    async with (
        ScriptedServer([head(), b": beat\ndata: 1\n\n", gate, b"data: 3\n\n", Do.HOLD]) as one,
        ScriptedServer([head(), b"data: 2\n\n", Do.HOLD]) as two,
        watching(one.url, two.url, "--json", "--comments", "-n", "3") as process,
    ):
        assert process.stdout is not None
        lines = [json.loads(await process.stdout.readline()) for _ in range(3)]
        gate.set()
        rest, err = await process.communicate()
    first, second = f"127.0.0.1:{one.port}", f"127.0.0.1:{two.port}"
    assert {(each["stream"], each.get("data")) for each in lines} == {(first, None), (first, "1"), (second, "2")}
    [last] = [json.loads(line) for line in rest.splitlines()]
    assert (last["stream"], last["data"]) == (first, "3")
    assert (process.returncode, err) == (0, b"")


async def test_a_stream_that_fails_is_named_and_the_others_go_on() -> None:
    async with (
        ScriptedServer([head(404)]) as bad,
        ScriptedServer([head(), b"data: 1\n\n"], [head(204)]) as good,
    ):
        code, out, err = await watch(bad.url, good.url)
    assert code == 3
    assert len(out) == 1
    assert out[0].endswith("message 1")
    assert f"127.0.0.1:{bad.port}: " in err
    assert "404 Not Found" in err
    assert f"127.0.0.1:{good.port}: reconnecting in" in err
    assert f"127.0.0.1:{good.port}: the server ended the stream for good (status 204)" in err
    assert err.splitlines()[-1] == "sse: 1 of 2 streams failed"


async def test_a_count_is_of_all_streams_together_and_exact() -> None:
    many = b"data: x\n\n" * 1000
    async with ScriptedServer([head(), many, Do.HOLD]) as one, ScriptedServer([head(), many, Do.HOLD]) as two:
        code, out, err = await watch(one.url, two.url, "--raw", "-n", "1500")
    assert (code, out, err) == (0, ["x"] * 1500, "")
