"""The verdict on a run in words: whether the load generator was the bottleneck, and whether the report is complete."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sseclient_cli.render.quantities import duration

if TYPE_CHECKING:
    from sseclient_cli.report.model import Report
    from sseclient_cli.report.run_model import Host

NOTABLE_PAUSE_MS = 50
"""A longer pause of the load generator is shown even if it is too rare to saturate the run."""


MAX_HOSTS = 3
"""Hosts with lost workers that are named, those with most streams."""


class Trust(StrEnum):
    """Whether the figures of a run are those of the server."""

    TRUSTED = "trusted"
    SATURATED = "saturated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict; ``advice`` is empty if there is nothing to do."""

    trust: Trust
    sentence: str
    advice: str = ""


def verdict(report: Report) -> Verdict:
    """Return whether the load generator was the bottleneck. Callers escape the text."""
    generator = report.generator
    if generator.saturated:
        sentence = f"The load generator was the bottleneck: {'; '.join(generator.reasons)}."
        is_cluster = any(host.name is not None for host in report.run.hosts)
        more = "more machines or --workers on each" if is_cluster else "more --workers"
        return Verdict(Trust.SATURATED, sentence, f"Use {more}, a slower start or a smaller load.")
    known = [percent for percent in generator.cpu_percent if percent is not None]
    if not known:
        why = "no worker is left" if report.run.workers_lost else "the run was too short to measure its CPU"
        return Verdict(Trust.UNKNOWN, f"Unknown whether the load generator was the bottleneck: {why}.")
    facts = [f"{max(known):.0f} % of a core"]
    if generator.read_delay is not None and generator.read_delay.p99_ms is not None:
        facts.append(f"read delay p99 {duration(generator.read_delay.p99_ms)}")
    if generator.loop_lag is not None and generator.loop_lag.max_ms >= NOTABLE_PAUSE_MS:
        facts.append(f"longest pause {duration(generator.loop_lag.max_ms)}")
    return Verdict(Trust.TRUSTED, f"Load generator not the bottleneck: {', '.join(facts)}.")


def missing_workers(report: Report) -> str:
    """Return a sentence on the lost workers; empty if the report is complete."""
    run, streams = report.run, report.streams
    if not run.incomplete:
        return ""
    workers = f"{run.workers_lost:,} of {run.workers:,} workers"
    if not streams.lost:  # their totals arrived: an agent of a cluster has ended its load before the end of the run
        return f"This report is incomplete: {workers} ended early (see errors)."
    return (
        f"This report is incomplete: {workers} were lost, and with them "
        f"{streams.lost:,} of {streams.planned:,} streams (see errors){_by_host(report.run.hosts)}."
    )


def _by_host(hosts: list[Host]) -> str:
    lost = sorted((host for host in hosts if host.workers_lost), key=lambda host: -(host.lost or 0))
    named = ", ".join(
        f"{host.name} lost {host.workers_lost:,} of {host.workers:,} workers and {host.lost:,} streams"
        for host in lost[:MAX_HOSTS]
    )
    more = f", {len(lost) - MAX_HOSTS:,} more hosts lost workers too" if len(lost) > MAX_HOSTS else ""
    return f": {named}{more}" if lost else ""
