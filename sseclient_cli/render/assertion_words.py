"""The outcome of an assertion in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sseclient_cli.escaping import visible
from sseclient_cli.report.quantities import format_apart

if TYPE_CHECKING:
    from sseclient_cli.report.assertion_model import Outcome


def observed_words(assertion: Outcome) -> str:
    """Return the observed value, with enough digits to tell it from the limit, and the reason if there is one."""
    words = [] if assertion.observed is None else [format_apart(assertion.observed, assertion.limit, assertion.unit)[0]]
    return visible("; ".join([*words, *([assertion.reason] if assertion.reason else [])]), keep_lines=False)


def outcome_line(assertion: Outcome) -> str:
    """Return the outcome in one line."""
    outcome = "passed" if assertion.passed else "failed"
    return f"assertion {outcome}: {visible(assertion.expression, keep_lines=False)}: {observed_words(assertion)}"
