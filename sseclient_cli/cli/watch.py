"""``sse watch``: show the events of one stream as they arrive."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from sseclient_cli.cli.demo import demo_url, is_demo, serving_demo
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.output import WatchOutputOptions
from sseclient_cli.cli.options.reading import ReadingOptions
from sseclient_cli.cli.options.request import StreamRequestOptions, Urls
from sseclient_cli.cli.options.values import parse_statuses
from sseclient_cli.cli.options.watching import WatchOptions
from sseclient_cli.cli.replay import is_recording, recorded_paths, serving_recording
from sseclient_cli.cli.request import requested
from sseclient_cli.errors import EXIT_UNMET, UnansweredError, UsageError

if TYPE_CHECKING:
    from contextlib import ExitStack

    from sseclient_cli.cli.live_display import AnyDisplay
    from sseclient_cli.cli.session import Session
    from sseclient_cli.cli.watched_stream import Selection
    from sseclient_cli.render.watch.stream_view import Output, StreamView
    from sseclient_cli.render.watch.terminal_view import TerminalView
    from sseclient_cli.request.target import Target

EXIT_TERMINATED = 128 + 15


def watch(
    urls: Urls,
    events: WatchOptions,
    request: StreamRequestOptions,
    connection: ConnectionOptions,
    reading: ReadingOptions,
    output: WatchOutputOptions,
) -> int:
    """Show the events of one or more streams as they arrive, and reconnect like a browser. Stop with Ctrl-C."""
    from contextlib import ExitStack
    from dataclasses import replace

    from sseclient_cli.cli.event_file import EventFile
    from sseclient_cli.cli.reading import check_reading, reading_of, text_view
    from sseclient_cli.cli.recorder import Recording
    from sseclient_cli.cli.recording_file import RecordingFile
    from sseclient_cli.cli.session import Session
    from sseclient_cli.render.watch.plain_view import PlainView
    from sseclient_cli.render.watch.stream_view import Output
    from sseclient_cli.request.proxied import through_proxy

    _check_combinations(events, connection)
    check_reading(events, reading, output, streams=len(urls))
    selection = _selection(events, connection, output)
    form = Output.JSON if output.as_json else Output.RAW if output.raw else Output.TEXT
    with ExitStack() as stack:
        file = None if output.record_file is None else stack.enter_context(RecordingFile(output.record_file))
        if recordings := [Path(url) for url in urls if is_recording(url)]:
            if file is not None and any(map(file.is_same, recordings)):
                raise UsageError("--record cannot write to the recording that is watched: give another file")
            # A recording has an end: without event IDs, a reconnection would start it again.
            selection = replace(selection, reconnect=bool(selection.reconnect))
        targets = [requested(url, request, connection) for url in _served(urls, stack)]
        recording = None if file is None else Recording(file, targets)
        sink = None
        if output.output_file is not None and str(output.output_file) != "-":
            sink = stack.enter_context(EventFile(output.output_file))
        is_plain = output.quiet or output.no_tui
        view: StreamView | TerminalView | None = text_view(reading, sink)
        if view is None:
            view = PlainView(form, verbatim=True, sink=sink) if sink else _view(form, targets, output, plain=is_plain)
        targets = [through_proxy(target, connection.proxy) for target in targets]
        output_number = (sink or sys.stdout).fileno()
        shown = reading_of(reading, sink)
        return _run(Session(targets, selection, shown, output_number, watch, recording), view)


def _replayed(url: str, stack: ExitStack) -> list[str]:
    """Return the URLs of a recording's streams, whose replay this starts; another URL as it is."""
    if not is_recording(url):
        return [url]
    server = stack.enter_context(serving_recording(Path(url))).url
    return [server + path for path in recorded_paths(Path(url))]


def _served(urls: list[str], stack: ExitStack) -> list[str]:
    """Return the URLs of the streams: ``demo`` starts one bundled server for all of them, a recording its replay."""
    urls = [each for url in urls for each in _replayed(url, stack)]
    if not any(is_demo(url) for url in urls):
        return urls
    server = stack.enter_context(serving_demo()).url
    return [demo_url(server, url, "/stream") if is_demo(url) else url for url in urls]


def _check_combinations(events: WatchOptions, connection: ConnectionOptions) -> None:
    """Raise UsageError for invalid options, and for options that exclude each other."""
    if events.reconnect is False and connection.retry_statuses:
        raise UsageError("--retry-status and --no-reconnect exclude each other: leave one out")
    if any("\ud800" <= character <= "\udfff" for character in events.last_event_id):
        raise UsageError("--last-event-id has bytes that are not UTF-8")
    if any(not name.strip() for names in events.event or () for name in names.split(",")):
        raise UsageError("--event has an empty type: write it like --event update,done")
    if events.until == "":
        raise UsageError("--until has no text: every event contains the empty text")


def _selection(events: WatchOptions, connection: ConnectionOptions, output: WatchOutputOptions) -> Selection:
    from sseclient_cli.cli.reading import expectations_of
    from sseclient_cli.cli.watched_stream import Selection
    from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES

    return Selection(
        expected=expectations_of(events),
        duration_s=events.duration_s,
        reconnect=events.reconnect,
        retry_statuses=parse_statuses(connection.retry_statuses or ""),
        comments=output.comments,
        last_event_id=events.last_event_id,
        idle_timeout_s=connection.idle_timeout_s,
        max_event_bytes=connection.max_event_bytes or DEFAULT_MAX_EVENT_BYTES,
        quiet=output.quiet,
        verbose=output.verbose,
    )


