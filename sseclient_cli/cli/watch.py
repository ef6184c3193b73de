"""``sse watch``: show the events of one stream as they arrive."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from sseclient_cli.cli.demo import demo_path, is_demo, serving_demo
from sseclient_cli.cli.options import (
    Bearer,
    CaCert,
    Cert,
    ConnectTo,
    Headers,
    Insecure,
    Key,
    Method,
    RetryStatus,
    SourceAddress,
    UnixSocket,
    Url,
    parse_duration_s,
    parse_statuses,
)
from sseclient_cli.cli.stdout import STUCK_S, is_writing_end_of_pipe, stuck_writes_interrupted
from sseclient_cli.errors import UnexpectedResponseError, UsageError

if TYPE_CHECKING:
    from sseclient_cli.client.source import EventSource
    from sseclient_cli.client.state import StateChange
    from sseclient_cli.report.stream_view import Output, StreamView
    from sseclient_cli.target import Target

EXIT_TERMINATED = 128 + 15

REFRESH_S = 0.1
"""How often the status line counts down: its times have one decimal."""

GIVE_WAY_S = 0.01
"""How long events are shown before timers and signals have their turn."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events are shown, and when it is enough."""

    event_types: frozenset[str]
    count: int | None
    duration_s: float | None
    reconnect: bool
    retry_statuses: frozenset[int]
    comments: bool
    last_event_id: str


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
    no_reconnect: Annotated[bool, typer.Option("--no-reconnect", help="Stop when the stream ends.")] = False,
    retry_status: RetryStatus = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Write each event as a JSON object: time, type, id, data.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Write the data of the events and nothing else.")] = False,
    comments: Annotated[
        bool, typer.Option("--comments", help="Show comments too, which servers send as heartbeats.")
    ] = False,
) -> int:
    """Show the events of a stream as they arrive; reconnect as browsers do. Ctrl-C stops."""
    from contextlib import ExitStack

    from sseclient_cli.report.stream_view import Output
    from sseclient_cli.target import Target

    if as_json and raw:
        raise UsageError("--json and --raw exclude each other: leave one out")
    if no_reconnect and retry_status:
        raise UsageError("--retry-status is for streams that reconnect: leave out --no-reconnect")
    if raw and comments:
        raise UsageError("--raw writes data and nothing else: leave out --comments, or take --json")
    if any("\ud800" <= character <= "\udfff" for character in last_event_id):
        raise UsageError("--last-event-id has bytes that are not UTF-8")
    output = Output.JSON if as_json else Output.RAW if raw else Output.TEXT
    types, statuses = frozenset(event or ()), parse_statuses(retry_status)
    selection = Selection(types, count, duration_s, not no_reconnect, statuses, comments, last_event_id)
    with ExitStack() as stack:
        if is_demo(url):
            url = stack.enter_context(serving_demo()) + demo_path(url, "/stream")
        target = Target.parse(
            url,
            method=method,
            headers=header or (),
            body=data,
            bearer=bearer,
            insecure=insecure,
            ca_file=cacert,
            cert_file=cert,
            key_file=key,
            connect_to=connect_to,
            unix_socket=unix_socket,
            source_address=source_address,
        )
        return _run(target, selection, output)


def _run(target: Target, selection: Selection, output: Output) -> int:
    import asyncio
    import time

    from sseclient_cli.report.stream_view import say

    began_s = time.monotonic()
    session = _Session(selection)
    try:
        with _view(output, target) as view:
            asyncio.run(session.run(target, view))
    except KeyboardInterrupt:
        say(f"{_events(session.shown)} in {time.monotonic() - began_s:.1f} s")
        raise
    if session.last_word:
        say(f"{session.last_word}: {_events(session.shown)}")
    return EXIT_TERMINATED if session.terminated else 0


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"


