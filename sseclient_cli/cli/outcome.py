"""The exit code of a run, computed from its report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sseclient_cli.cli.asserting import say_failed_assertions
from sseclient_cli.cli.options.load import MeasurementOptions
from sseclient_cli.exit_codes import (
    EXIT_FAILED_STREAMS,
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_NO_USABLE_STREAM,
    EXIT_SATURATED,
    EXIT_UNMET,
)
from sseclient_cli.run.plan import OnEnd

if TYPE_CHECKING:
    from sseclient_cli.report.model import Report


def end_with(report: Report, options: MeasurementOptions, *, quiet: bool) -> int:
    """Return the exit code of a run, and write its reason to stderr, unless the summary has it."""
    if quiet:
        say_failed_assertions(report)
    code, why = verdict_on(report, options, has_summary=not quiet)
    if why:
        sys.stderr.write(f"sse: {why}\n")
    return code


def verdict_on(report: Report, options: MeasurementOptions, *, has_summary: bool) -> tuple[int, str]:
    """Return the exit code of a run, and a line with the reason; no line if the user has a summary that says it.

    If several codes apply, the first one explains the others.
    """
    run, failed = report.run, failed_streams(report)
    in_summary = (
        (run.interrupted, EXIT_INTERRUPTED, "the run was interrupted"),
        (run.incomplete, EXIT_INCOMPLETE, f"{run.workers_lost:,} of {run.workers:,} workers were lost"),
        (bool(run.aborted_by), EXIT_UNMET, f"the run ended early, because {run.aborted_by} failed"),
        (_has_failed_requests_only(report), EXIT_NO_USABLE_STREAM, "no request succeeded"),
        (not _was_usable(report), EXIT_NO_USABLE_STREAM, "no stream could be used"),
        (_published_nothing(report), EXIT_NO_USABLE_STREAM, "no event could be published"),
        (
            options.strict and report.generator.saturated,
            EXIT_SATURATED,
            "the load generator was the bottleneck (--strict)",
        ),
    )
    for applies, code, reason in in_summary:
        if applies:
            return code, "" if has_summary else reason
    code, reason = _failures(report, max_failed_percent=options.max_failed_percent)
    if not code and options.strict and failed:
        return EXIT_FAILED_STREAMS, "" if has_summary else f"{_failed_words(report)} (--strict)"
    if not code and has_failed_assertion(report):
        return EXIT_UNMET, ""  # the summary, or the lines on stderr, have the reasons
    return code, reason


def worse_of(codes: Sequence[int]) -> int:
    """Return the exit code that explains the others, in the order of ``verdict_on``."""
    order = (
        EXIT_INTERRUPTED,
        EXIT_INCOMPLETE,
        EXIT_NO_USABLE_STREAM,
        EXIT_SATURATED,
        EXIT_FAILED_STREAMS,
        EXIT_UNMET,
    )
    return next((code for code in order if code in codes), 0)


def has_failed_assertion(report: Report) -> bool:
    """Return whether an assertion failed, which is exit code EXIT_UNMET."""
    return not all(assertion.passed for assertion in report.assertions)


def _failures(report: Report, *, max_failed_percent: float | None) -> tuple[int, str]:
    """Return exit code and reason if more streams failed than the options allow."""
    errors = report.events.error_events
    if max_failed_percent is not None and failed_streams(report) * 100 > max_failed_percent * _all_streams(report):
        return EXIT_FAILED_STREAMS, f"{_failed_words(report)}, more than --max-failed {max_failed_percent:g}%"
    if errors:
        return (
            EXIT_FAILED_STREAMS,
            f"received {errors:,} error event{'s' if errors > 1 else ''} (--fail-on-error-event)",
        )
    return 0, ""


def _was_usable(report: Report) -> bool:
    """Return whether a stream opened, unless errors ended all streams before any event, or all requests failed."""
    streams = report.streams
    if _has_failed_requests_only(report):
        return False
    if not streams.opened:
        return False
    # No stream is open, and errors ended all of them, for good or until the next attempt.
    are_all_broken = report.errors and not (streams.open_at_end or streams.ended_by_server or streams.completed)
    return bool(report.events.received or not are_all_broken)


def _has_failed_requests_only(report: Report) -> bool:
    """Return whether each request that ended failed. A closed loop always has others, which the end of the run cut."""
    requests = report.requests
    return requests is not None and requests.failed > 0 and not requests.succeeded


def _published_nothing(report: Report) -> bool:
    """Return whether a publisher tried to publish, and failed each time."""
    publisher = None if report.fanout is None else report.fanout.publisher
    return publisher is not None and publisher.failed > 0 and not publisher.published


def failed_streams(report: Report) -> int:
    """Return how many streams did not open, or were ended by an error and not replaced; or how many requests failed."""
    if report.requests is not None:
        return report.requests.failed
    streams, on_end = report.streams, report.run.plan.on_end
    return streams.failed + (streams.broken if on_end == OnEnd.STOP.value else 0)


def _all_streams(report: Report) -> int:
    """Return how many streams could fail, or how many requests ended."""
    return report.streams.planned if report.requests is None else report.requests.ended


def _failed_words(report: Report) -> str:
    noun = "streams" if report.requests is None else "requests"
    return f"{failed_streams(report):,} of {_all_streams(report):,} {noun} failed"
