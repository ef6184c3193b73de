"""The findings of a run and its errors, each with advice."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.error_words import advice_on
from sseclient_cli.render.terminal.facts import LABEL_WIDTH
from sseclient_cli.render.words import advice, sentence
from sseclient_cli.report.model import ErrorCount, Finding, Severity

MAX_ERRORS = 6
"""Kinds of errors shown; the JSON report has all."""

_LABELS = {Severity.FAULT: ("fault", "red"), Severity.WARNING: ("warning", "yellow"), Severity.INFO: ("note", "dim")}


class FindingList:
    """A row for each finding: its severity and sentence, with the advice on a line of its own."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._findings = findings

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        rows = _rows()
        for finding in self._findings:
            label, style = _LABELS[finding.severity]
            rows.add_row(Text(label, style), Text(visible(sentence(finding), keep_lines=False), style))
            rows.add_row("", _advice(advice(finding), options))
        yield rows


class ErrorList:
    """A row for each kind of error: number, kind and example, with the advice on a line of its own."""

    def __init__(self, errors: list[ErrorCount]) -> None:
        self._errors = errors

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        rows = _rows()
        for error in self._errors[:MAX_ERRORS]:
            line = Text.assemble(
                (f"{error.count:,}x {error.kind}", "red"), f"  {visible(error.example, keep_lines=False)}"
            )
            rows.add_row(Text("error", "red"), line)
            if words := advice_on(error.kind):
                rows.add_row("", _advice(f"{words[0].upper()}{words[1:]}.", options))
        if len(self._errors) > MAX_ERRORS:
            more = f"and {len(self._errors) - MAX_ERRORS:,} more kinds of errors: `errors` in the JSON report"
            rows.add_row("", Text(more, "dim"))
        yield rows


def _rows() -> Table:
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(min_width=LABEL_WIDTH, no_wrap=True)
    rows.add_column()
    return rows


def _advice(words: str, options: ConsoleOptions) -> Table:
    """Return the advice behind an arrow, indented if it is wrapped."""
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_row("->" if options.ascii_only else "→", Text(visible(words, keep_lines=False)))
    return row
