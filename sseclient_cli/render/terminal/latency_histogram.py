"""The histogram of the latency that matters most (``main_latency``)."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from sseclient_cli.render.latency_rows import NamedLatency
from sseclient_cli.render.quantities import percent
from sseclient_cli.report.bins import Bin, bins

LEAST_WIDTH = 40
"""On a narrower terminal, bars would be too short to compare."""

MAX_BAR_WIDTH = 60

_UNIT = "ms"
_PADDING = 2
_EIGHTHS = "▏▎▍▌▋▊▉"


class LatencyHistogram:
    """A row for each bin: its bounds in ms, a bar, the number of values and their share.

    ``caption`` is shown above the bars if it fits. The histogram is empty (false) without values, on a very narrow
    terminal, and for a single bin, because the table of latencies says more.
    """

    def __init__(self, shown: NamedLatency | None, caption: str, most_bins: int, width: int) -> None:
        found = [] if shown is None or width < LEAST_WIDTH else bins(shown.latency, most_bins)
        count = sum(each.count for each in found)
        self._name = "" if shown is None else shown.label
        self._bins = found if len(found) > 1 else []
        self._rows = [
            (bounds, f"{each.count:,}", percent(each.count / count))
            for each, bounds in zip(found, _ranges(found), strict=True)
        ]
        self._bar_width = min(width - sum(self._widths()) - 3 * _PADDING, MAX_BAR_WIDTH)
        self._caption = caption if cell_len(caption) <= self._bar_width else ""

    def __bool__(self) -> bool:
        return bool(self._bins)

    @property
    def has_caption(self) -> bool:
        """Whether the caption is shown."""
        return bool(self and self._caption)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        if not self:
            return
        name_width, _, _ = self._widths()
        title = Text.assemble((self._name, "bold not dim"), f"  {_UNIT}")
        table = Table(box=None, padding=(0, _PADDING, 0, 0), pad_edge=False, header_style="dim")
        table.add_column(title, justify="right", min_width=name_width, no_wrap=True)
        table.add_column(Text(self._caption), width=self._bar_width, no_wrap=True)
        table.add_column("count", justify="right", no_wrap=True)
        table.add_column("share", justify="right", no_wrap=True)
        most = max(each.count for each in self._bins)
        for each, (bounds, number, share) in zip(self._bins, self._rows, strict=True):
            bar = _bar(each.count / most, self._bar_width, ascii_only=options.ascii_only)
            table.add_row(bounds, Text(bar, "cyan"), number, share)
        yield table

    def _widths(self) -> tuple[int, int, int]:
        titles = (f"{self._name}  {_UNIT}", "count", "share")
        first, second, third = (max(map(len, column)) for column in zip(titles, *self._rows, strict=True))
        return first, second, third


def _ranges(found: list[Bin]) -> list[str]:
    """Return the bounds of each bin; all dashes are in one column."""
    widest = max((len(_bound(each.high_ms)) for each in found), default=0)
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
