"""The result of `sse check` on a terminal: a line for each check, and the fix below a problem."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from sseclient_cli.check.catalogue import Check, Status
from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import counted
from sseclient_cli.render.terminal.rows import Paragraph
from sseclient_cli.report.check_model import CheckCounts, CheckedItem, CheckReport

_LABELS = {Status.OK: "ok", Status.WARNING: "warning", Status.FAULT: "fault", Status.NOT_CHECKED: "-"}
_STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.FAULT: "red", Status.NOT_CHECKED: "dim"}

STATUS_WIDTH = max(map(len, _LABELS.values()))
TITLE_WIDTH = max(len(check.said.title) for check in Check)

_SPACES = 2


def check_view(report: CheckReport) -> RenderableType:
    """Return the result, for a rich console of any width from 60."""
    head = Text(f"{report.method} {_safe(report.urls[-1])}", "bold")
    head.append(f"  {report.duration_s:.1f} s", "not bold dim")
    return Group(Paragraph(head), Text(), *map(_Line, report.checks), Text(), Paragraph(_conclusion(report.counts)))


def _conclusion(counts: CheckCounts) -> Text:
    text = Text()
    style = "red" if counts.faults else "green"
    text.append(counted(counts.faults, "fault") if counts.faults else "No fault", f"bold {style}")
    text.append(", ").append(counted(counts.warnings, "warning"), "yellow" if counts.warnings else "")
    return text.append(f", {counts.ok:,} ok, {counts.not_checked:,} not checked.")


class _Line:
    """The status, the title, and the observation, wrapped beside them; then the fix behind an arrow."""

    def __init__(self, item: CheckedItem) -> None:
        self._item = item

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        item, style = self._item, _STYLES[self._item.status]
        indent = STATUS_WIDTH + _SPACES + TITLE_WIDTH + _SPACES
        head = Text(f"{_LABELS[item.status]:<{STATUS_WIDTH + _SPACES}}", style)
        head.append(f"{_safe(item.title):<{TITLE_WIDTH + _SPACES}}", "")
        seen = Text(_safe(item.seen), "dim" if item.status is Status.NOT_CHECKED else "")
        yield from _beside(head, seen, indent, console, options.max_width)
        if item.fix:
            arrow = "->" if options.ascii_only else "→"
            fix_indent = STATUS_WIDTH + _SPACES
            label = Text(f"{arrow:>{STATUS_WIDTH}}{'':{_SPACES}}")
            yield from _beside(label, Text(_safe(item.fix)), fix_indent, console, options.max_width)


def _beside(head: Text, content: Text, indent: int, console: Console, width: int) -> Iterator[Text]:
    for number, line in enumerate(content.wrap(console, max(width - indent, 1))):
        line.rstrip()
        yield Text.assemble(Text(" " * indent) if number else head, line)


def _safe(text: str) -> str:
    return visible(text, keep_lines=False)
