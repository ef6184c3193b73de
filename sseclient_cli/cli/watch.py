"""``sse watch``: show the events of one or more streams as they arrive."""

from __future__ import annotations

from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.output import WatchOutputOptions
from sseclient_cli.cli.options.reading import ReadingOptions
from sseclient_cli.cli.options.request import StreamRequestOptions, Urls
from sseclient_cli.cli.options.watching import WatchOptions


def watch(
    urls: Urls,
    events: WatchOptions,
    request: StreamRequestOptions,
    connection: ConnectionOptions,
    reading: ReadingOptions,
    output: WatchOutputOptions,
) -> int:
    """Show the events of one or more streams as they arrive, and reconnect like a browser. Stop with Ctrl-C."""
    from sseclient_cli.cli.watch_run import run_watch

    return run_watch(urls, events, request, connection, reading, output)
