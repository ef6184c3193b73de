"""Progress in one plain line, for logs and pipes."""

from __future__ import annotations

from sseclient_cli.escaping import visible
from sseclient_cli.render.live.blocks import NAMES
from sseclient_cli.render.live.generator_block import busiest
from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.render.live.quantities import count, megabytes, rate
from sseclient_cli.render.live.requests_block import request_line
from sseclient_cli.render.quantities import milliseconds

LINE_EVERY_S = 5.0
"""Interval of lines. A shorter run has none."""


def progress_line(history: RunHistory) -> str:
    """Return the state of a run in one line."""
    progress, audit = history.progress, history.audit
    requests = progress.requests
    shown = (
        [f"{count(progress.open_now)} of {count(progress.planned)} open"]
        if requests is None
        else request_line(progress, requests)
    )
    facts = [f"{progress.elapsed_s:.0f} of {progress.duration_s:g} s: {shown[0]}", *shown[1:]]
    facts += [
        f"{count(number)} {name}"
        for number, name in (
            (progress.opening, "opening"),
            (progress.reconnecting, "reconnecting"),
            (0 if requests else progress.failed, "failed"),
            (progress.silent or 0, "silent"),
            (progress.lost, "lost with their worker"),
        )
        if number
    ]
    facts += [f"{rate(progress.events_per_s)} events/s", f"{megabytes(progress.bytes_per_s)} MB/s"]
    latency = history.main_latency
    now = history.latest(latency) if requests is None else history.overall(latency)
    if now is not None:
        facts.append(f"{NAMES[latency]} p50 {milliseconds(now.p50 / 1000)} ms p99 {milliseconds(now.p99 / 1000)} ms")
    if progress.errors:
        facts.append(f"{count(sum(error.count for error in progress.errors.values()))} errors")
    if audit is not None and audit.lost:
        facts.append(f"{'at least ' if audit.is_lower_bound else ''}{audit.lost:,} events lost")
    busy = busiest(history)
    if busy is not None:
        facts.append(f"{busy[1]:.0f} % CPU")
    if history.reasons:
        facts.append(f"BOTTLENECK: {visible('; '.join(history.reasons), keep_lines=False)}")
    return ", ".join(facts)


class ProgressLines:
    """Decides when a line is due, by the time of the run."""

    def __init__(self) -> None:
        self._due_s = LINE_EVERY_S

    def is_due(self, history: RunHistory) -> bool:
        """Return whether to write a line now."""
        elapsed_s = history.progress.elapsed_s
        if elapsed_s < self._due_s or elapsed_s >= history.progress.duration_s:
            return False
        self._due_s += LINE_EVERY_S * max(1, (elapsed_s - self._due_s) // LINE_EVERY_S + 1)
        return True
