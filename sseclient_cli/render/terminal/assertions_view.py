"""The assertions in the summary: a row for each, with the observed value."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.assertion_words import observed_words
from sseclient_cli.render.quantities import counted
from sseclient_cli.render.terminal.rows import Paragraph, Row
from sseclient_cli.report.assertion_model import Outcome

MAX_ALIGNED = 36
"""Longer assertions are not aligned: they would push the values of the others to the right."""


def assertion_rows(assertions: list[Outcome]) -> list[RenderableType]:
    """Return a line with the number of failed assertions, and the rows; nothing without assertions."""
    if not assertions:
        return []
    texts = [visible(assertion.expression, keep_lines=False) for assertion in assertions]
    width = max((len(text) for text in texts if len(text) <= MAX_ALIGNED), default=0)
    rows = [_row(assertion, text.ljust(width)) for assertion, text in zip(assertions, texts, strict=True)]
    return [Text(), Paragraph(_head(assertions)), *rows]


def _head(assertions: list[Outcome]) -> Text:
    failed = sum(not assertion.passed for assertion in assertions)
    if failed:
        return Text(f"{failed:,} of {counted(len(assertions), 'assertion')} failed.", "bold red")
    return Text(f"{counted(len(assertions), 'assertion')} passed.", "green")


def _row(assertion: Outcome, expression: str) -> Row:
    word, style = ("passed", "green") if assertion.passed else ("failed", "red")
    return Row(Text(word, style), Text.assemble(f"{expression}  ", (observed_words(assertion), style)))
