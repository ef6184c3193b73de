"""The summary that ``sse bench`` prints at the end, from the report alone.

The order is that of importance: target, verdict, problems with advice, counts, latencies, notes. A run without problems
fits into a terminal of 80x24; with problems, the histogram shrinks first.
"""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from sseclient_cli.render.terminal.counts import counts
from sseclient_cli.render.terminal.finding_list import ErrorList, FindingList
from sseclient_cli.render.terminal.head import head, verdict_lines
from sseclient_cli.render.terminal.latency_histogram import LatencyHistogram
from sseclient_cli.render.terminal.latency_table import LatencyTable
from sseclient_cli.render.terminal.notes import notes
from sseclient_cli.report.model import Report, Severity

SCREEN_LINES = 24
"""The assumed height where the output is not a terminal."""

OTHER_LINES = 2
"""The next prompt, and the line that ``sse bench demo`` adds."""

MIN_BINS = 5
MAX_BINS = 10


def summary(report: Report) -> RenderableType:
    """Return the summary of a run, for a rich console of any width."""
    return _Summary(report)


class _Summary:
    def __init__(self, report: Report) -> None:
        self._report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        above, below = _above(self._report), _below(self._report)
        used = sum(len(console.render_lines(part, options, pad=False)) for part in (*above, *below))
        height = (console.height if console.is_terminal else SCREEN_LINES) - OTHER_LINES
        most_bins = min(max(height - used - 1, MIN_BINS), MAX_BINS)
        yield from above
        yield LatencyHistogram(self._report.latency, most_bins)
        yield from below


def _above(report: Report) -> list[RenderableType]:
    """Return the parts above the histogram."""
    blank = Text()
    parts: list[RenderableType] = [head(report), *verdict_lines(report), blank]
    problems = [finding for finding in report.findings if finding.severity is not Severity.INFO]
    if problems:
        parts.append(FindingList(problems))
    if report.errors:
        parts.append(ErrorList(report.errors))
    if problems or report.errors:
        parts.append(blank)
    parts += [counts(report), blank]
    if any(latency for _, latency in report.latency):
        parts += [LatencyTable(report.latency), blank]
    return parts


def _below(report: Report) -> list[RenderableType]:
    """Return the parts below the histogram."""
    remarks = [finding for finding in report.findings if finding.severity is Severity.INFO]
    return [*notes(report), *([FindingList(remarks)] if remarks else [])]
