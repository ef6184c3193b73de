"""The exit code of a run, read from its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sseclient_cli.errors import (
    EXIT_FAILED_STREAMS,
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_NO_USABLE_STREAM,
    EXIT_SATURATED,
)
from sseclient_cli.load.plan import OnEnd

if TYPE_CHECKING:
    from sseclient_cli.report.model import Report


def exit_code_of(report: Report, *, strict: bool) -> int:
    """Return how the run went: of several things that can be said, the one that explains the others."""
    if report.run.interrupted:
        return EXIT_INTERRUPTED
    if report.run.incomplete:
        return EXIT_INCOMPLETE
    if not _was_usable(report):
        return EXIT_NO_USABLE_STREAM
    if strict and report.generator.saturated:
        return EXIT_SATURATED
    return EXIT_FAILED_STREAMS if strict and _has_failed_streams(report) else 0


def _was_usable(report: Report) -> bool:
    """Return whether a stream opened, and not all that did were ended by errors before any event."""
    streams = report.streams
    if not streams.opened:
        return False
    # Whether for good, or to be tried again at the end of the run: no stream is open, and only errors ended any.
    are_all_broken = report.errors and not (streams.open_at_end or streams.ended_by_server or streams.completed)
    return bool(report.events.received or not are_all_broken)


def _has_failed_streams(report: Report) -> bool:
    """Return whether a stream did not open, or was broken by an error where streams are not replaced."""
    streams, on_end = report.streams, report.run.plan.on_end
    return bool(streams.failed or (streams.broken and on_end == OnEnd.STOP.value))
