"""The findings of a run and its errors, each with advice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.error_words import advice_on
from sseclient_cli.render.terminal.rows import LABEL_WIDTH, Row
from sseclient_cli.render.words import advice, sentence
from sseclient_cli.report.model import Finding, Report, Severity

MAX_ERRORS = 6
"""Kinds of errors shown; the JSON report has all."""

_LABELS = {Severity.FAULT: ("fault", "red"), Severity.WARNING: ("warning", "yellow"), Severity.INFO: ("note", "dim")}


def finding_rows(findings: Iterable[Finding]) -> Iterator[Row | Advice]:
    """Yield each finding: its severity and sentence, then the advice on lines of its own."""
    for finding in findings:
        label, style = _LABELS[finding.severity]
        yield Row(Text(label, style), Text(visible(sentence(finding), keep_lines=False), style))
        yield Advice(advice(finding))


def error_rows(report: Report) -> Iterator[Row | Advice]:
    """Yield each kind of error: number, kind and example, then the advice on lines of its own."""
    errors, of_requests = report.errors, report.requests is not None
    for error in errors[:MAX_ERRORS]:
        example = f"  {visible(error.example, keep_lines=False)}"
        yield Row(Text("error", "red"), Text.assemble((f"{error.count:,}x {error.kind}", "red"), example))
        if words := advice_on(error.kind, of_requests=of_requests):
            yield Advice(f"{words[0].upper()}{words[1:]}.")
    if len(errors) > MAX_ERRORS:
        more = f"and {len(errors) - MAX_ERRORS:,} more kinds: `errors` in the JSON report"
        yield Row(Text(), Text(more, "dim"))


class Advice:
    """Advice behind an arrow, below a finding."""

    def __init__(self, words: str) -> None:
        self._words = words

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        arrow = "->" if options.ascii_only else "→"
        yield Row(Text(f"{arrow:>{LABEL_WIDTH}}"), Text(visible(self._words, keep_lines=False)))
