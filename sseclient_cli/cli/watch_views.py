"""The view of ``sse watch`` and its display: lines, or a live view on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, cast

from sseclient_cli.cli.options.output import WatchOutputOptions

if TYPE_CHECKING:
    from sseclient_cli.cli.live_display import AnyDisplay
    from sseclient_cli.render.watch.stream_view import Output, StreamView
    from sseclient_cli.render.watch.terminal_view import TerminalView
    from sseclient_cli.request.target import Target


def view_of(
    form: Output, targets: list[Target], output: WatchOutputOptions, *, plain: bool
) -> StreamView | TerminalView:
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


def live_view_of(view: StreamView | TerminalView) -> TerminalView | None:
    """Return the view if it is a live one."""
    if not view.is_live:
        return None  # without rich, whose import takes 0.1 s
    from sseclient_cli.render.watch.terminal_view import TerminalView

    assert isinstance(view, TerminalView)
    return view


def display_of(
    view: StreamView | TerminalView, on_failure: Callable[[], None], on_quit: Callable[[], None]
) -> AnyDisplay:
    """Return the display of a view. It calls the functions when the output fails, and when the user quits."""
    from sseclient_cli.cli.display import Display

    live_view = live_view_of(view)
    if live_view is None:
        return Display(cast("StreamView", view), on_failure)
    from sseclient_cli.cli.live_display import LiveDisplay

    return LiveDisplay(live_view, on_failure, on_quit)
