"""The figures of the turns of conversations in the report, and their totals read back from it."""

from sseclient_cli.measure.llm_totals import MAX_TURNS, LlmTotals
from sseclient_cli.measure.request_totals import RequestTotals
from sseclient_cli.report.distributions import TimestampSource
from sseclient_cli.report.requests_build import llm_of, requests_of, totals_of_requests
from sseclient_cli.report.run_model import Plan


def test_turns_have_their_own_first_token_which_merges() -> None:
    llm = LlmTotals()
    for turn, first_token_us in ((0, 1000), (0, 3000), (1, 5000), (2, None), (MAX_TURNS, 7000)):
        llm.count_turn(turn, first_token_us)
    totals = RequestTotals(succeeded=5, llm=llm)
    source: TimestampSource = "kernel"
    reported = llm_of(totals, Plan.model_construct(llm=None), source)
    assert reported is not None
    first, second, third = reported.turns
    assert (first.turn, first.succeeded, second.turn, second.succeeded, third.succeeded) == (1, 2, 2, 1, 1)
    assert first.first_token is not None
    assert (first.first_token.min_ms, first.first_token.max_ms) == (1.0, 3.0)
    assert third.first_token is None

    again = totals_of_requests(requests_of(totals, source), reported)
    assert again is not None
    assert again.llm is not None
    again.merge(totals)
    assert again.llm.turns == {0: 4, 1: 2, 2: 2}
    assert {turn: each.count for turn, each in again.llm.turn_first_token.items()} == {0: 4, 1: 2}