def _live(view: StreamView | TerminalView) -> TerminalView | None:
    if not view.is_live:
        return None  # without rich, whose import takes 0.1 s
    from sseclient_cli.render.watch.terminal_view import TerminalView

    assert isinstance(view, TerminalView)
    return view


def _display_of(
    view: StreamView | TerminalView, on_failure: Callable[[], None], on_quit: Callable[[], None]
) -> AnyDisplay:
    from sseclient_cli.cli.display import Display

    live_view = _live(view)
    if live_view is None:
        return Display(cast("StreamView", view), on_failure)
    from sseclient_cli.cli.live_display import LiveDisplay

    return LiveDisplay(live_view, on_failure, on_quit)


def _run(session: Session, view: StreamView | TerminalView) -> int:
    import asyncio
    import time

    from sseclient_cli.render.standard_streams import say

    for doubt in [] if session.selection.quiet else session.selection.expected.doubts():
        say(doubt)
    live_view = _live(view)
    began_s = time.monotonic()
    try:
        asyncio.run(session.run(partial(_display_of, view)))
    except (KeyboardInterrupt, asyncio.CancelledError) as exc:
        if not session.selection.quiet:
            _say_interrupted(session, time.monotonic() - began_s, is_live=live_view is not None)
        raise KeyboardInterrupt from exc
    except BrokenPipeError:
        return 0  # `sse watch ... | head`; Typer (0.29) would exit with code 1
    finally:
        if live_view is not None and session.opened:
            say(live_view.summary(time.time_ns()))
        for stream in session.streams:
            if stream.diagnosis:
                say(f"{stream.label}: {stream.diagnosis}" if stream.label else stream.diagnosis)
    if not (session.selection.quiet or session.is_reader_gone):
        for line in _last_lines(session):
            say(line)
    return _exit_code(session)


def _say_interrupted(session: Session, elapsed_s: float, *, is_live: bool) -> None:
    """Write the last lines after Ctrl-C; a live view has a summary of its own."""
    from sseclient_cli.render.standard_streams import say

    types_seen = session.verdict.types_seen()
    for note in session.verdict.notes():
        say(note)
    if types_seen or not is_live:
        say(f"{_events(session.shown)} in {elapsed_s:.1f} s{types_seen}")


def _last_lines(session: Session) -> list[str]:
    """Return the lines for the end of a run: notes on parts that were not shown, and why the only stream has ended."""
    lines = session.verdict.notes()
    if len(session.streams) == 1 and (last_word := _last_word(session)):
        lines.append(f"{last_word}: {_events(session.shown)}")
    return lines


def _last_word(session: Session) -> str:
    """Return why the only stream has ended; empty if the options say so."""
    from sseclient_cli.client.connections import END_OF_STREAM

    stream, reconnect = session.streams[0], session.selection.reconnect
    if stream.is_ended_by_server and reconnect is None:
        # By default, only GET and HEAD reconnect.
        return f"{END_OF_STREAM}; --reconnect would send the {stream.target.method} again"
    is_explained = session.shown or stream.diagnosis or session.verdict.unmet()
    if stream.is_ended_by_server and reconnect is False and not is_explained:
        return END_OF_STREAM
    return stream.last_word


def _exit_code(session: Session) -> int:
    """Return the exit code, and write which expectation was not met."""
    from sseclient_cli.render.standard_streams import say

    if session.terminated:
        return EXIT_TERMINATED
    if session.is_reader_gone:
        return 0  # `sse watch ... | head`
    unmet = session.verdict.unmet()
    if unmet:
        say(f"sse: {unmet}{'' if session.opened else ': no stream was opened'}")
        return EXIT_UNMET
    if session.failures and not session.verdict.is_enough:
        say(f"sse: {len(session.failures)} of {len(session.streams)} streams failed")
        return session.failures[0].exit_code
    if not session.opened and not session.is_quit and not any(stream.last_word for stream in session.streams):
        raise UnansweredError(
            f"{', '.join(stream.target.redacted_url for stream in session.streams)} opened no stream within "
            f"--duration {session.selection.duration_s or 0:g}s"
        )
    return 0


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"


def _view(form: Output, targets: list[Target], output: WatchOutputOptions, *, plain: bool) -> StreamView | TerminalView:
    """Return the terminal view if stdout is a capable terminal and NO_COLOR (no-color.org) is not set."""
    import os

    from sseclient_cli.render.watch.plain_view import PlainView

    if not sys.stdout.isatty():
        return PlainView(form, verbatim=True)  # without rich, whose import takes 0.1 s

    from rich.console import Console

    from sseclient_cli.render.standard_streams import UnbufferedStdout
    from sseclient_cli.render.watch.live_stream import DEFAULT_STALL_S, LiveStream
    from sseclient_cli.render.watch.terminal_view import TerminalView
    from sseclient_cli.render.watch.time_column import TimeColumn

    # On Windows, rich may need the handle of the console, which it gets from the file.
    console = Console() if sys.platform == "win32" else Console(file=cast("IO[str]", UnbufferedStdout()))
    if plain or os.environ.get("NO_COLOR") or console.is_dumb_terminal:
        return PlainView(form, verbatim=False)
    urls = ", ".join(target.redacted_url for target in targets)
    stall_s = DEFAULT_STALL_S if output.stall_s is None else output.stall_s
    stream = LiveStream(urls, stall_s=stall_s, shows_comments=output.comments)
    return TerminalView(stream, form, console, TimeColumn(output.time_style), is_full=output.full)
