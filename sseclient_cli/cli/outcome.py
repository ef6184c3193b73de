"""The exit code of a run, computed from its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sseclient_cli.errors import (
    EXIT_FAILED_STREAMS,
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_NO_USABLE_STREAM,
    EXIT_SATURATED,
)
from sseclient_cli.run.plan import OnEnd

if TYPE_CHECKING:
    from sseclient_cli.report.model import Report


def verdict_on(report: Report, *, strict: bool, max_failed_percent: float | None) -> tuple[int, str]:
    """Return the exit code of a run, and a line with the reason unless the summary already has it.

    If several codes apply, the first one explains the others.
    """
    run = report.run
    if run.interrupted:
        return EXIT_INTERRUPTED, ""
    if run.incomplete:
        return EXIT_INCOMPLETE, ""
    if not _was_usable(report):
        return EXIT_NO_USABLE_STREAM, ""
    if strict and report.generator.saturated:
        return EXIT_SATURATED, ""
    return _failures(report, strict=strict, max_failed_percent=max_failed_percent)


def _failures(report: Report, *, strict: bool, max_failed_percent: float | None) -> tuple[int, str]:
    """Return exit code and reason if more streams failed than the options allow."""
    errors = report.events.error_events
    failed, planned = _failed_streams(report), report.streams.planned
    if max_failed_percent is not None and failed * 100 > max_failed_percent * planned:
        return (
            EXIT_FAILED_STREAMS,
            f"{failed:,} of {planned:,} streams failed, more than --max-failed {max_failed_percent:g}%",
        )
    if errors:
        return (
            EXIT_FAILED_STREAMS,
            f"received {errors:,} error event{'s' if errors > 1 else ''} (--fail-on-error-event)",
        )
    return (EXIT_FAILED_STREAMS if strict and failed else 0), ""


def _was_usable(report: Report) -> bool:
    """Return whether a stream opened, unless errors ended all streams before any event."""
    streams = report.streams
    if not streams.opened:
        return False
    # No stream is open, and errors ended all of them, for good or until the next attempt.
    are_all_broken = report.errors and not (streams.open_at_end or streams.ended_by_server or streams.completed)
    return bool(report.events.received or not are_all_broken)


def _failed_streams(report: Report) -> int:
    """Return how many streams did not open, or were ended by an error and not replaced."""
    streams, on_end = report.streams, report.run.plan.on_end
    return streams.failed + (streams.broken if on_end == OnEnd.STOP.value else 0)
