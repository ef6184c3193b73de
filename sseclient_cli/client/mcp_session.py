"""Agree with an MCP server on a version, and open and close sessions, each through a request of its own.

``greet`` asks the server in the newest way first: ``server/discover`` of version 2026-07-28. A server of an older
version answers with an error, and then gets ``initialize``. This is also the way of the official Python client (mcp
2.3, client/_probe.py). The first session, if the server gives one, is part of the result.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sseclient_cli.client.connection import Connection
from sseclient_cli.client.connector import Connector
from sseclient_cli.client.preflight import ANSWER_TIMEOUT_S, resolved_request
from sseclient_cli.errors import (
    InvalidResponseError,
    NoResultError,
    ReadTimeoutError,
    RpcError,
    SseError,
    UnexpectedResponseError,
)
from sseclient_cli.payload.mcp_messages import McpExchange, rpc_error_of
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.redaction import shown_text
from sseclient_cli.request.mcp_call import (
    METHOD_HEADER,
    OWN_HEADERS,
    SESSION_HEADER,
    VERSION_HEADER,
    McpVersion,
    initialize_params,
    message,
    stateless_meta,
)
from sseclient_cli.request.target import ResolvedTarget, Target
from sseclient_cli.sse.framing import parser_of

DISCOVER_TIMEOUT_S = 5.0
"""The time limit for the answer to ``server/discover``: an old server may open a stream and never answer."""

CLOSE_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_PER_SESSION_S = 0.02
"""The time limit for the end of all sessions after a run is the sum of both, for a server that is still busy."""

CONCURRENT_OPENINGS = 16

OLDER_VERSIONS = frozenset({"2024-11-05", "2025-03-26", McpVersion.SESSIONS.value, "2025-11-25"})
"""The versions that begin with ``initialize``. Their calls differ in nothing that this client sends."""

MAX_NAME_CHARS = 100

_SERVER_INFO = "io.modelcontextprotocol/serverInfo"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """What a server has said about itself."""

    version: str
    """The version of MCP, as each request names it."""
    name: str
    release: str
    """The server's own version."""
    session_id: str | None = None
    chain: tuple[ResolvedTarget, ...]
    """The redirect chain of the first request, with the addresses that answered."""
    status: int


@dataclass(frozen=True, slots=True)
class _Reply:
    result: dict[str, Any]
    connection: Connection

    @property
    def chain(self) -> tuple[ResolvedTarget, ...]:
        return tuple(resolved_request(*request) for request in self.connection.requests)


async def greet(target: Target, version: McpVersion | None) -> McpServer:
    """Return the server, which speaks this version, or for None the newest common one. Raises SseError."""
    if version is McpVersion.SESSIONS:
        return await _initialized(target, {McpVersion.SESSIONS.value})
    try:
        return await _discovered(target)
    except (RpcError, UnexpectedResponseError, InvalidResponseError, NoResultError, ReadTimeoutError) as exc:
        if version is not None:
            raise
        try:
            return await _initialized(target, OLDER_VERSIONS)
        except SseError as error:
            error.add_note(f"before, server/discover failed: {exc}")
            raise


async def open_sessions(target: Target, version: str, count: int) -> tuple[str, ...]:
    """Open ``count`` sessions. Raises SseError if one of them fails; those that are open are then closed."""
    opened: list[str] = []
    try:
        while len(opened) < count:
            await _open_more(target, version, min(CONCURRENT_OPENINGS, count - len(opened)), opened)
    except BaseException as exc:  # also Ctrl-C
        exc.add_note(f"{len(opened):,} of {count:,} sessions were open before")
        await close_sessions(target, version, opened)
        raise
    return tuple(opened)


async def _open_more(target: Target, version: str, count: int, opened: list[str]) -> None:
    """Add ``count`` sessions, all at once. Raises SseError after the others have opened or failed."""
    found = await asyncio.gather(*(_session(target, version) for _ in range(count)), return_exceptions=True)
    opened += [each for each in found if isinstance(each, str)]
    for each in found:
        if isinstance(each, BaseException):
            raise each


async def _session(target: Target, version: str) -> str:
    server = await _initialized(target, {version})
    if server.session_id is None:
        raise NoResultError("the server gives a session to some clients, and to others none")
    return server.session_id


async def close_sessions(target: Target, version: str, session_ids: Sequence[str]) -> int:
    """End the sessions as far as the time limit allows; return how many ended. A server may refuse it (405)."""
    ended = 0

    async def close_in_turn(ids: Sequence[str]) -> None:
        nonlocal ended
        for session_id in ids:
            with suppress(SseError):
                headers = {VERSION_HEADER: version, SESSION_HEADER: session_id}
                async with Connector(_asking(replace(target, method="DELETE"), None, headers), CLOSE_TIMEOUT_S) as to:
                    connection = await to.connect(None)
                    ended += 200 <= connection.status < 300
                    await connection.aclose()

    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT_S + CLOSE_TIMEOUT_PER_SESSION_S * len(session_ids)):
            await asyncio.gather(
                *(close_in_turn(session_ids[first::CONCURRENT_OPENINGS]) for first in range(CONCURRENT_OPENINGS))
            )
    return ended


