"""Findings on chunks, from the figures of a report."""

from collections import Counter
from typing import Any

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.llm_totals import LlmTotals
from sseclient_cli.measure.request_totals import RequestTotals
from sseclient_cli.report.llm_findings import held_back
from sseclient_cli.report.requests_build import llm_of
from sseclient_cli.report.requests_model import Llm
from sseclient_cli.report.run_model import Plan


def histogram(values: dict[int, int]) -> Histogram:
    made = Histogram()
    made.record(values)
    return made


def llm(*, chunks: int, bursts: dict[int, int], pauses_us: dict[int, int], answers: int = 10) -> Llm:
    totals = LlmTotals(chunks=chunks, apis=Counter({"x": answers}))
    totals.burst_chunks, totals.burst_pause = histogram(bursts), histogram(pauses_us)
    plan: Any = Plan.model_construct(llm=None)
    made = llm_of(RequestTotals(succeeded=answers, llm=totals), plan, "kernel")
    assert made is not None
    return made


def test_chunks_of_a_gateway_that_holds_64_back() -> None:
    found = held_back(llm(chunks=1_920, bursts={64: 30}, pauses_us={1_280_000: 30}))
    assert found is not None
    assert (found["chunks"], found["share"], found["whole"]) == (64, 1.0, False)
    assert abs(found["pause_ms"] - 1_280) < 2


def test_answers_that_arrive_at_once() -> None:
    found = held_back(llm(chunks=640, bursts={64: 10}, pauses_us={1_500_000: 10}))
    assert found is not None
    assert found["whole"]


def test_a_few_bursts_or_short_pauses_are_no_finding() -> None:
    assert held_back(llm(chunks=1_920, bursts={64: 10}, pauses_us={1_280_000: 10})) is None  # a third of the chunks
    assert held_back(llm(chunks=1_920, bursts={8: 240}, pauses_us={80_000: 240})) is None
    assert held_back(llm(chunks=128, bursts={64: 2}, pauses_us={1_280_000: 2})) is None
    assert held_back(llm(chunks=64, bursts={}, pauses_us={})) is None
