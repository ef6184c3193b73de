"""The histogram of the latency that matters most: delivery, or the gap if the events have no timestamps."""

from __future__ import annotations

from rich.console import ConsoleOptions
from rich.table import Table
from rich.text import Text

from sseclient_cli.render.quantities import percent
from sseclient_cli.report.bins import Bin, bins
from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.figure import label_of
from sseclient_cli.report.model import Latencies

LEAST_WIDTH = 40
"""On a narrower terminal, bars would be too short to compare."""

MAX_BAR_WIDTH = 60

_EIGHTHS = "▏▎▍▌▋▊▉"


def latency_histogram(latencies: Latencies, most_bins: int, options: ConsoleOptions) -> Table | None:
    """Return a row for each bin: its bounds in ms, a bar, the number of values and their share.

    None without values, on a very narrow terminal, and for a single bin, because the table of latencies says more.
    """
    name = "gap" if latencies.delivery is None else "delivery"
    latency: Latency | None = getattr(latencies, name)
    if latency is None or options.max_width < LEAST_WIDTH:
        return None
    found = bins(latency, most_bins)
    return _table(label_of(Latencies, name), found, options) if len(found) > 1 else None


def _table(name: str, found: list[Bin], options: ConsoleOptions) -> Table:
    count = sum(each.count for each in found)
    rows = [
        (bounds, f"{each.count:,}", percent(each.count / count))
        for each, bounds in zip(found, _ranges(found), strict=True)
    ]
    name_width = max(len(f"{name}  ms"), *(len(bounds) for bounds, _, _ in rows))
    counts_width = max(len("count"), *(len(each) for _, each, _ in rows))
    shares_width = max(len("share"), *(len(each) for _, _, each in rows))
    bar_width = min(options.max_width - name_width - counts_width - shares_width - 6, MAX_BAR_WIDTH)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(Text.assemble((name, "bold not dim"), "  ms"), justify="right", min_width=name_width, no_wrap=True)
    table.add_column("", width=bar_width, no_wrap=True)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    most = max(each.count for each in found)
    for each, (bounds, number, share) in zip(found, rows, strict=True):
        bar = _bar(each.count / most, bar_width, ascii_only=options.ascii_only)
        table.add_row(bounds, Text(bar, "cyan"), number, share)
    return table


def _ranges(found: list[Bin]) -> list[str]:
    """Return the bounds of each bin; all dashes are in one column."""
    widest = max(len(_bound(each.high_ms)) for each in found)
    return [
        "below 0" if each.low_ms is None else f"{_bound(each.low_ms)} - {_bound(each.high_ms):>{widest}}"
        for each in found
    ]


def _bound(ms: float) -> str:
    return f"{ms:,.3f}".rstrip("0").rstrip(".")


def _bar(share: float, width: int, *, ascii_only: bool) -> str:
    """Return a bar of this share of the width; a share that is not 0 is never invisible."""
    eighths = round(share * width * 8) or (share > 0)
    if ascii_only:
        return "#" * -(-eighths // 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest - 1] if rest else "")
