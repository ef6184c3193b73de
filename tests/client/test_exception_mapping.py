"""Attributes and causes of the errors of ``EventSource``."""

from __future__ import annotations

import pickle
import socket

import httpx
import pytest
from scripted_server import CHUNKED, Do, Script, ScriptedServer, chunk, head

from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import StateChange
from sseclient_cli.errors import (
    BadStatusError,
    ConnectionLostError,
    ConnectionRefusedByTargetError,
    InvalidResponseError,
    SseError,
    UnexpectedResponseError,
    WrongContentTypeError,
)

HEADERS = b"Retry-After: 7\r\nX-Twice: a\r\nx-twice: b\r\nContent-Length: 0\r\n"


async def error_of(source: EventSource) -> SseError:
    async with source:
        with pytest.raises(SseError) as caught:
            await anext(source)
    return caught.value


@pytest.mark.parametrize("reconnect", [True, False])
@pytest.mark.parametrize("status", [202, 404, 429, 503, 599])
async def test_a_bad_status_error_has_status_headers_and_its_own_kind(status: int, reconnect: bool) -> None:
    async with ScriptedServer([head(status, HEADERS)]) as server:
        error = await error_of(EventSource(server.url, reconnect=reconnect))
    assert type(error) is BadStatusError
    assert (error.status, error.kind) == (status, f"http-{status}")
    assert error.headers == {"retry-after": "7", "x-twice": "a, b", "content-length": "0"}


async def test_a_wrong_content_type_error_has_status_and_headers() -> None:
    async with ScriptedServer([head(200, b"Content-Type: Text/HTML\r\n" + HEADERS)]) as server:
        error = await error_of(EventSource(server.url))
    assert type(error) is WrongContentTypeError
    assert (error.status, error.kind) == (200, "content-type")
    assert error.headers["content-type"] == "Text/HTML"
    assert error.headers["retry-after"] == "7"


@pytest.mark.parametrize("location", [b"", b"Location: ftp://127.0.0.1/\r\n", b"Location: /\r\n"])
async def test_an_invalid_redirect_error_has_status_and_headers(location: bytes) -> None:
    async with ScriptedServer(*[[head(302, HEADERS + location)]] * 21) as server:
        error = await error_of(EventSource(server.url))
    assert isinstance(error, BadStatusError)
    assert (error.status, error.kind) == (302, "http-302")
    assert error.headers["retry-after"] == "7"
    assert ("location" in error.headers) == bool(location)


async def test_an_error_of_a_response_can_be_pickled() -> None:
    async with ScriptedServer([head(503, HEADERS)]) as server:
        error = await error_of(EventSource(server.url))
    twin = pickle.loads(pickle.dumps(error))
    assert isinstance(error, UnexpectedResponseError)
    assert (str(twin), twin.status, twin.headers, twin.kind) == (str(error), 503, error.headers, "http-503")


@pytest.mark.parametrize(
    ("script", "kind", "cause"),
    [
        ([], ConnectionLostError, httpx.RemoteProtocolError),
        ([head(headers=CHUNKED), chunk(b":\n"), Do.RESET], ConnectionLostError, httpx.ReadError),
        ([b"SSH-2.0-OpenSSH_9.6\r\n\r\n"], InvalidResponseError, httpx.RemoteProtocolError),
    ],
    ids=["closed", "reset", "no-http"],
)
async def test_the_exception_of_httpx_is_the_cause(
    script: Script, kind: type[SseError], cause: type[Exception]
) -> None:
    async with ScriptedServer(script) as server:
        error = await error_of(EventSource(server.url, reconnect=False))
    assert type(error) is kind
    assert type(error.__cause__) is cause


async def test_the_root_cause_of_a_refused_connection_has_the_errno() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = await error_of(EventSource(f"http://127.0.0.1:{port}", reconnect=False))
    assert type(error) is ConnectionRefusedByTargetError
    chain: list[BaseException] = [error]
    while (link := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(link)
    assert type(chain[1]) is httpx.ConnectError
    assert any(isinstance(link, ConnectionRefusedError) for link in chain)


async def test_the_last_state_change_has_the_error_that_is_raised() -> None:
    changes: list[StateChange] = []
    async with ScriptedServer([head(410)]) as server:
        error = await error_of(EventSource(server.url, on_state=changes.append))
    assert changes[-1].error is error
    assert changes[-1].reason == str(error)
