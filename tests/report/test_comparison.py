"""Comparisons of made-up runs: noise is seldom a difference, and a difference is found."""

import json

import pytest
from comparisons import changed, run_of, with_connects

from sseclient_cli.report.comparison import comparison_of, worse_than
from sseclient_cli.report.comparison_model import Change, Comparison, Method, Verdict
from sseclient_cli.report.model import Report
from sseclient_cli.report.read import to_json
from sseclient_cli.report.run_model import Prompts


def _change(name: str, *reports: Report) -> Change:
    comparison = comparison_of(reports)
    [difference] = [each for each in comparison.differences if each.name == name]
    return difference.changes[-1]


def _differs(comparison: Comparison) -> bool:
    changes = [change for difference in comparison.differences for change in difference.changes]
    return any(change.verdict in (Verdict.BETTER, Verdict.WORSE) for change in changes)


@pytest.mark.parametrize("likeness", [0.0, 0.5])
def test_noise_is_seldom_a_difference(likeness: float) -> None:
    pairs = [(run_of(2 * seed, likeness=likeness), run_of(2 * seed + 1, likeness=likeness)) for seed in range(20)]
    assert sum(_differs(comparison_of(pair)) for pair in pairs) <= 2


@pytest.mark.parametrize("name", ["delivery.p50", "delivery.p90", "delivery.p99"])
def test_slowdown_is_found(name: str) -> None:
    slower = _change(name, run_of(1), run_of(2, slower=2))
    assert slower.verdict is Verdict.WORSE
    assert slower.method is Method.BOOTSTRAP
    assert slower.interval is not None
    assert slower.interval.low < 1 < slower.interval.high
    assert _change(name, run_of(2, slower=2), run_of(1)).verdict is Verdict.BETTER


def test_report_is_the_same_as_itself() -> None:
    report = run_of(1)
    comparison = comparison_of([report, report], ["a.json", "b.json"])
    assert not _differs(comparison)
    assert comparison.notes == ["a.json and b.json are the same run"]


def test_comparison_is_reproducible() -> None:
    reports = [run_of(1), run_of(2)]
    assert comparison_of(reports) == comparison_of(reports)


def test_change_below_the_resolution_of_a_machine_is_the_same() -> None:
    change = _change("delivery.p50", run_of(1, slower=0.002), run_of(1, slower=0.004))
    assert change.change is not None
    assert change.change > 0.5
    assert change.verdict is Verdict.SAME


def test_rows_of_ramp_up_and_warm_up_and_the_partial_last_row_are_left_out() -> None:
    report, slow_start = run_of(1), run_of(1)
    rows = list(slow_start.timeline)
    for place in (0, 1, 19):
        rows[place] = rows[place].model_copy(update={"delivery_us": "9000000:300", "events": 9000})
    plan = slow_start.run.plan.model_copy(update={"ramp_up_s": 0.5, "warmup_s": 1.5})
    run = slow_start.run.model_copy(update={"plan": plan, "duration_s": 19.5})
    slow_start = slow_start.model_copy(update={"timeline": rows, "run": run})
    for name in ("delivery.p99", "events.per_s"):
        change = _change(name, report, slow_start)
        assert change.interval is not None
        assert change.interval.high < 1


def test_short_run_is_unclear_with_a_note() -> None:
    reports = [run_of(1, seconds=4), run_of(2, slower=3, seconds=4)]
    change = _change("delivery.p50", *reports)
    assert change.verdict is Verdict.UNCLEAR
    assert "too few rows" in change.reason
    assert any("A: 4 full rows of the timeline after ramp-up" in note for note in comparison_of(reports).notes)


def test_runs_may_differ_in_length() -> None:
    assert _change("delivery.p50", run_of(1, seconds=8), run_of(2, slower=2, seconds=40)).verdict is Verdict.WORSE


def test_saturated_load_generator_has_no_verdict_on_latencies() -> None:
    saturated = changed(run_of(2, slower=3), generator={"saturated": True})
    change = _change("delivery.p50", run_of(1), saturated)
    assert change.verdict is Verdict.UNCLEAR
    assert change.reason == "the load generator was the bottleneck in B"


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [(0, 30, Verdict.WORSE), (30, 0, Verdict.BETTER), (0, 1, Verdict.UNCLEAR), (5, 5, Verdict.SAME)],
)
def test_shares_of_streams(before: int, after: int, verdict: Verdict) -> None:
    change = _change("streams.silent", run_of(1, silent=before), run_of(2, silent=after))
    assert (change.verdict, change.method) == (verdict, Method.FISHER)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (0, 1, Verdict.WORSE),
        (3, 0, Verdict.UNCLEAR),
        (30, 0, Verdict.BETTER),
        (30, 40, Verdict.UNCLEAR),
        (30, 90, Verdict.WORSE),
        (0, 0, Verdict.SAME),
    ],
)
def test_lost_events_follow_a_rule(before: int, after: int, verdict: Verdict) -> None:
    assert _change("audit.lost", _lossy(before), _lossy(after)).verdict is verdict


