"""Judges the assertions of the command line on a report."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sseclient_cli.cli.options.assertions import AssertionOptions, BenchAssertionOptions
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.report.assertions import Assertion
    from sseclient_cli.report.early_end import EarlyEnd
    from sseclient_cli.report.model import Report


def assertions_of(options: AssertionOptions) -> list[Assertion]:
    """Return the assertions. Raises UsageError for a wrong one, and for options that need one."""
    if not options.assertions:
        if options.allow_saturated:
            raise UsageError("--allow-saturated needs an assertion: add --assert 'delivery.p99 < 50ms'")
        return []
    from sseclient_cli.report.assertions import Assertion

    return [Assertion.parse(text) for text in options.assertions]


def early_end_of(options: BenchAssertionOptions) -> EarlyEnd | None:
    """Return the check that ends a run early, if wanted. Raises UsageError for a wrong assertion."""
    assertions = assertions_of(options)
    if not options.abort_on_fail:
        return None
    from sseclient_cli.report.early_end import EarlyEnd

    if not assertions:
        raise UsageError("--abort-on-fail needs an assertion: add --assert 'streams.failed < 1%'")
    return EarlyEnd(assertions, allow_saturated=options.allow_saturated)


def asserted(report: Report, options: AssertionOptions) -> Report:
    """Return the report with the outcomes of the assertions; unchanged without assertions."""
    from sseclient_cli.report.assertions import judged

    assertions = assertions_of(options)
    if not assertions:
        return report
    outcomes = judged(report, assertions, allow_saturated=options.allow_saturated)
    return report.model_copy(update={"assertions": outcomes})


def say_failed_assertions(report: Report) -> None:
    """Write each failed assertion to stderr: there is no summary."""
    from sseclient_cli.render.assertion_words import outcome_line

    for assertion in report.assertions:
        if not assertion.passed:
            sys.stderr.write(f"sse: {outcome_line(assertion)}\n")
