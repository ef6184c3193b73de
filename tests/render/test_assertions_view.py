"""The assertions in the summary."""

from io import StringIO

import pytest
from rich.console import Console, Group

from sseclient_cli.render.terminal.assertions_view import assertion_rows
from sseclient_cli.report.assertion_model import AssertionStatus, Outcome


def _assertion(expression: str, observed: float | None, status: AssertionStatus, reason: str = "") -> Outcome:
    is_passed = status is AssertionStatus.PASSED
    return Outcome(
        expression=expression, path="latency.delivery.p99_ms", unit="ms", limit=50, observed=observed, status=status,
        passed=is_passed, reason=reason,
    )  # fmt: skip


def _shown(*assertions: Outcome, width: int = 80) -> list[str]:
    text = StringIO()
    Console(file=text, width=width, color_system=None, highlight=False).print(Group(*assertion_rows(list(assertions))))
    return text.getvalue().splitlines()


def test_no_assertions_take_no_lines() -> None:
    assert assertion_rows([]) == []


def test_values_are_aligned_below_the_number_of_failures() -> None:
    passed = _assertion("delivery.p99 < 50ms", 4.2, AssertionStatus.PASSED)
    failed = _assertion("gap.p99 < 50ms", 50.000_04, AssertionStatus.FAILED)
    assert _shown(passed, failed) == [
        "",
        "1 of 2 assertions failed.",
        "passed   delivery.p99 < 50ms  4.2 ms",
        "failed   gap.p99 < 50ms       50.00004 ms",
    ]
    assert _shown(passed)[1] == "1 assertion passed."


def test_figure_that_was_not_measured_has_a_reason_and_no_value() -> None:
    absent = _assertion("tls.p99 < 1s", None, AssertionStatus.NOT_MEASURED, "not measured because of this")
    assert _shown(absent)[-1] == "failed   tls.p99 < 1s  not measured because of this"


def test_untrusted_value_is_shown_with_the_reason() -> None:
    doubtful = _assertion("tls.p99 < 1s", 7.0, AssertionStatus.NOT_TRUSTWORTHY, "not trustworthy")
    assert _shown(doubtful)[-1] == "failed   tls.p99 < 1s  7 ms; not trustworthy"


@pytest.mark.parametrize("width", [40, 60])
def test_narrow_terminal_wraps_below_the_assertion(width: int) -> None:
    absent = _assertion("tls.p99 < 1s", None, AssertionStatus.NOT_MEASURED, "not measured because of a long reason")
    lines = _shown(absent, width=width)
    assert all(len(line) <= width for line in lines)
    assert all(line.startswith(" " * 9) for line in lines[3:])


def test_control_characters_of_a_foreign_report_are_escaped() -> None:
    hostile = _assertion("a\x1b[31m < 1\nb", 1, AssertionStatus.FAILED, "r\x1b[0m")
    assert "\x1b" not in "".join(_shown(hostile))
    assert len(_shown(hostile)) == 3