def test_streams_that_opened_in_one_second_say_little_about_connect() -> None:
    fast, slow = (with_connects(run_of(1), {value: 300}, rows=1) for value in (1_000, 5_000))
    assert _change("connect.p50", fast, slow).verdict is Verdict.UNCLEAR
    fast, slow = (with_connects(run_of(1), {value: 300}, rows=20) for value in (1_000, 5_000))
    assert _change("connect.p50", fast, slow).verdict is Verdict.WORSE


def test_reports_are_compared_with_the_first() -> None:
    comparison = comparison_of([run_of(1), run_of(2), run_of(3, slower=2)])
    [difference] = [each for each in comparison.differences if each.name == "delivery.p50"]
    assert len(difference.values) == 3
    assert [change.verdict for change in difference.changes][1] is Verdict.WORSE
    assert ("delivery.p50", 2) in [(each.name, place) for each, place in worse_than(comparison, 0.5)]
    assert ("delivery.p50", 2) not in [(each.name, place) for each, place in worse_than(comparison, 2.0)]


def test_increase_from_zero_exceeds_every_limit() -> None:
    comparison = comparison_of([_lossy(0), _lossy(1)])
    assert [difference.name for difference, _ in worse_than(comparison, 100.0)] == ["audit.lost"]


def test_differing_plans_and_partial_runs_are_notes() -> None:
    first, second = run_of(1), run_of(2)
    plan = second.run.plan.model_copy(update={"connections": 200, "rate_per_s": 5.0})
    second = changed(second, run={"plan": plan.model_dump(mode="json"), "interrupted": True, "incomplete": True})
    notes = comparison_of([first, second], ["a.json", "b.json"]).notes
    assert "the plans differ: connections 100 in a.json, 200 in b.json" in notes
    assert "the plans differ: arrival rate none in a.json, 5 in b.json" in notes
    assert "b.json: the run was interrupted" in notes
    assert "b.json: the report is incomplete, because workers were lost" in notes


def test_differing_prompts_are_notes() -> None:
    one = run_of(1)
    prompts = Prompts(
        api="openai-chat", model=None, source="synthetic", tokens="512", turns=1, output_tokens=None,
        has_system=False, left_out=[], extra=[],
    )  # fmt: skip
    first, second, without = (
        one.model_copy(
            update={"run": one.run.model_copy(update={"target": one.run.target.model_copy(update={"prompts": each})})}
        )
        for each in (prompts, prompts.model_copy(update={"tokens": "1024"}), None)
    )
    notes = comparison_of([first, second], ["a.json", "b.json"]).notes
    assert [note for note in notes if "prompts" in note] == ["the prompts differ: tokens 512 in a.json, 1024 in b.json"]
    assert not [note for note in comparison_of([first, without], ["a.json", "b.json"]).notes if "prompts" in note]


def test_differing_formats_are_a_note_if_both_reports_have_them() -> None:
    first, second = (
        changed(run_of(1), run={"formats": formats}) for formats in ({"sse": 9}, {"lines": 1, "ndjson": 2})
    )
    notes = comparison_of([first, second, run_of(1)], ["a.json", "b.json", "c.json"]).notes
    assert [note for note in notes if "format" in note] == [
        "the formats differ: sse in a.json, lines, ndjson in b.json"
    ]


def test_document_is_read_back() -> None:
    comparison = comparison_of([run_of(1), run_of(2)])
    fields = json.loads(to_json(comparison))
    assert (fields["schema"], fields["document"]) == (2, "comparison")
    assert Comparison.model_validate(fields) == comparison


def _lossy(lost: int) -> Report:
    audit = {
        "source": "id",
        "checked": 6000,
        "lost": lost,
        "lost_at_least": lost,
        "duplicated": 0,
        "out_of_order": 0,
        "unconfirmed": 0,
        "renumbered_streams": 0,
        "carried": 0,
        "by_type": False,
        "refuting_streams": 0,
    }
    return Report.model_validate(run_of(1).model_dump(by_alias=True) | {"audit": audit})
