"""Arrival times of ``EventSource``: exact even for a consumer that reads events much later."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from certificates import Authority
from plain_server import Serve, serving
from scripted_server import Do, ScriptedServer, head

from sseclient_cli.client.socket_stream import READ_AHEAD_BYTES
from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.request.target import Target

INTERVAL_S = 0.2
CLOCK_NS = 1_000_000
"""Tolerance between the clock readings of the kernel and of Python, which use the same clock."""


async def tell_the_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send five events, each with the time right before its write."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(head())
    for _ in range(5):
        writer.write(b": %d\ndata: %d\n\n" % (time.time_ns(), time.time_ns()))
        await asyncio.sleep(INTERVAL_S)


@asynccontextmanager
async def target_of(kind: str, serve: Serve, authority: Authority, folder: Path) -> AsyncIterator[Target]:
    """Run a server of one kind; yield its target."""
    path = str(folder / "socket") if kind == "unix-socket" else None
    context = authority.server("127.0.0.1") if kind == "tls" else None
    async with serving(serve, ssl_context=context, unix_socket=path) as port:
        scheme, host = ("https" if context else "http"), ("sse.test" if path else f"127.0.0.1:{port}")
        yield Target.parse(f"{scheme}://{host}/", unix_socket=path, ca_file=authority.file)


@pytest.mark.parametrize("kind", ["tcp", "tls", "unix-socket"])
async def test_arrival_times_are_exact_for_a_consumer_that_pauses(
    kind: str, authority: Authority, tmp_path: Path
) -> None:
    sent_ns, arrived_ns = list[int](), list[int]()
    by_kernel = list[bool]()
    async with (
        target_of(kind, tell_the_time, authority, tmp_path) as target,
        EventSource(target, reconnect=False) as source,
    ):
        async for event in source:
            sent_ns.append(int(event.data))
            arrived_ns.append(event.arrived_ns)
            by_kernel.append(source.arrived_by_kernel)
            assert event.arrived_ns == source.arrived_ns
            if len(sent_ns) == 1:
                await asyncio.sleep(INTERVAL_S * 6)
    assert len(sent_ns) == 5
    for number, sent in enumerate(sent_ns):
        # If the socket had been read after the pause, all events would have the time of the last one.
        assert sent - CLOCK_NS <= arrived_ns[number] < sent + INTERVAL_S * 1e9
    assert by_kernel[-1] is (kind != "unix-socket" and sys.platform == "linux")


async def test_comments_and_the_response_head_have_arrival_times(authority: Authority, tmp_path: Path) -> None:
    opened_ns, comments_ns = list[int](), list[tuple[int, int]]()

    def on_state(change: StateChange) -> None:
        if change.state is ConnectionState.OPEN:
            opened_ns.append(source.arrived_ns)

    async with target_of("tcp", tell_the_time, authority, tmp_path) as target:
        source = EventSource(
            target,
            reconnect=False,
            on_comment=lambda text: comments_ns.append((int(text), source.arrived_ns)),
            on_state=on_state,
        )
        assert source.arrived_ns == 0
        began_ns = time.time_ns()
        async with source:
            async for _ in source:
                pass
    assert len(comments_ns) == 5
    assert began_ns <= opened_ns[0] <= comments_ns[0][1] + CLOCK_NS
    for sent, arrived in comments_ns:
        assert sent - CLOCK_NS <= arrived < sent + INTERVAL_S * 1e9


async def test_a_slow_consumer_slows_the_server_down(authority: Authority, tmp_path: Path) -> None:
    sent_bytes = 0
    event = b"data: %b\n\n" % (b"x" * 1000)

    async def blast(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent_bytes
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head())
        while True:
            writer.write(event * 10)
            await writer.drain()
            sent_bytes += len(event) * 10

    async def stopped() -> int:
        before = -1
        while before != sent_bytes:
            before = sent_bytes
            await asyncio.sleep(0.2)
        return sent_bytes

    async with target_of("tcp", blast, authority, tmp_path) as target, EventSource(target) as source:
        await anext(source)
        first = await stopped()
        # The kernel's socket buffers hold some additional megabytes.
        assert READ_AHEAD_BYTES / 2 < first < READ_AHEAD_BYTES + 64 * 1024 * 1024
        for _ in range(first // len(event) + 1):
            await anext(source)
        assert await stopped() > first


async def test_events_wait_for_an_async_comment_handler() -> None:
    got: list[str] = []

    async def on_comment(comment: str) -> None:
        await asyncio.sleep(0.05)
        got.append(comment)

    async with (
        ScriptedServer([head(), b": a\n: b\ndata: 1\n\n", Do.HOLD]) as server,
        EventSource(server.url, on_comment=on_comment) as source,
    ):
        assert (await anext(source)).data == "1"
    assert got == [" a", " b"]
