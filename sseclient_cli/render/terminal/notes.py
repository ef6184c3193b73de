"""Notes of the summary: how the latencies were measured, and how the load reached the server."""

from __future__ import annotations

from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.terminal.counts import not_found
from sseclient_cli.render.terminal.route_view import route_notes
from sseclient_cli.report.model import Report


def notes(report: Report) -> list[Text]:
    """Return one line for each fact that is needed to read the figures."""
    return [*(Text(line, style="dim") for line in _measurement(report)), *route_notes(report)]


def _measurement(report: Report) -> list[str]:
    delivery, timestamp = report.latency.delivery, report.run.plan.timestamp
    events, warmup_s = report.events, report.run.plan.warmup_s
    lines = [f"warm-up: the latencies of the first {warmup_s:g} s are excluded"] if warmup_s else []
    if delivery is not None:
        how = "kernel timestamp" if delivery.stamp == "kernel" else "time after the read (no kernel timestamps here)"
        lines.append(f"delivery: from {visible(', '.join(timestamp.used), keep_lines=False)} to the arrival ({how})")
    elif events.received and timestamp.asked != "none":
        lines.append(f"delivery: {not_found(timestamp.asked, 'timestamp')}")
    return lines