def _view(output: Output, target: Target) -> StreamView:
    """Choose the terminal's view if stdout is one that can do it and nobody said NO_COLOR (no-color.org)."""
    import io
    import os

    from rich.console import Console

    from sseclient_cli.report.stream_view import PlainView, TerminalView

    if not sys.stdout.isatty():
        return PlainView(output, verbatim=True)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that is not UTF-8 shows what it cannot show as escapes.
        sys.stdout.reconfigure(errors="backslashreplace")
    console = Console()
    if os.environ.get("NO_COLOR") or console.is_dumb_terminal:
        return PlainView(output, verbatim=False)
    return TerminalView(output, target.redacted_url, console)


class _Session:
    """One run of the command: counts what it shows and remembers how it ended."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._opened = False
        self._answered = False
        self.shown = 0
        self.terminated = False
        self.last_word = ""

    async def run(self, target: Target, view: StreamView) -> None:
        """Show events until it is enough. Raises SseError, the first attempt's network errors included."""
        import time

        from sseclient_cli.client.source import EventSource

        source = EventSource(
            target,
            last_event_id=self._selection.last_event_id,
            reconnect=self._selection.reconnect,
            retry_statuses=self._selection.retry_statuses,
            on_comment=(lambda text: view.comment(text, time.time())) if self._selection.comments else None,
            on_state=lambda change: self._state(change, view),
        )
        async with source, _refreshed(view, source):
            with self._listening_for_the_end(source):
                await self._show(source, view)

    async def _show(self, source: EventSource, view: StreamView) -> None:
        import asyncio
        import time

        gave_way_s = 0.0
        async for event in source:
            if not self._selection.event_types or event.type in self._selection.event_types:
                view.event(event, time.time())
                self.shown += 1
                if self.shown == self._selection.count:
                    return
            # A source that always has an event ready never waits.
            if time.monotonic() - gave_way_s > GIVE_WAY_S:
                await asyncio.sleep(0)
                gave_way_s = time.monotonic()

    def _state(self, change: StateChange, view: StreamView) -> None:
        import time

        from sseclient_cli.client.state import ConnectionState

        reopened = self._opened
        self._opened = reopened or change.state is ConnectionState.OPEN
        # An answer that is waited out is one of --retry-status.
        self._answered = self._answered or self._opened or isinstance(change.error, UnexpectedResponseError)
        if change.state is ConnectionState.WAITING and change.error is not None and not self._answered:
            # A person who mistyped a URL must not wait for ever: only what has once been there is waited for.
            raise change.error
        if change.stop is not None:
            self.last_word = change.stop.value
        view.state(change, time.time(), time.monotonic(), reopened=reopened)

    @contextmanager
    def _listening_for_the_end(self, source: EventSource) -> Iterator[None]:
        """Close the source after the duration, on SIGTERM, and when nobody reads our output any more."""
        import asyncio
        import signal

        loop, duration_s = asyncio.get_running_loop(), self._selection.duration_s
        if duration_s is not None:
            loop.call_later(duration_s, source.close)

        def terminate() -> None:
            self.terminated = True
            source.close()

        def reader_gone() -> None:
            loop.remove_reader(sys.stdout.fileno())
            source.close()

        if sys.stdout.isatty():
            with suppress(NotImplementedError):  # on Windows
                loop.add_signal_handler(signal.SIGTERM, terminate)
            yield
            return
        if is_writing_end_of_pipe(sys.stdout.fileno()):
            # "Readable" once its reader closes: `sse watch ... | head` ends with head, not with the next event.
            loop.add_reader(sys.stdout.fileno(), reader_gone)
        with stuck_writes_interrupted(0 if duration_s is None else duration_s + STUCK_S):
            yield


@asynccontextmanager
async def _refreshed(view: StreamView, source: EventSource) -> AsyncIterator[None]:
    """Keep the status line up to date, where there is one."""
    import asyncio
    import time

    from sseclient_cli.report.stream_view import TerminalView

    if not isinstance(view, TerminalView):
        yield
        return

    async def refresh() -> None:
        while True:
            view.refresh(time.monotonic())
            await asyncio.sleep(REFRESH_S)

    ticker = asyncio.create_task(refresh())
    ticker.add_done_callback(lambda _: source.close())  # by an error: the terminal is gone
    try:
        yield
    finally:
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker
