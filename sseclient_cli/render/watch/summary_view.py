"""The figures of a watched stream at its end, for a terminal: of a live view, and of a recording."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.measure.stream_statistics import StreamSummary
from sseclient_cli.render.quantities import counted, duration, size
from sseclient_cli.render.terminal.rows import Facts, Row

MAX_TYPES = 10
"""Types listed by name."""

MAX_NAME_CHARS = 40
"""A longer type or ID is cut."""


def stream_summary(summary: StreamSummary, *, not_drawn: int = 0) -> RenderableType:
    """Return the summary of a stream. ``not_drawn``: events that a live view left out because it could not keep up."""
    rows = [Row(Text("stream"), Facts(*map(Text, _totals(summary, not_drawn))))]
    if summary.types:
        rows.append(Row(Text("types"), Facts(*map(Text, _types(summary)))))
    if summary.gaps is not None:
        gaps = summary.gaps
        figures = (("p50", gaps.p50_us), ("p99", gaps.p99_us), ("longest", gaps.longest_us))
        rows.append(Row(Text("gaps"), Facts(*(Text(f"{name} {duration(us / 1000)}") for name, us in figures))))
    if summary.longest_silence_s is not None:
        rows.append(Row(Text("silence"), Facts(*map(Text, _silence(summary, summary.longest_silence_s)))))
    if summary.connections:
        rows.append(Row(Text("opened"), Facts(*map(Text, _connections(summary)))))
    return Group(*rows)


def _totals(summary: StreamSummary, not_drawn: int) -> list[str]:
    facts = [counted(summary.events, "event")]
    if summary.events_per_s is not None:
        facts += [f"{summary.events_per_s:,.1f} events/s", f"in {duration(summary.duration_s * 1000)}"]
    facts.append(f"{size(summary.data_bytes)} of data")
    if summary.events_not_selected:
        facts.append(f"{summary.events_not_selected:,} more not selected")
    if not_drawn:
        facts.append(f"{not_drawn:,} not drawn")
    return facts


def _types(summary: StreamSummary) -> list[str]:
    facts = [f"{_cut(name)} {count:,}" for name, count in summary.types[:MAX_TYPES]]
    others = sum(count for _, count in summary.types[MAX_TYPES:]) + summary.events_of_more_types
    return [*facts, f"(other types) {others:,}"] if others else facts


def _silence(summary: StreamSummary, longest_s: float) -> list[str]:
    facts = [f"longest {duration(longest_s * 1000)}"]
    return [*facts, counted(summary.comments, "comment")] if summary.comments else facts


def _connections(summary: StreamSummary) -> list[str]:
    facts = [counted(summary.connections, "connection")]
    if summary.reconnections:
        facts.append(counted(summary.reconnections, "reconnect"))
    return [*facts, f"last ID {_cut(summary.last_event_id)}"] if summary.last_event_id else facts


def _cut(text: str) -> str:
    return visible(text if len(text) <= MAX_NAME_CHARS else text[:MAX_NAME_CHARS] + "…", keep_lines=False)
