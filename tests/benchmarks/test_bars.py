"""A bar holds only if the run has measured it and the figure is on the right side."""

import pytest

from benchmarks.bars import BARS, bars_table, verdicts
from benchmarks.measuring import Outcome
from benchmarks.rounds import Rounds
from benchmarks.workloads import WORKLOADS


def ratio(own_us: float, limit_us: float = 10.0) -> Rounds:
    return {
        ("4000x10", "limit"): [Outcome({"cpu_us_per_event": limit_us})],
        ("4000x10", "sse bench"): [Outcome({"cpu_us_per_event": own_us})],
    }


@pytest.mark.parametrize(("own_us", "holds"), [(17.9, True), (18.1, False)])
def test_a_cost_must_be_at_most_a_multiple_of_the_other_reader(own_us: float, holds: bool) -> None:
    (found,) = verdicts(ratio(own_us))
    assert found.holds is holds


@pytest.mark.parametrize(("rate", "holds"), [(1.9e6, True), (1.7e6, False)])
def test_a_speed_must_be_at_least_the_bar(rate: float, holds: bool) -> None:
    (found,) = verdicts({("blast-starlette", "sse bench"): [Outcome({"events_per_s_and_core": rate})]})
    assert found.holds is holds


def test_a_figure_that_was_not_measured_does_not_hold() -> None:
    (found,) = verdicts({("4000x10", "sse bench"): [Outcome({}, "it ended")]})
    assert (found.measured, found.holds) == (None, False)


@pytest.mark.parametrize("note", ["disturbed: others used 80 % of its core", "does not keep up"])
@pytest.mark.parametrize("reader", ["limit", "sse bench"])
def test_a_figure_of_a_reader_that_looks_cheap_does_not_hold(note: str, reader: str) -> None:
    rounds = dict(ratio(15.0))
    rounds["4000x10", reader] = [Outcome(rounds["4000x10", reader][0].figures, note)]
    (found,) = verdicts(rounds)
    assert not found.holds
    assert list(bars_table([found]))[2].endswith(f"| 1.50x | **no**: {note} |")


def test_a_disturbed_round_beside_others_does_not_count() -> None:
    rounds = dict(ratio(15.0))
    rounds["4000x10", "sse bench"].append(Outcome({"cpu_us_per_event": 5.0}, "disturbed: by a test"))
    assert [verdict.holds for verdict in verdicts(rounds)] == [True]


def test_a_workload_that_was_not_run_has_no_verdict() -> None:
    assert verdicts({}) == []


def test_the_table_tells_the_bar_the_figure_and_whether_it_holds() -> None:
    lines = list(bars_table(verdicts(ratio(20.0))))
    assert lines[2] == "| CPU per event, each event alone, to the limit | at most 1.80x | 2.00x | **no** |"


def test_each_bar_names_a_workload_and_each_form_has_one_at_full_blast() -> None:
    names = [bar.workload for bar in BARS]
    assert set(names) <= {workload.name for workload in WORKLOADS}
    assert {workload.name for workload in WORKLOADS if workload.name.startswith("blast-")} <= set(names)
