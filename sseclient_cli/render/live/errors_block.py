"""The block of the errors by kind, the most frequent first."""

from __future__ import annotations

from sseclient_cli.escaping import visible
from sseclient_cli.measure.totals import ErrorCount
from sseclient_cli.render.live.blocks import Block
from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.render.live.line import Line, Style

_COUNT_WIDTH = 10


def errors(history: RunHistory) -> Block:
    """Return the block of the errors."""
    found = _by_frequency(history)

    def draw(rows: int, width: int) -> list[Line]:
        if not found:
            return [Line(("none", Style.DIM))]
        if rows == 1 < len(found):
            return [error_line(history, width)]
        # One line says how many kinds have no room.
        shown = found if len(found) <= rows else found[: max(rows - 1, 1)]
        names = max(len(kind) for kind, _ in shown)
        lines = [_line(kind, error, names, width) for kind, error in shown]
        if len(shown) < len(found):
            lines.append(Line((f"{'':{_COUNT_WIDTH}}  {len(found) - len(shown)} more kinds", Style.DIM)))
        return lines

    return Block("errors", 1, max(len(found), 1), draw, rank=0)


def error_line(history: RunHistory, width: int) -> Line:
    """Return the errors in one line: as many kinds as fit, the others as their sum."""
    found = _by_frequency(history)
    line = Line("errors".ljust(10))
    if not found:
        return line.add(("none", Style.DIM))
    for place, (kind, error) in enumerate(found):
        text = f"{error.count:,} {kind}  "
        rest = f"{sum(other.count for _, other in found[place:]):,} others"
        is_last = place == len(found) - 1
        if line.width + len(text) + (0 if is_last else len(rest)) > width:
            return line.add((rest, Style.BAD))
        line.add((text, Style.BAD))
    return line


def _by_frequency(history: RunHistory) -> list[tuple[str, ErrorCount]]:
    return sorted(history.progress.errors.items(), key=lambda item: (-item[1].count, item[0]))


def _line(kind: str, error: ErrorCount, names: int, width: int) -> Line:
    line = Line((f"{error.count:,}".rjust(_COUNT_WIDTH), Style.BAD), f"  {kind:{names}}  ")
    example = visible(error.example, keep_lines=False)
    room = width - line.width
    return (
        line.add((example if len(example) <= room else f"{example[: max(room - 1, 0)]}…", Style.DIM))
        if room > 3
        else line
    )
