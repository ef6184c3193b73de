"""A run of ``sse watch``, which needs more modules than its help."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sseclient_cli.cli.demo import demo_url, is_demo, serving_demo
from sseclient_cli.cli.event_file import EventFile
from sseclient_cli.cli.options.values import parse_statuses
from sseclient_cli.cli.reading import check_reading, expectations_of, reading_of, text_view
from sseclient_cli.cli.recorder import Recording
from sseclient_cli.cli.recording_file import RecordingFile
from sseclient_cli.cli.replay import is_recording, recorded_paths, serving_recording
from sseclient_cli.cli.request import requested
from sseclient_cli.cli.session import Session
from sseclient_cli.cli.watch import watch
from sseclient_cli.cli.watch_end import run_to_end
from sseclient_cli.cli.watch_views import view_of
from sseclient_cli.cli.watched_stream import Selection
from sseclient_cli.errors import UsageError
from sseclient_cli.render.watch.plain_view import PlainView
from sseclient_cli.render.watch.stream_view import Output
from sseclient_cli.request.proxied import through_proxy
from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES

if TYPE_CHECKING:
    from sseclient_cli.cli.options.connection import ConnectionOptions
    from sseclient_cli.cli.options.output import WatchOutputOptions
    from sseclient_cli.cli.options.reading import ReadingOptions
    from sseclient_cli.cli.options.request import StreamRequestOptions
    from sseclient_cli.cli.options.watching import WatchOptions
    from sseclient_cli.render.watch.stream_view import StreamView
    from sseclient_cli.render.watch.terminal_view import TerminalView


def run_watch(
    urls: list[str],
    events: WatchOptions,
    request: StreamRequestOptions,
    connection: ConnectionOptions,
    reading: ReadingOptions,
    output: WatchOutputOptions,
) -> int:
    """Run the command with its options, and return the exit code."""
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
        targets = [requested(url, request, connection) for url in _served(urls, stack, http2=connection.http2)]
        recording = None if file is None else Recording(file, targets)
        sink = None
        if output.output_file is not None and str(output.output_file) != "-":
            if file is not None and file.is_same(output.output_file):
                raise UsageError("--record and --output have the same file: give another one")
            sink = stack.enter_context(EventFile(output.output_file))
        is_plain = output.quiet or output.no_tui
        view: StreamView | TerminalView | None = text_view(reading, sink)
        if view is None:
            view = PlainView(form, verbatim=True, sink=sink) if sink else view_of(form, targets, output, plain=is_plain)
        targets = [through_proxy(target, connection.proxy) for target in targets]
        output_number = (sink or sys.stdout).fileno()
        shown = reading_of(reading, sink)
        return run_to_end(Session(targets, selection, shown, output_number, watch, recording), view)


def _replayed(url: str, stack: ExitStack, *, http2: bool) -> list[str]:
    """Return the URLs of a recording's streams, whose replay this starts; another URL as it is."""
    if not is_recording(url):
        return [url]
    server = stack.enter_context(serving_recording(Path(url), http2=http2)).url
    return [server + path for path in recorded_paths(Path(url))]


def _served(urls: list[str], stack: ExitStack, *, http2: bool) -> list[str]:
    """Return the URLs of the streams: ``demo`` starts one bundled server for all of them, a recording its replay."""
    urls = [each for url in urls for each in _replayed(url, stack, http2=http2)]
    if not any(is_demo(url) for url in urls):
        return urls
    server = stack.enter_context(serving_demo(http2=http2)).url
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
