"""Compressed responses: how they are read, and how `watch` reports a compressor that holds events back."""

from __future__ import annotations

import asyncio
import os
import sys
import zlib
from asyncio.subprocess import PIPE
from pathlib import Path

import brotli
import pytest
from scripted_server import SSE, Do, Script, ScriptedServer, head

from sseclient_cli.cli.compression import ENOUGH_BURSTS, CompressedBursts

MS = 1_000_000
HEAD_NS = 10**18


def said(coding: str, *arrivals_ms: int) -> list[str]:
    """Return the message for events that arrive this long after the head."""
    bursts = CompressedBursts()
    bursts.begin(coding, HEAD_NS)
    return [words for at_ms in arrivals_ms if (words := bursts.event(HEAD_NS + at_ms * MS))]


def test_bursts_in_a_compressed_response_are_reported_once_with_figures() -> None:
    arrivals_ms = [second * 1000 + more for second in range(1, 9) for more in (0, 0, 3)]
    (words,) = said("gzip", *arrivals_ms)
    assert "Content-Encoding gzip, and 9 events arrived in 3 bursts 1.0 s apart" in words


def test_the_same_events_without_compression_are_nothing_to_say() -> None:
    assert said("", *(second * 1000 for second in range(1, 9) for _ in range(3))) == []


def test_events_that_come_one_by_one_are_not_held_back() -> None:
    assert said("gzip", *range(1000, 20_000, 500)) == []


def test_a_stream_without_pauses_is_not_held_back() -> None:
    assert said("gzip", *range(0, 20_000, 10)) == []


def test_a_single_event_in_between_begins_the_count_again() -> None:
    assert said("gzip", 1000, 1000, 2000, 2000, 3000, 4000, 4000, 5000, 5000, 6000) == []


def test_events_that_arrive_with_the_head_are_no_burst() -> None:
    assert said("gzip", 0, 0, 0, 1000, 1000, 2000, 2000, 3000) == []
    assert len(said("gzip", 0, 0, 0, 1000, 1000, 2000, 2000, 3000, 3000, 4000)) == 1


def compressed(*flushes: bytes) -> Script:
    """Return a script that sends each part as one flush of a compressor, with pauses."""
    compressor = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    script: list[bytes | float] = [head(200, SSE + b"Content-Encoding: gzip\r\n")]
    for data in flushes:
        script += [0.2, compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)]
    return script


@pytest.mark.parametrize(
    ("events_in_flush", "options", "times"), [(3, (), 1), (1, (), 0), (3, ("-q",), 0)], ids=["held", "flushed", "quiet"]
)
async def test_watch_says_once_that_compression_holds_events_back(
    events_in_flush: int, options: tuple[str, ...], times: int
) -> None:
    async with ScriptedServer(compressed(*[b"data: x\n\n" * events_in_flush] * (2 * ENOUGH_BURSTS + 2))) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sseclient_cli", "watch", server.url),
            *("--compressed", "--no-reconnect", *options), stdout=PIPE, stderr=PIPE
        )  # fmt: skip
        out, err = await process.communicate()
        (request,) = server.requests
    assert request.header("accept-encoding") == b"gzip, deflate, br"
    assert process.returncode == 0
    assert len(out.splitlines()) == events_in_flush * (2 * ENOUGH_BURSTS + 2)
    assert err.count(b"compression may hold events back: the response has Content-Encoding gzip") == times


def brotli_script() -> Script:
    compressor = brotli.Compressor()
    flushes = [compressor.process(data) + compressor.flush() for data in (b"data: 1\n\n", b"data: 2\n\n")]
    return [head(200, SSE + b"Content-Encoding: br\r\n"), *flushes, Do.HOLD]


async def sse(*arguments: str, **variables: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sseclient_cli", *arguments), stdout=PIPE, stderr=PIPE, env={**os.environ, **variables}
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_brotli_is_read_by_watch_and_bench() -> None:
    async with ScriptedServer(brotli_script(), brotli_script()) as server:
        assert await sse("watch", server.url, "--compressed", "--raw", "-n", "2") == (0, "1\n2\n", "")
        options = ("-n", "1", "-z", "30s", "--events", "2", "--no-preflight", "--max-failed", "0%", "-q")
        assert await sse("bench", server.url, "--compressed", *options) == (0, "", "")


@pytest.mark.parametrize("command", [("watch",), ("bench", "-n", "1")], ids=["watch", "bench"])
async def test_without_the_package_brotli_is_not_requested_and_the_error_is_true(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "brotli.py").write_text("raise ImportError")
    async with ScriptedServer(brotli_script(), brotli_script()) as server:
        code, _, err = await sse(*command, server.url, "-H", "Accept-Encoding: gzip, br", PYTHONPATH=str(tmp_path))
        await sse(*command, server.url, "--compressed", PYTHONPATH=str(tmp_path))
        assert [request.header("accept-encoding") for request in server.requests] == [b"gzip, br", b"gzip, deflate"]
    assert code == 3
    assert "the unsupported Content-Encoding 'br' (supported: one of gzip, deflate)" in err
    assert "leave it out of Accept-Encoding, or install the brotli package" in err