async def _discovered(target: Target) -> McpServer:
    method, version = "server/discover", McpVersion.STATELESS.value
    headers = {VERSION_HEADER: version, METHOD_HEADER: method}
    reply = await _answer(target, method, {"_meta": stateless_meta()}, headers, DISCOVER_TIMEOUT_S)
    supported = reply.result.get("supportedVersions")
    if not isinstance(supported, list) or version not in supported:
        raise NoResultError(f"the server does not speak MCP {version}, but {_shown(supported)}")
    meta = reply.result.get("_meta")
    info = meta.get(_SERVER_INFO) if isinstance(meta, dict) else None
    return _server(version, info or reply.result.get("serverInfo"), reply)


async def _initialized(target: Target, accepted: frozenset[str] | set[str]) -> McpServer:
    reply = await _answer(target, "initialize", initialize_params(), {})
    version = reply.result.get("protocolVersion")
    if not isinstance(version, str) or version not in accepted:
        raise NoResultError(f"the server speaks MCP {_shown(version)}, and not {' or '.join(sorted(accepted))}")
    server = _server(version, reply.result.get("serverInfo"), reply)
    session_id = reply.connection.headers.get(SESSION_HEADER.lower())
    headers = {VERSION_HEADER: version} | ({} if session_id is None else {SESSION_HEADER: session_id})
    await _notify(target, "notifications/initialized", headers)
    return replace(server, session_id=session_id)


def _server(version: str, info: Any, reply: _Reply) -> McpServer:
    name, release = (info.get("name"), info.get("version")) if isinstance(info, dict) else ("", "")
    return McpServer(
        version=version,
        name=_shown(name) if isinstance(name, str) else "",
        release=_shown(release) if isinstance(release, str) else "",
        chain=reply.chain,
        status=reply.connection.status,
    )


async def _answer(
    target: Target, method: str, params: dict[str, Any], headers: dict[str, str], timeout_s: float = ANSWER_TIMEOUT_S
) -> _Reply:
    """Send a request and return its result. Raises SseError, with the method in a note."""
    request_id = f"sse-{method}"
    limit_s = min(timeout_s, target.head_timeout_s or timeout_s)
    try:
        async with Connector(_asking(target, message(method, request_id, params), headers), limit_s) as connector:
            async with asyncio.timeout(target.connect_timeout_s + limit_s):
                connection = await connector.connect(None)
                try:
                    return _Reply(await _result(connection, McpExchange(request_id)), connection)
                finally:
                    await connection.aclose()
    except TimeoutError as exc:
        raise ReadTimeoutError(f"{target.redacted_url} did not answer {method} within {limit_s:g} s") from exc
    except (RpcError, UnexpectedResponseError, NoResultError) as exc:
        exc.add_note(f"the request was {method}")
        raise


async def _result(connection: Connection, exchange: McpExchange) -> dict[str, Any]:
    if connection.stop_reason is not None:
        raise _rpc_error_in(error := await connection.response_error(connection.stop_reason)) or error
    parser = parser_of(connection.stream_format)
    while not exchange.is_answered and (piece := await connection.read()) is not None:
        for event in parser.feed(piece):
            exchange.read(ParsedEvent(event))
    if not exchange.is_answered:
        for event in parser.finish():
            exchange.read(ParsedEvent(event))
    if not exchange.is_answered:
        raise exchange.unanswered()
    if exchange.error is not None:
        raise exchange.error
    return exchange.result


async def _notify(target: Target, method: str, headers: dict[str, str]) -> None:
    """Send a notification. Its response has no body (202 Accepted); any status of success will do."""
    async with Connector(_asking(target, message(method, None, {}), headers), ANSWER_TIMEOUT_S) as connector:
        connection = await connector.connect(None)
        try:
            if not 200 <= connection.status < 300 and connection.stop_reason is not None:
                error = await connection.response_error(connection.stop_reason)
                error.add_note(f"the request was {method}")
                raise _rpc_error_in(error) or error
        finally:
            await connection.aclose()


def _rpc_error_in(error: UnexpectedResponseError) -> RpcError | None:
    try:
        return rpc_error_of(json.loads(error.body))
    except (ValueError, RecursionError):
        return None


def _asking(target: Target, body: bytes | None, headers: dict[str, str]) -> Target:
    kept = (pair for pair in target.headers if pair[0].lower() not in OWN_HEADERS)
    secrets = [value for name, value in headers.items() if name == SESSION_HEADER]
    own_values = (*target.own_values, *secrets)
    return replace(target, body=body, headers=(*kept, *headers.items()), own_values=own_values)


def _shown(text: object) -> str:
    return shown_text(str(text), MAX_NAME_CHARS)
