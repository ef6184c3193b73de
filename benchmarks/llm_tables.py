"""The comparison of load generators for LLMs as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.llm_task import Load
from benchmarks.llm_tools import NAMES, Tool
from benchmarks.llm_truth import QUANTILES
from benchmarks.measuring import Outcome
from benchmarks.push_tables import NOTHING, spread
from benchmarks.rounds import kept, median_of

Rounds = Mapping[str, list[Outcome]]
"""The outcomes of all rounds of one load, by the title of the tool."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the answer that tools may read differently."""

    title: str
    query: str


COSTS = {
    "cpu_us_per_token": ("CPU per token", "{:,.0f} us"),
    "cpu_percent": ("of its core", "{:.0f} %"),
    "command_cpu_s": ("CPU of the command", "{:.1f} s"),
    "pss_mib": ("memory", "{:,.0f} MiB"),
    "command_wall_s": ("the command took", "{:.1f} s"),
    "requests_wall_s": ("its requests took", "{:.1f} s"),
}


def markdown(
    tools: Sequence[Tool], loads: Mapping[Load, Rounds], forms: Mapping[Form, Rounds], facts: Mapping[str, str]
) -> str:
    """Return the report."""
    parts = ["# Load generators for LLMs, on the same server", "\n".join(_terms(tools))]
    for load, rounds in loads.items():
        parts.append("\n".join([f"## {load.title}", "", *_accuracy(rounds), "", *_costs(rounds), *_notes(rounds)]))
    if forms:
        parts.append("\n".join(_forms(forms)))
    parts.append("\n".join(("## The machine", "", *(f"- {name}: {value}" for name, value in facts.items()))))
    return "\n\n".join(parts) + "\n"


def _terms(tools: Sequence[Tool]) -> Iterator[str]:
    yield "## What each tool calls it"
    yield ""
    yield _row("tool", *(name.replace("_", " ") for name in NAMES))
    yield _row(*["---"] * (len(NAMES) + 1))
    for tool in tools:
        yield _row(tool.title, *(tool.terms.get(name, NOTHING) for name in NAMES))


def _accuracy(rounds: Rounds) -> Iterator[str]:
    """Yield what the tools report, and how far it is from what the server did."""
    columns = [(name, title) for name in NAMES for title in QUANTILES]
    yield "In ms, as the tool reports it. In parentheses: the difference to the server's log of the same requests."
    yield ""
    yield _row("tool", *(f"{name.replace('_', ' ')} {title}" for name, title in columns))
    yield _row(*["---"] * (len(columns) + 1))
    for tool, outcomes in rounds.items():
        yield _row(tool, *(claim(outcomes, f"{name}_{title}_ms") for name, title in columns))


def claim(outcomes: list[Outcome], figure: str) -> str:
    """Return a reported figure and its error: the medians of the rounds that count."""
    counting = [outcome.figures for outcome in kept(outcomes) if figure in outcome.figures]
    if not counting:
        return NOTHING
    reported = statistics.median(figures[figure] for figures in counting)
    errors = [figures[figure] - figures[f"true_{figure}"] for figures in counting if f"true_{figure}" in figures]
    return f"{reported:,.2f}" + (f" ({statistics.median(errors):+,.2f})" if errors else "")


def _costs(rounds: Rounds) -> Iterator[str]:
    yield _row("tool", *(title for title, _ in COSTS.values()))
    yield _row(*["---"] * (len(COSTS) + 1))
    for tool, outcomes in rounds.items():
        figures = median_of(outcomes).figures
        cells = [shown.format(figures[name]) if name in figures else NOTHING for name, (_, shown) in COSTS.items()]
        if text := spread(outcomes, "cpu_us_per_token"):
            cells[0] += f" ({text})"
        yield _row(tool, *cells)


def _notes(rounds: Rounds) -> Iterator[str]:
    noted = [f"- {tool}: {note}" for tool, outcomes in rounds.items() if (note := median_of(outcomes).note)]
    if noted:
        yield ""
        yield from noted


def _forms(forms: Mapping[Form, Rounds]) -> Iterator[str]:
    """Yield the first token and the gaps that the tools report for each form of the answer."""
    tools = list(dict.fromkeys(tool for rounds in forms.values() for tool in rounds))
    yield "## What counts as a token"
    yield ""
    yield "One request at a time. First token / token gap / tpot in ms, each the p50 that the tool reports."
    yield ""
    yield _row("tool", *(form.title for form in forms))
    yield _row(*["---"] * (len(forms) + 1))
    for tool in tools:
        yield _row(tool, *(_form_cell(rounds.get(tool, [])) for rounds in forms.values()))


def _form_cell(outcomes: list[Outcome]) -> str:
    figures = median_of(outcomes).figures
    values = [figures.get(f"{name}_p50_ms") for name in NAMES]
    return " / ".join(NOTHING if value is None else f"{value:,.0f}" for value in values) if figures else NOTHING


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
