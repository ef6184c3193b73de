"""Notes of the summary: how the latencies were measured, and how the load reached the server."""

from __future__ import annotations

from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.terminal.counts import not_found
from sseclient_cli.render.terminal.route_view import route_notes
from sseclient_cli.report.model import Report
from sseclient_cli.report.run_model import PlannedMcp


def notes(report: Report) -> list[Text]:
    """Return one line for each fact that is needed to read the figures, except for ``ends_of_delivery``."""
    return [*(Text(line, style="dim") for line in _measurement(report)), *route_notes(report)]


def _mcp(mcp: PlannedMcp, *, has_sessions: bool) -> str:
    server = f"{mcp.server_name} {mcp.server_version}".strip() or "a server without a name"
    opened = "; its sessions were opened before the run" if has_sessions else ""
    return visible(f"MCP {mcp.version}, {server}{opened}", keep_lines=False)


def ends_of_delivery(report: Report) -> str:
    """Return between which times delivery was measured; empty if it was not measured."""
    delivery = report.latency.delivery
    if delivery is None:
        return ""
    how = "kernel timestamp" if delivery.stamp == "kernel" else "time after the read (no kernel timestamps here)"
    return f"from {visible(', '.join(report.run.plan.timestamp.used), keep_lines=False)} to the arrival ({how})"


def _measurement(report: Report) -> list[str]:
    plan = report.run.plan
    lines = [f"warm-up: the latencies of the first {plan.warmup_s:g} s are excluded"] if plan.warmup_s else []
    if plan.arrivals == "poisson":
        seed = "" if plan.seed is None else f", --seed {plan.seed} repeats them"
        lines.append(f"arrivals: random (Poisson){seed}")
    if plan.mcp is not None:
        lines.append(_mcp(plan.mcp, has_sessions=report.mcp is not None and report.mcp.sessions > 0))
    if report.latency.delivery is None and report.events.received and plan.timestamp.asked != "none":
        lines.append(f"delivery: {not_found(plan.timestamp.asked, 'timestamp')}")
    return lines
