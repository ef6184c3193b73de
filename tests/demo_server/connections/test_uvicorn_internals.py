"""The undocumented names of uvicorn that demo_server uses, checked against the installed version."""

from __future__ import annotations

import asyncio
import socket
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from packaging.requirements import Requirement
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"

USED_IN_CONNECTIONS = "demo_server/connections"
USED_IN_SERVER = "demo_server/server.py"

SERVER = ["handle_exit", "server_state", "should_exit", "shutdown", "startup"]
SERVER_STATE = ["connections"]
HTTP = [
    *("connection_lost", "connection_made", "data_received", "pause_writing", "resume_writing", "shutdown"),
    *("cycle", "flow", "loop", "on_message_begin", "on_message_complete", "scope", "send_400_response", "transport"),
]
FLOW = ["read_paused"]
CYCLE = ["more_body", "response_complete", "response_started"]
WEBSOCKETS = [
    *("connection_lost", "connection_made", "pause_writing", "resume_writing", "send", "shutdown"),
    *("close_sent", "handle_connect", "handshake_complete", "response", "scope", "transport", "writable"),
]


UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class Application:
    """An ASGI application that receives one request and does not answer it."""

    def __init__(self) -> None:
        self.is_called = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.is_called.set()
        await asyncio.Event().wait()


class Connection:
    """A connection to uvicorn, whose application has been called."""

    def __init__(self, server: uvicorn.Server, client: socket.socket) -> None:
        self.server = server
        self.client = client

    @property
    def protocol(self) -> Any:
        (protocol,) = self.server.server_state.connections
        return protocol


@asynccontextmanager
async def connected(headers: bytes = b"") -> AsyncIterator[Connection]:
    application = Application()
    config = uvicorn.Config(application, http="httptools", ws="websockets-sansio", log_config=None)
    config.load()
    server = uvicorn.Server(config)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
            lambda: HttpToolsProtocol(config, server.server_state, {}), theirs
        )
        ours.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")
        async with asyncio.timeout(30):
            await application.is_called.wait()
        yield Connection(server, ours)
        tasks = list(server.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        transport.abort()
        await asyncio.sleep(0)


def assert_has(owner: object, names: list[str], used_in: str) -> None:
    kind = owner if isinstance(owner, type) else type(owner)
    missing = [name for name in names if not hasattr(owner, name)]
    assert not missing, (
        f"{kind.__module__}.{kind.__qualname__} of uvicorn {uvicorn.__version__} has no {', '.join(missing)}: adapt "
        f"{used_in}, then adjust this list and the bounds of uvicorn in pyproject.toml"
    )


async def test_http_protocol_and_server_have_the_names_that_demo_server_uses() -> None:
    async with connected() as connection:
        assert_has(connection.server, SERVER, USED_IN_SERVER)
        assert_has(connection.server.server_state, SERVER_STATE, USED_IN_SERVER)
        assert type(connection.protocol) is HttpToolsProtocol
        assert_has(connection.protocol, HTTP, USED_IN_CONNECTIONS)
        assert_has(connection.protocol.cycle, CYCLE, USED_IN_CONNECTIONS)
        assert_has(connection.protocol.flow, FLOW, USED_IN_CONNECTIONS)


async def test_socket_of_a_transport_has_the_name_that_demo_server_uses() -> None:
    async with connected() as connection:
        transport_socket = connection.protocol.transport.get_extra_info("socket")
        assert isinstance(getattr(transport_socket, "_sock", None), socket.socket), "see connections/http_protocol.py"


async def test_websocket_protocol_has_the_names_that_demo_server_uses() -> None:
    async with connected(UPGRADE) as connection:
        assert type(connection.protocol) is WebSocketsSansIOProtocol
        assert_has(connection.protocol, WEBSOCKETS, USED_IN_CONNECTIONS)


def test_missing_name_is_reported_with_version_and_remedy() -> None:
    with pytest.raises(AssertionError, match=r"Server of uvicorn \S+ has no gone: adapt demo_server/server.py, then"):
        assert_has(uvicorn.Server, ["shutdown", "gone"], USED_IN_SERVER)


def test_bounds_of_uvicorn_include_the_installed_minor_version_only() -> None:
    dependencies = map(Requirement, tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["dependencies"])
    (bounds,) = (dependency.specifier for dependency in dependencies if dependency.name == "uvicorn")
    major, minor = map(int, uvicorn.__version__.split(".")[:2])
    assert bounds.contains(uvicorn.__version__)
    assert not bounds.contains(f"{major}.{minor + 1}.0"), "uvicorn needs an upper bound: demo_server uses private names"
