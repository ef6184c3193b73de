"""The live view on stderr: a wait for the target before a run, then a panel with its progress.

Nothing is shown if stderr is not a terminal, or NO_COLOR is set.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.status import Status
from rich.table import Table
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.measure.samples import Latency
from sseclient_cli.run.progress import Progress

_LATENCY_NAMES = {Latency.DELIVERY: "delivery", Latency.GAP: "gap"}


@contextmanager
def live_view(console: Console | None) -> Iterator[Callable[[Progress], None] | None]:
    """Yield a function that shows progress while the block runs; None if there is no live view."""
    if console is None or not _can_move(console):
        yield None
        return
    # No refresh thread: a frame is drawn when there is new progress, and not in between.
    live = Live(Text("connecting ..."), console=console, auto_refresh=False, transient=True)
    is_gone = False

    def show(progress: Progress) -> None:
        nonlocal is_gone
        if not is_gone:
            try:
                live.update(live_panel(progress), refresh=True)
            except OSError:
                is_gone = True

    with _shown(live):
        yield show


@contextmanager
def waiting_view(console: Console | None, text: str) -> Iterator[None]:
    """Show a spinner and the text while the block runs, only on a terminal."""
    if console is None or not _can_move(console):
        yield
        return
    with _shown(console.status(Text(visible(text, keep_lines=False)))):
        yield


@contextmanager
def _shown(view: Live | Status) -> Iterator[None]:
    """Show a view while the block runs. If the terminal is closed meanwhile, the block continues without the view."""
    with suppress(OSError):
        view.start()
    try:
        yield
    finally:
        with suppress(OSError):
            view.stop()


def _can_move(console: Console) -> bool:
    # console.is_terminal is true for a pipe with FORCE_COLOR, which asks for colours, not for cursor movements.
    return sys.stderr.isatty() and not console.is_dumb_terminal and not console.no_color


def live_panel(progress: Progress) -> RenderableType:
    """Return the panel for the latest progress."""
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        ProgressBar(total=progress.duration_s, completed=min(progress.elapsed_s, progress.duration_s), width=40),
        Text(f"{progress.elapsed_s:.1f} / {progress.duration_s:g} s"),
    )
    facts = Text.assemble(
        (f"{progress.open_now:,}", "bold"), f" of {progress.planned:,} streams open   ",
        (f"{progress.events:,}", "bold"), f" events   {progress.events_per_s:,.0f}/s",
    )  # fmt: skip
    rows: list[RenderableType] = [bar, facts]
    if progress.p50_ms is not None and progress.p99_ms is not None:
        name = _LATENCY_NAMES[progress.latency]
        rows.append(Text(f"{name} p50 {progress.p50_ms:.3f} ms   p99 {progress.p99_ms:.3f} ms"))
    if progress.errors:
        errors = "   ".join(f"{kind} {count:,}" for kind, count in progress.errors.items())
        rows.append(Text(errors, "red", overflow="ellipsis", no_wrap=True))
    return Group(*rows)
