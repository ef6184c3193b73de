"""The output of ``sse bench`` on stderr during a run: a wait for the target before a run, then its progress.

On a terminal the progress is a view of the whole screen. Elsewhere it is a plain line every few seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum

from rich.console import Console
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.render.live.panel import panel
from sseclient_cli.render.live.progress_line import ProgressLines, progress_line
from sseclient_cli.render.live.screen import Screen, left_when_suspended
from sseclient_cli.render.standard_streams import say
from sseclient_cli.run.progress import Progress

FRAME_S = 0.125
"""Least time between two frames: at most 8 per second."""

Show = Callable[[Progress], None]


class Display(Enum):
    """How to show progress."""

    AUTO = "auto"
    """A live view on a terminal, otherwise lines."""
    LINES = "lines"
    NONE = "none"


@contextmanager
def live_view(console: Console, title: str, display: Display, *, shows_hosts: bool = False) -> Iterator[Show | None]:
    """Yield a function that shows progress while the block runs; None if nothing is shown. ``title`` is the target."""
    if display is Display.NONE:
        yield None
    elif display is Display.AUTO and _has_screen(console):
        screen = Screen()
        with left_when_suspended(screen):
            try:
                yield frames(screen, title, shows_hosts=shows_hosts)
            finally:
                screen.close()
    else:
        yield lines(say)


def frames(
    screen: Screen, title: str, now_s: Callable[[], float] = time.monotonic, *, shows_hosts: bool = False
) -> Show:
    """Return a function that draws a frame for progress, unless the previous frame is too recent."""
    history = RunHistory()
    due_s = 0.0

    def show(progress: Progress) -> None:
        nonlocal due_s
        history.add(progress)
        if now_s() < due_s or not screen.is_ready():
            return
        due_s = now_s() + FRAME_S
        columns, height = screen.size
        screen.draw(panel(history, title, columns - 1, height, shows_hosts=shows_hosts), columns - 1)

    return show


def lines(write: Callable[[str], None]) -> Show:
    """Return a function that writes a line every few seconds of the run."""
    history, schedule = RunHistory(), ProgressLines()

    def show(progress: Progress) -> None:
        history.add(progress)
        if schedule.is_due(history):
            write(progress_line(history))

    return show


@contextmanager
def waiting_view(console: Console | None, text: str) -> Iterator[None]:
    """Show a spinner and the text while the block runs, only on a terminal. The block may outlive the terminal."""
    if console is None or not _can_move(console):
        yield
        return
    status = console.status(Text(visible(text, keep_lines=False)))
    with suppress(OSError):
        status.start()
    try:
        yield
    finally:
        with suppress(OSError):
            status.stop()


def _has_screen(console: Console) -> bool:
    is_utf8 = (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"
    return _can_move(console) and is_utf8 and not console.legacy_windows


def _can_move(console: Console) -> bool:
    # console.is_terminal is true for a pipe with FORCE_COLOR, which asks for colours, not for cursor movements.
    return sys.stderr.isatty() and not console.is_dumb_terminal and not console.no_color
