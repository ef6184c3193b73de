"""Makes the requests of ``sse bench --mcp``: asks the server for its version, opens and closes its sessions."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from sseclient_cli.cli.advice import SENT_ONCE
from sseclient_cli.cli.options.grouped import is_given
from sseclient_cli.cli.options.mcp import McpOptions, VersionChoice
from sseclient_cli.cli.options.output import BenchOutputOptions
from sseclient_cli.cli.options.request import StreamRequestOptions
from sseclient_cli.errors import BadStatusError, UsageError
from sseclient_cli.render.standard_streams import say
from sseclient_cli.request.mcp_call import OWN_HEADERS, McpCall, McpVersion
from sseclient_cli.sse.stream_format import StreamFormat

if TYPE_CHECKING:
    from sseclient_cli.cli.run_options import RunOptions
    from sseclient_cli.client.mcp_session import McpServer
    from sseclient_cli.run.spec import RunSpec

MAX_SESSIONS = 1_000
"""Most servers keep a task and some buffers for each session. More slots than this share the sessions."""

_Result = TypeVar("_Result")


def check_mcp(options: RunOptions) -> None:
    """Raise UsageError for options that do not fit together."""
    mcp, request = options.mcp, options.request
    if mcp.mcp is None:
        given = [each.name for each in fields(mcp) if is_given(getattr(mcp, each.name))]
        if given:
            raise UsageError(f"--{given[0].replace('_', '-')} needs the method of the requests: add --mcp METHOD")
        return
    for option, value in (
        ("--data", request.data),
        ("--method", None if request.method == "POST" else request.method),
        ("--send", request.messages),
        ("--llm", options.llm.llm),
        ("--urls", options.per_stream.urls_file),
        ("--against", options.load.against),
        ("--any-content-type", request.any_content_type or None),
        ("--format", None if request.stream_format in (None, StreamFormat.JSON) else request.stream_format),
    ):
        if value is not None:
            raise UsageError(f"--mcp and {option} exclude each other: leave one out")
    mcp.call()


def as_mcp(request: StreamRequestOptions, call: McpCall | None) -> StreamRequestOptions:
    """Return the options of the request with the body and the headers of the call."""
    if call is None:
        return request
    kept = [line for line in request.headers or () if line.partition(":")[0].strip().lower() not in OWN_HEADERS]
    headers = [f"{name}: {value}" for name, value in call.headers(McpVersion.STATELESS.value)]
    body = call.body(McpVersion.STATELESS)
    return replace(request, data=body, headers=[*kept, *headers], stream_format=StreamFormat.JSON)


def greeted(spec: RunSpec, mcp: McpOptions, output: BenchOutputOptions) -> McpServer | None:
    """Return what the server says about itself; None without ``--mcp``. Raises SseError."""
    from rich.console import Console

    from sseclient_cli.client.mcp_session import close_sessions, greet
    from sseclient_cli.render.terminal.live import waiting_view

    if mcp.mcp is None:
        return None
    target = spec.target.of_stream(0)

    async def ask() -> McpServer:
        server = await greet(target, (mcp.mcp_version or VersionChoice.AUTO).version)
        if server.session_id is not None:
            await close_sessions(target, server.version, [server.session_id])
        return server

    console = Console(stderr=True) if output.is_moving else None
    with waiting_view(console, f"waiting for {spec.target.redacted_url} to answer"):
        return _run(ask())


@contextmanager
def in_sessions(spec: RunSpec, server: McpServer | None, call: McpCall | None, *, quiet: bool) -> Iterator[RunSpec]:
    """Return the run in the version of the server, within sessions if it has any; close these in the end."""
    from sseclient_cli.client.mcp_session import close_sessions, open_sessions
    from sseclient_cli.request.mcp_requests import of_version

    if server is None or call is None or spec.plan.mcp is None:
        yield spec
        return
    target = spec.target.of_stream(0)
    wanted = 0 if server.session_id is None else min(spec.plan.connections, MAX_SESSIONS)
    if wanted > 1 and not quiet:
        say(f"opening {wanted:,} sessions")
    sessions = _run(open_sessions(target, server.version, wanted))
    choice = replace(
        spec.plan.mcp,
        version=server.version,
        server_name=server.name,
        server_version=server.release,
        sessions=len(sessions),
    )
    try:
        yield replace(
            spec,
            target=of_version(spec.target, call, server.version, sessions),
            plan=replace(spec.plan, mcp=choice),
        )
    finally:
        ended = _run(close_sessions(target, server.version, sessions))
        if ended < len(sessions) and not quiet:
            say(f"the server ended {ended:,} of {len(sessions):,} sessions: the others are left to it")


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    import asyncio

    from sseclient_cli.event_loop import EventLoop

    with asyncio.Runner(loop_factory=EventLoop) as runner:
        try:
            return runner.run(work)
        except BadStatusError as exc:
            exc.code = exc.code or SENT_ONCE
            raise
