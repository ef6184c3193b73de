"""The choice of the address, and the options of the socket."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import ExitStack
from typing import Any

import pytest
from certificates import Authority
from leftovers import open_sockets
from scripted_server import Do, ScriptedServer, head
from silent_port import silent_port

from sseclient_cli.client import network
from sseclient_cli.client.connector import Connector
from sseclient_cli.errors import ConnectionRefusedByTargetError, ConnectTimeoutError
from sseclient_cli.keepalive import IDLE_S, INTERVAL_S, PROBES, keep_alive
from sseclient_cli.request.target import Target


@pytest.fixture(autouse=True)
async def no_socket_is_left_open() -> Any:
    before = open_sockets()
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    assert open_sockets() == before


def unused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def resolve_to(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Resolve a name to several addresses, which differ only by their port."""

    async def look_up(*_: object, **__: object) -> list[tuple[Any, ...]]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, ("127.0.0.1", port)) for port in ports]

    monkeypatch.setattr(network, "look_up", look_up)


async def peer_port(target: Target) -> int:
    async with Connector(target, None) as connector:
        connection = await connector.connect(None)
        await connection.aclose()
        (_, peer), *_ = connection.requests
        assert isinstance(peer, tuple)
        return peer[1]


async def test_an_address_that_does_not_answer_delays_the_next_one_by_one_stagger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ScriptedServer([head(), Do.HOLD]) as server:
        with silent_port() as dead:
            resolve_to(monkeypatch, dead, server.port)
            assert await peer_port(Target(url="http://sse.test/", connect_timeout_s=20)) == server.port


async def test_an_address_that_refuses_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer([head(), Do.HOLD]) as server:
        resolve_to(monkeypatch, unused_port(), unused_port(), server.port)
        assert await peer_port(Target(url="http://sse.test/")) == server.port


async def test_a_slow_address_that_finally_answers_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second attempt has failed before."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [stack.enter_context(socket.socket()) for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        resolve_to(monkeypatch, listener.getsockname()[1], unused_port())
        async with Connector(Target(url="http://sse.test/", connect_timeout_s=20), None) as connector:
            connecting = asyncio.ensure_future(connector.connect(None))
            await asyncio.sleep(0.5)
            assert not connecting.done()
            listener.setblocking(False)
            loop = asyncio.get_running_loop()
            while not connecting.done():
                accepted, _ = await loop.sock_accept(listener)
                stack.callback(accepted.close)
                await loop.sock_sendall(accepted, head())
                await asyncio.sleep(0.05)
            await (await connecting).aclose()


async def test_several_refused_addresses_are_a_refused_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, unused_port(), unused_port())
    with pytest.raises(ConnectionRefusedByTargetError):
        await peer_port(Target(url="http://sse.test/"))


async def test_the_connect_timeout_applies_to_all_attempts_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with silent_port() as first, silent_port() as second:
        resolve_to(monkeypatch, first, second)
        with pytest.raises(ConnectTimeoutError, match=r"within 0\.6 s"):
            await peer_port(Target(url="http://sse.test/", connect_timeout_s=0.6))


@pytest.mark.skipif(sys.platform != "linux", reason="the names of the options are Linux's")
async def test_every_tcp_connection_has_keepalive() -> None:
    async with ScriptedServer([head(), Do.HOLD]) as server, Connector(Target(url=server.url), None) as connector:
        connection = await connector.connect(None)
        ours = connection._stream.get_extra_info("socket")
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert [ours.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [
            IDLE_S,
            INTERVAL_S,
            PROBES,
        ]
        await connection.aclose()


def test_a_unix_socket_has_no_keepalive() -> None:
    with socket.socket(socket.AF_UNIX) as unix_socket:
        keep_alive(unix_socket)


@pytest.mark.parametrize("kind", ["tcp", "tls"])
async def test_a_large_body_is_sent_whole(kind: str, authority: Authority) -> None:
    context = authority.server() if kind == "tls" else None
    body = bytes(range(256)) * 8192  # many TLS records, and more than one send accepts
    async with ScriptedServer([head(), b"data: x\n\n"], ssl_context=context) as server:
        target = Target(url=server.url, method="POST", body=body, tls=Target.parse("x", ca_file=authority.file).tls)
        await peer_port(target)
        assert server.requests[0].body == body
