"""What moves on stderr during a run: the wait for the target, then a panel that follows the snapshots.

Nothing where stderr is no terminal, or NO_COLOR is set.
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
    """Yield what shows a snapshot, for as long as the block runs; None if nobody would, or wants to, see it."""
    if console is None or not _can_move(console):
        yield None
        return
    # No refresh thread: it would take the worker's interpreter away from it at moments of its own.
    live = Live(Text("connecting ..."), console=console, auto_refresh=False, transient=True)
    is_gone = False

    def show(snapshot: Progress) -> None:
        nonlocal is_gone
        if not is_gone:
            try:
                live.update(live_panel(snapshot), refresh=True)
            except OSError:
                is_gone = True

    with _shown(live):
        yield show


@contextmanager
def waiting_view(console: Console | None, text: str) -> Iterator[None]:
    """Say what is waited for while the block runs, if anybody can see it."""
    if console is None or not _can_move(console):
        yield
        return
    with _shown(console.status(Text(visible(text, keep_lines=False)))):
        yield


@contextmanager
def _shown(view: Live | Status) -> Iterator[None]:
    """Show a view while the block runs; a terminal that is gone costs the view, and not the report."""
    with suppress(OSError):
        view.start()
    try:
        yield
    finally:
        with suppress(OSError):
            view.stop()


def _can_move(console: Console) -> bool:
    # Not console.is_terminal: FORCE_COLOR makes that true for a pipe, which wants colours but no cursor movements.
    return sys.stderr.isatty() and not console.is_dumb_terminal and not console.no_color


def live_panel(snapshot: Progress) -> RenderableType:
    """Return the view of one snapshot."""
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        ProgressBar(total=snapshot.duration_s, completed=min(snapshot.elapsed_s, snapshot.duration_s), width=40),
        Text(f"{snapshot.elapsed_s:.1f} / {snapshot.duration_s:g} s"),
    )
    facts = Text.assemble(
        (f"{snapshot.open_now:,}", "bold"), f" of {snapshot.planned:,} streams open   ",
        (f"{snapshot.events:,}", "bold"), f" events   {snapshot.events_per_s:,.0f}/s",
    )  # fmt: skip
    rows: list[RenderableType] = [bar, facts]
    if snapshot.p50_ms is not None and snapshot.p99_ms is not None:
        name = _LATENCY_NAMES[snapshot.latency]
        rows.append(Text(f"{name} p50 {snapshot.p50_ms:.3f} ms   p99 {snapshot.p99_ms:.3f} ms"))
    if snapshot.errors:
        errors = "   ".join(f"{kind} {count:,}" for kind, count in snapshot.errors.items())
        rows.append(Text(errors, "red", overflow="ellipsis", no_wrap=True))
    return Group(*rows)
