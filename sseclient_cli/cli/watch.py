"""``sse watch``: show the events of one stream as they arrive."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from sseclient_cli.cli.demo import serving_demo
from sseclient_cli.cli.options import Bearer, Headers, Method, Url, parse_duration_s
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.client.source import EventSource
    from sseclient_cli.client.state import StateChange
    from sseclient_cli.report.stream_view import Output, StreamView
    from sseclient_cli.target import Target

EXIT_TERMINATED = 128 + 15

REFRESH_S = 0.1
"""How often the status line counts down: its times have one decimal."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events are shown, and when it is enough."""

    event_types: frozenset[str]
    count: int | None
    duration_s: float | None
    reconnect: bool
    comments: bool
    last_event_id: str


def watch(
    url: Url,
    header: Headers = None,
    method: Method = None,
    data: Annotated[str | None, typer.Option("-d", "--data", metavar="BODY", help="Send this request body.")] = None,
    bearer: Bearer = None,
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
    duration_s: Annotated[
        float | None,
        typer.Option(
            "--duration",
            parser=parse_duration_s,
            metavar="TIME",
            help="Stop after this time: 10s, 500ms, 2m.",
        ),
    ] = None,
    no_reconnect: Annotated[bool, typer.Option("--no-reconnect", help="Stop when the stream ends.")] = False,
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
    if raw and comments:
        raise UsageError("--raw writes data and nothing else: leave out --comments, or take --json")
    output = Output.JSON if as_json else Output.RAW if raw else Output.TEXT
    selection = Selection(frozenset(event or ()), count, duration_s, not no_reconnect, comments, last_event_id)
    with ExitStack() as stack:
        if url == "demo":
            url = stack.enter_context(serving_demo()) + "/stream"
        target = Target.parse(url, method=method, headers=header or (), body=data, bearer=bearer)
        return _run(target, selection, output)


def _run(target: Target, selection: Selection, output: Output) -> int:
    import asyncio
    import time

    began_s = time.monotonic()
    session = _Session(selection)
    try:
        with _view(output, target) as view:
            asyncio.run(session.run(target, view))
    except KeyboardInterrupt:
        sys.stderr.write(f"{_events(session.shown)} in {time.monotonic() - began_s:.1f} s\n")
        raise
    if session.last_word:
        sys.stderr.write(f"{session.last_word}: {_events(session.shown)}\n")
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
        self.shown = 0
        self.terminated = False
        self.last_word = ""

    async def run(self, target: Target, view: StreamView) -> None:
        """Show events until it is enough. Raises SseError, the first attempt's network errors included."""
        import asyncio
        import time
        from contextlib import suppress

        from sseclient_cli.client.source import EventSource

        source = EventSource(
            target,
            last_event_id=self._selection.last_event_id,
            reconnect=self._selection.reconnect,
            on_comment=(lambda text: view.comment(text, time.time())) if self._selection.comments else None,
            on_state=lambda change: self._state(change, view, time.time()),
        )
        async with source:
            ticker = asyncio.create_task(_refresh(view))
            # A terminal that is gone is found out here too, when no event comes.
            ticker.add_done_callback(lambda _: source.close())
            self._listen_for_the_end(source)
            try:
                async for event in source:
                    if self._selection.event_types and event.type not in self._selection.event_types:
                        continue
                    view.event(event, time.time())
                    self.shown += 1
                    if self.shown == self._selection.count:
                        break
            finally:
                ticker.cancel()
                with suppress(asyncio.CancelledError):
                    await ticker

    def _state(self, change: StateChange, view: StreamView, time_s: float) -> None:
        from sseclient_cli.client.state import ConnectionState
        from sseclient_cli.protocol.reconnection import StopReason

        self._opened = self._opened or change.state is ConnectionState.OPEN
        if change.state is ConnectionState.WAITING and change.error is not None and not self._opened:
            # A person who mistyped a URL must not wait for ever: only what has once been there is waited for.
            raise change.error
        if change.state is ConnectionState.CLOSED and change.reason == StopReason.NO_CONTENT.value:
            self.last_word = change.reason
        view.state(change, time_s)

    def _listen_for_the_end(self, source: EventSource) -> None:
        """Close the source after the duration, on SIGTERM, and when nobody reads our output any more."""
        import asyncio
        import os
        import signal
        import stat
        from contextlib import suppress

        loop = asyncio.get_running_loop()
        if self._selection.duration_s is not None:
            loop.call_later(self._selection.duration_s, source.close)

        def terminate() -> None:
            self.terminated = True
            source.close()

        def reader_gone() -> None:
            loop.remove_reader(sys.stdout.fileno())
            source.close()

        # Windows has neither signal handlers in its loop nor pipes that can be watched.
        with suppress(NotImplementedError):
            if sys.stdout.isatty():
                # A pipe needs no restoring; and one that is full would keep the loop from hearing the signal.
                loop.add_signal_handler(signal.SIGTERM, terminate)
            elif stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
                # The writing end of a pipe becomes "readable" when its reader closes: `sse watch ... | head`
                # ends with head, not with the next event.
                loop.add_reader(sys.stdout.fileno(), reader_gone)


async def _refresh(view: StreamView) -> None:
    import asyncio
    import time

    while True:
        view.refresh(time.time())
        await asyncio.sleep(REFRESH_S)
