"""The summary that ``sse bench`` prints at the end, from the report alone.

The order is that of importance: target, verdict, assertions, problems with advice, counts, latencies, notes. A run
without problems fits into a terminal of 80x24: the histogram gets the lines that the other parts leave.
"""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from sseclient_cli.render.host_rows import named_hosts
from sseclient_cli.render.latency_rows import main_latency, shown_latencies
from sseclient_cli.render.terminal.assertions_view import assertion_rows
from sseclient_cli.render.terminal.counts import counts
from sseclient_cli.render.terminal.finding_list import error_rows, finding_rows
from sseclient_cli.render.terminal.head import head, verdict_lines
from sseclient_cli.render.terminal.hosts_view import HostTable
from sseclient_cli.render.terminal.latency_histogram import LatencyHistogram
from sseclient_cli.render.terminal.latency_table import LatencyTable
from sseclient_cli.render.terminal.notes import ends_of_delivery, notes
from sseclient_cli.render.terminal.rows import Paragraph
from sseclient_cli.report.model import Report, Severity

SCREEN_LINES = 24
"""The assumed height of a terminal."""

LINES_WITH_PROBLEMS = 40
"""Findings and their advice take more than a small screen: then the histogram need not be small."""

HISTOGRAM_HEAD_LINES = 2
"""A blank line and the titles of the columns."""

MIN_BINS = 4
MAX_BINS = 10


def summary(report: Report, *, shows_all_hosts: bool = False) -> RenderableType:
    """Return the summary of a run, for a rich console of any width."""
    return _Summary(report, shows_all_hosts=shows_all_hosts)


class _Summary:
    def __init__(self, report: Report, *, shows_all_hosts: bool) -> None:
        self._report = report
        self._hosts = HostTable(hosts, shows_all=shows_all_hosts) if (hosts := named_hosts(report.run.hosts)) else None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        report, blank = self._report, Text()
        above, below = _above(report), _below(report)
        above += [] if self._hosts is None else [blank, self._hosts]
        used = sum(len(console.render_lines(part, options, pad=False)) for part in (*above, *below))
        most_bins = min(max(_lines(report, console) - used - HISTOGRAM_HEAD_LINES, MIN_BINS), MAX_BINS)
        caption = ends_of_delivery(report)
        histogram = LatencyHistogram(main_latency(report), caption, most_bins, options.max_width)
        yield from above
        if histogram:
            yield blank
            yield histogram
        if caption and not histogram.has_caption:
            below.insert(0, Paragraph(Text(f"delivery: {caption}", "dim")))
        if below and not histogram:
            yield blank
        yield from below


def _lines(report: Report, console: Console) -> int:
    """Return how many lines the summary may have."""
    prompt = 2 if report.run.target.bundled_server else 1  # the command adds a line about its own server
    screen = console.height if console.is_terminal else SCREEN_LINES
    return max(screen, LINES_WITH_PROBLEMS if report.findings or report.errors else 0) - prompt


def _above(report: Report) -> list[RenderableType]:
    """Return the parts above the histogram."""
    blank = Text()
    parts: list[RenderableType] = [Paragraph(head(report)), *map(Paragraph, verdict_lines(report))]
    parts += assertion_rows(report.assertions)
    problems = [finding for finding in report.findings if finding.severity is not Severity.INFO]
    if problems or report.errors:
        parts += [blank, *finding_rows(problems), *error_rows(report)]
    parts += [blank, *counts(report)]
    if latencies := shown_latencies(report):
        parts += [blank, LatencyTable(latencies)]
    return parts


def _below(report: Report) -> list[RenderableType]:
    """Return the parts below the histogram."""
    remarks = [finding for finding in report.findings if finding.severity is Severity.INFO]
    return [*map(Paragraph, notes(report)), *finding_rows(remarks)]
