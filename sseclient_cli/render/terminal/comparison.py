"""A comparison on a terminal: a line for each figure with its values, its change, and what the change says."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import counted
from sseclient_cli.render.terminal.rows import Paragraph
from sseclient_cli.report.comparison_model import Change, Comparison, Difference, Interval, Verdict
from sseclient_cli.report.judging import MIN_CHANGE, MIN_CHANGE_MS
from sseclient_cli.report.quantities import format_value

_STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "bold red", Verdict.SAME: "dim", Verdict.UNCLEAR: "yellow"}

_FIRST = (Verdict.WORSE, Verdict.BETTER)
"""The verdicts at the top of the table."""

_DIGITS = 3

LEGEND = (
    f"same: the change is under {100 * MIN_CHANGE:g} % or {MIN_CHANGE_MS:g} ms. noise: the changes that it allows; "
    "all intervals together have 95 % confidence."
)

WIDE = 78
"""From this width, the table has the column of the noise."""


def comparison_view(comparison: Comparison) -> RenderableType:
    """Return the comparison, for a rich console of any width from 60."""
    blank = Text()
    notes = [Paragraph(Text(f"note: {visible(note, keep_lines=False)}", "yellow")) for note in comparison.notes]
    parts: list[RenderableType] = [_names(comparison), *notes]
    for place in range(1, len(comparison.reports)):
        parts += [blank, Paragraph(conclusion(comparison, place)), blank, _Table(comparison, place)]
        parts += [blank, *_reasons(comparison, place)]
    return Group(*parts, Paragraph(Text(LEGEND, "dim")))


def conclusion(comparison: Comparison, place: int) -> Text:
    """Return how many figures of a report are worse, better, unclear and the same."""
    verdicts = [difference.changes[place - 1].verdict for difference in comparison.differences]
    text = Text(f"{letter(place)} against A: ")
    words = {Verdict.WORSE: "worse", Verdict.BETTER: "better", Verdict.UNCLEAR: "unclear", Verdict.SAME: "the same"}
    for verdict, word in words.items():
        count = verdicts.count(verdict)
        if count or verdict is Verdict.WORSE:
            style = _STYLES[verdict] if count else "green"
            text.append("" if verdict is Verdict.WORSE else ", ").append(f"{count:,} {word}", style)
    hidden = sum(not is_shown(difference, place) for difference in comparison.differences)
    rest = f"; {hidden:,} that are 0 in both are not shown" if hidden else ""
    return text.append(f" (of {counted(len(verdicts), 'figure')}{rest}).")


def change_words(change: Change) -> str:
    """Return the change in percent; a dash if the baseline has no share of it."""
    return "-" if change.change is None else _percent(change.change)


def value_words(value: float | None, unit: str) -> str:
    """Return the value of a figure; a dash if it was not measured."""
    return "-" if value is None else format_value(value, unit, _DIGITS)


def letter(place: int) -> str:
    """Return the letter of a report: A for the baseline."""
    return chr(ord("A") + place) if place < 26 else f"#{place + 1}"


def _names(comparison: Comparison) -> Group:
    lines: list[Paragraph] = []
    for place, (name, report) in enumerate(zip(comparison.names, comparison.reports, strict=True)):
        target = f"{report.run.target.method} {report.run.target.url}"
        if report.run.target.bundled_server:
            target = "the demo server"
        plan = f"{report.streams.planned:,} streams, {report.run.duration_s:.1f} s"
        text = Text.assemble(f"{letter(place)}  ", (visible(name, keep_lines=False), "bold"), f"  {plan}, ")
        lines.append(Paragraph(text.append(visible(target, keep_lines=False))))
    return Group(*lines)


def reasons(comparison: Comparison, place: int) -> dict[str, list[str]]:
    """Return why figures without an interval are unclear: each reason with the figures that it applies to."""
    by_reason: dict[str, list[str]] = {}
    for difference in comparison.differences:
        change = difference.changes[place - 1]
        if change.reason and change.interval is None and is_shown(difference, place):
            by_reason.setdefault(change.reason, []).append(difference.name)
    return by_reason


def _reasons(comparison: Comparison, place: int) -> Iterator[Paragraph]:
    for reason, names in reasons(comparison, place).items():
        text = Text.assemble(("unclear", _STYLES[Verdict.UNCLEAR]), f" {', '.join(names)}: ")
        yield Paragraph(text.append(visible(reason, keep_lines=False)))


def shown_differences(comparison: Comparison, place: int) -> list[Difference]:
    """Return the figures of one report against the baseline; those that differ come first."""
    shown = [each for each in comparison.differences if is_shown(each, place)]
    return sorted(shown, key=lambda each: each.changes[place - 1].verdict not in _FIRST)


class _Table:
    def __init__(self, comparison: Comparison, place: int) -> None:
        self._differences = shown_differences(comparison, place)
        self._place = place

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        is_wide = options.max_width >= WIDE
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        table.add_column("figure", no_wrap=True)
        for title in ("A", letter(self._place), "change"):
            table.add_column(title, justify="right", no_wrap=True)
        if is_wide:
            table.add_column("noise", no_wrap=True)
        table.add_column("", no_wrap=True)
        for difference in self._differences:
            table.add_row(*self._cells(difference, is_wide=is_wide))
        yield table

    def _cells(self, difference: Difference, *, is_wide: bool) -> Iterator[str | Text]:
        change = difference.changes[self._place - 1]
        style = _STYLES[change.verdict]
        yield difference.name
        for place in (0, self._place):
            yield value_words(difference.values[place], difference.unit)
        yield Text(change_words(change), style)
        if is_wide:
            yield Text("" if change.interval is None else interval_words(change.interval), "dim")
        yield Text(change.verdict.value, style)


def is_shown(difference: Difference, place: int) -> bool:
    """Return whether a figure says something: a count that is 0 in both does not."""
    return any(difference.values[each] for each in (0, place))


def interval_words(interval: Interval) -> str:
    """Return the changes that the noise allows."""
    return f"{_percent(interval.low)} to {_percent(interval.high)}"


def _percent(change: float) -> str:
    """Return a change in percent, or a factor if it is large: ``+4.2%``, ``-31%``, ``x12``."""
    if change >= 9.995:
        return f"x{change + 1:,.0f}" if change < 999 else ">x1,000"
    shown = f"{100 * change:+.1f}" if abs(change) < 0.0995 else f"{100 * change:+.0f}"
    return f"{'0' if float(shown) == 0 else shown}%"
