"""The columns and values of a sweep in words, for the terminal and the page."""

from __future__ import annotations

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import counted, milliseconds, percent
from sseclient_cli.render.terminal.steps_view import UNITS, load_text
from sseclient_cli.report.quantities import RATIO, format_value
from sseclient_cli.report.sweep_model import Column, Sweep


def title_lines(column: Column) -> list[str]:
    """Return the title of a column in short lines: ``delivery``, ``p99 ms``."""
    above, _, last = visible(column.name, keep_lines=False).removeprefix("llm.").replace("_", " ").rpartition(".")
    if last == "per s":
        return [f"{above}/s"]
    if last.endswith(" per s"):
        return [*above.split(), last.removesuffix(" per s") + "/s"]
    if last == "share":
        return above.split()
    return [*above.split(), f"{last} {column.unit}" if column.unit in ("ms", "s") else last]


def title(column: Column) -> str:
    """Return the title of a column in one line."""
    return " ".join(title_lines(column))


def phrase(value: float | None, column: Column) -> str:
    """Return a value with its name: ``480 events/s``, ``delivery p99 1.25 ms``."""
    shown = value_text(value, column)
    words = title(column)
    if column.unit == "1/s":
        return f"{shown} {words}"
    name = words.removesuffix(f" {column.unit}")
    return f"{name} {shown}" + (f" {column.unit}" if name != words and value is not None else "")


def value_text(value: float | None, column: Column) -> str:
    """Return the value of a step, without the unit that the title has."""
    if value is None:
        return "-"
    match column.unit:
        case "ms":
            return milliseconds(value)
        case "1/s":
            return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
        case unit if unit == RATIO:
            return percent(value)
        case "":
            return f"{value:,.6g}"
        case unit:
            return format_value(value, visible(unit, keep_lines=False))


def family_of(column: Column) -> str:
    """Return the name of the distribution of a column: ``delivery``."""
    return " ".join(title_lines(column)[:-1])


def head_words(sweep: Sweep) -> list[str]:
    """Return the size of the sweep, and how its streams arrive."""
    size = f"{sweep.step_s:g} s" if sweep.requests is None else counted(sweep.requests, "request")
    words = [f"{len(sweep.steps)} of {len(sweep.loads)} loads", f"{size} each"]
    return [*words, f"Poisson arrivals, --seed {sweep.seed}"] if sweep.arrivals == "poisson" else words


def asserted_words(sweep: Sweep) -> str:
    """Return whether the assertions held; empty without any."""
    if not sweep.expressions:
        return ""
    failed = sum(not all(each.passed for each in step.assertions) for step in sweep.steps)
    words = "held at each load" if not failed else f"failed at {failed} of {counted(len(sweep.steps), 'load')}"
    return f"{' and '.join(sweep.expressions)}: {words}."


def missing_words(sweep: Sweep) -> str:
    """Return which loads are missing, and why; empty if all ran."""
    left = sweep.loads[len(sweep.steps) :]
    if not left:
        return ""
    loads = ", ".join(map(load_text, left))
    return f"Not run: {loads} {UNITS[sweep.varied]} ({sweep.reason})."
