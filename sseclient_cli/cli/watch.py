"""``sse watch``: show the events of one stream as they arrive."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Annotated, cast

import typer

from sseclient_cli.cli.demo import demo_path, is_demo, serving_demo
from sseclient_cli.cli.options import (
    AnyContentType,
    Bearer,
    CaCert,
    Cert,
    Compressed,
    ConnectTo,
    Headers,
    IdleTimeout,
    Insecure,
    Key,
    MaxEventBytes,
    Method,
    ProxyUrl,
    RetryStatus,
    SourceAddress,
    Timeout,
    UnixSocket,
    Url,
    headers_of,
    parse_duration_s,
    parse_statuses,
)
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.cli.session import Selection
    from sseclient_cli.report.stream_view import Output, StreamView
    from sseclient_cli.target import Target

EXIT_TERMINATED = 128 + 15

Duration = Annotated[
    float | None,
    typer.Option("--duration", parser=parse_duration_s, metavar="TIME", help="Stop after this time: 10s, 500ms, 2m."),
]


def watch(
    url: Url,
    header: Headers = None,
    method: Method = None,
    data: Annotated[str | None, typer.Option("-d", "--data", metavar="BODY", help="Send this request body.")] = None,
    bearer: Bearer = None,
    insecure: Insecure = False,
    cacert: CaCert = None,
    cert: Cert = None,
    key: Key = None,
    connect_to: ConnectTo = None,
    unix_socket: UnixSocket = None,
    source_address: SourceAddress = None,
    proxy: ProxyUrl = None,
    last_event_id: Annotated[
        str, typer.Option(metavar="ID", help="Begin after this event: send it as Last-Event-ID.")
    ] = "",
    event: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="Show only events of this type; may be given many times."),
    ] = None,
    count: Annotated[
        int | None, typer.Option("-n", "--count", min=1, metavar="COUNT", help="Stop after so many events.")
    ] = None,
    duration_s: Duration = None,
    reconnect: Annotated[
        bool | None,
        typer.Option(
            "--reconnect/--no-reconnect",
            show_default=False,
            help="Reconnect when the stream ends, or stop. The default is to repeat only GET and HEAD.",
        ),
    ] = None,
    retry_status: RetryStatus = "",
    timeout_s: Timeout = None,
    idle_timeout_s: IdleTimeout = None,
    max_event_bytes: MaxEventBytes = None,
    any_content_type: AnyContentType = False,
    compressed: Compressed = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write each event as a JSON object: time, type, id, data.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Write the data of the events and nothing else.")] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show requests, responses and connections on stderr, like curl.")
    ] = False,
    comments: Annotated[
        bool, typer.Option("--comments", help="Show comments too, which servers send as heartbeats.")
    ] = False,
) -> int:
    """Show the events of a stream as they arrive; reconnect as browsers do. Ctrl-C stops."""
    from contextlib import ExitStack

    from sseclient_cli.cli.session import Selection
    from sseclient_cli.protocol.event_stream import DEFAULT_MAX_EVENT_BYTES
    from sseclient_cli.proxied import through_proxy
    from sseclient_cli.report.stream_view import Output
    from sseclient_cli.target import Target

    if as_json and raw:
        raise UsageError("--json and --raw exclude each other: leave one out")
    if reconnect is False and retry_status:
        raise UsageError("--retry-status is for streams that reconnect: leave out --no-reconnect")
    if raw and comments:
        raise UsageError("--raw writes data and nothing else: leave out --comments, or take --json")
    if any("\ud800" <= character <= "\udfff" for character in last_event_id):
        raise UsageError("--last-event-id has bytes that are not UTF-8")
    output = Output.JSON if as_json else Output.RAW if raw else Output.TEXT
    selection = Selection(
        event_types=frozenset(event or ()),
        count=count,
        duration_s=duration_s,
        reconnect=reconnect,
        retry_statuses=parse_statuses(retry_status),
        comments=comments,
        last_event_id=last_event_id,
        idle_timeout_s=idle_timeout_s,
        max_event_bytes=max_event_bytes or DEFAULT_MAX_EVENT_BYTES,
        verbose=verbose,
    )
    with ExitStack() as stack:
        if is_demo(url):
            url = stack.enter_context(serving_demo()) + demo_path(url, "/stream")
        target = Target.parse(
            url,
            method=method,
            headers=headers_of(header, compressed=compressed),
            body=data,
            bearer=bearer,
            insecure=insecure,
            ca_file=cacert,
            cert_file=cert,
            key_file=key,
            connect_to=connect_to,
            unix_socket=unix_socket,
            source_address=source_address,
            timeout_s=timeout_s,
            any_content_type=any_content_type,
        )
        return _run(through_proxy(target, proxy), selection, output)


def _run(target: Target, selection: Selection, output: Output) -> int:
    import asyncio
    import time

    from sseclient_cli.cli.session import Session
    from sseclient_cli.report.standard_streams import say

    began_s = time.monotonic()
    session = Session(selection)
    try:
        with _view(output, target) as view:
            asyncio.run(session.run(target, view))
    except (KeyboardInterrupt, asyncio.CancelledError) as exc:
        say(f"{_events(session.shown)} in {time.monotonic() - began_s:.1f} s")
        raise KeyboardInterrupt from exc
    finally:
        if session.diagnosis:
            say(session.diagnosis)
    if session.last_word:
        say(f"{session.last_word}: {_events(session.shown)}")
    return EXIT_TERMINATED if session.terminated else 0


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"


def _view(output: Output, target: Target) -> StreamView:
    """Choose the terminal's view if stdout is one that can do it and nobody said NO_COLOR (no-color.org)."""
    import os

    from rich.console import Console

    from sseclient_cli.report.standard_streams import UnbufferedStdout
    from sseclient_cli.report.stream_view import PlainView, TerminalView

    if not sys.stdout.isatty():
        return PlainView(output, verbatim=True)
    # On Windows rich may need the console's own handle, and finds it by the file.
    console = Console() if sys.platform == "win32" else Console(file=cast("IO[str]", UnbufferedStdout()))
    if os.environ.get("NO_COLOR") or console.is_dumb_terminal:
        return PlainView(output, verbatim=False)
    return TerminalView(output, target.redacted_url, console)
