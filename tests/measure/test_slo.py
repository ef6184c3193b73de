"""Objectives of a request, as they are written and judged."""

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.llm_totals import LlmTotals
from sseclient_cli.measure.slo import Objective, judge, parse_slo


def test_objectives_are_limits_of_durations() -> None:
    first, tpot = parse_slo("first_token < 500ms,tpot<=0.05s")
    assert (first.objective, first.limit_us, first.is_inclusive) == (Objective.FIRST_TOKEN, 500_000, False)
    assert (tpot.objective, tpot.limit_us, tpot.is_inclusive) == (Objective.TPOT, 50_000, True)
    assert (str(first), str(tpot)) == ("first_token < 500ms", "tpot <= 50ms")
    assert parse_slo("duration < 1m")[0].limit_us == 60_000_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("first_token", "is no objective"),
        ("first_token > 5ms", "is no objective"),
        ("first_token < 500", "is no objective"),
        ("ttft < 500ms", "'ttft' has no objective: it can be for first_chunk"),
        ("tpot < 5ms, tpot < 9ms", "two limits"),
        ("", "is no objective"),
    ],
)
def test_wrong_objectives_are_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_slo(text)


def test_a_request_is_good_if_it_meets_all_objectives() -> None:
    slo = parse_slo("first_token < 500ms, tpot < 50ms")
    totals = LlmTotals()
    for first_us, tpot_us in ((400_000, 40_000), (500_000, 40_000), (400_000, None), (600_000, None)):
        totals.judge(judge(slo, {Objective.FIRST_TOKEN: first_us, Objective.TPOT: tpot_us}))
    assert (totals.good, totals.unjudged) == (1, 1)
    assert (dict(totals.met), dict(totals.missed)) == (
        {"first_token < 500ms": 2, "tpot < 50ms": 2},
        {"first_token < 500ms": 2},
    )
