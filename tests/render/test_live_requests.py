"""The live view of a run with requests: the panel, the plain line, and the metrics for Prometheus."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from golden import Golden
from live_runs import progress_at
from prometheus_client import CollectorRegistry, generate_latest

from sseclient_cli.measure.llm_totals import LlmTotals
from sseclient_cli.measure.request_totals import RequestLatency, RequestTotals
from sseclient_cli.measure.samples import Latency
from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.render.live.panel import panel
from sseclient_cli.render.live.progress_line import progress_line
from sseclient_cli.render.live_metrics import LiveMetrics
from sseclient_cli.run.progress import Progress, RequestProgress, merged

REQUESTS = RequestProgress(
    planned=400,
    succeeded=120,
    failed=2,
    output_tokens=7_680,
    chunks=7_000,
    first_sent_us=0,
    last_ended_us=12_000_000,
    is_of_llm=True,
)


def run(requests: RequestProgress = REQUESTS, until_s: float = 12.5) -> RunHistory:
    history = RunHistory()
    for quarter in range(1, round(until_s * 4) + 1):
        history.add(progress_with(requests, quarter / 4))
    return history


def progress_with(requests: RequestProgress, at_s: float = 12.5) -> Progress:
    progress = progress_at(at_s, delivery=False, workers=2)
    latencies = {
        **progress.recent.latencies,
        RequestLatency.FIRST_TOKEN: Counter({300_000: 3, 480_000: 1}),
        RequestLatency.TOKEN_GAP: Counter({20_000: 60}),
        RequestLatency.DURATION: Counter({1_560_000: 4}),
    }
    return replace(progress, requests=requests, recent=replace(progress.recent, latencies=latencies))


def text_of(history: RunHistory, width: int = 80, height: int = 24) -> str:
    return "\n".join(line.text() for line in panel(history, "http://h/v1/chat/completions", width, height))


@pytest.mark.parametrize(("width", "height"), [(60, 10), (80, 10), (80, 24), (120, 40)])
def test_requests_take_the_place_of_streams(golden: Golden, width: int, height: int) -> None:
    golden(f"live-requests-{width}x{height}", text_of(run(), width, height))


@pytest.mark.parametrize("width", [30, 59, 80, 132])
@pytest.mark.parametrize("height", [3, 10, 24, 60])
def test_a_frame_never_exceeds_the_terminal(width: int, height: int) -> None:
    lines = panel(run(until_s=2), "http://h/v1", width, height)
    assert len(lines) <= height
    if width >= 59:
        assert all(line.width <= width for line in lines)


def test_the_line_has_requests_and_their_first_token() -> None:
    line = progress_line(run())
    assert line.startswith("12 of 60 s: 122 of 400 requests, 2 failed, 4,000 open, 10 requests/s, 640 tokens/s")
    assert "first token p50 300 ms p99 480 ms" in line


def test_without_a_count_of_tokens_the_rate_is_that_of_chunks() -> None:
    line = progress_line(run(replace(REQUESTS, output_tokens=None)))
    assert "583 chunks/s" in line
    assert "tokens/s" not in line


def test_the_bar_is_that_of_the_time_if_no_number_of_requests_is_planned() -> None:
    assert "122 of 400 requests" in text_of(run())
    assert "of 1:00 min" in text_of(run(replace(REQUESTS, planned=0)))


def test_requests_that_are_not_of_an_llm_show_their_duration() -> None:
    line = progress_line(run(replace(REQUESTS, is_of_llm=False)))
    assert "request p50 1,560 ms" in line
    assert "tokens" not in line


def test_streams_without_requests_have_none() -> None:
    history = RunHistory()
    history.add(progress_at(12.5))
    assert "requests" not in text_of(history) + progress_line(history)


def test_the_requests_of_several_workers_add_up() -> None:
    other = replace(REQUESTS, first_sent_us=500_000, last_ended_us=24_000_000)
    total = merged([progress_with(REQUESTS), progress_with(other), progress_at(12.5)]).requests
    assert total is not None
    assert (total.planned, total.done, total.output_tokens) == (800, 244, 15_360)
    assert total.per_s(total.succeeded) == 10  # 240 in 24 s


def test_progress_takes_the_requests_from_the_totals_of_a_worker() -> None:
    totals = RequestTotals(succeeded=3, failed=1, warm_up=2, llm=LlmTotals(chunks=9, output_tokens=18))
    assert RequestProgress.of(totals, 10) == RequestProgress(
        planned=10, succeeded=3, failed=1, warm_up=2, chunks=9, output_tokens=18, is_of_llm=True
    )
    assert RequestProgress.of(None, 10) is None


def test_the_metrics_of_the_run_have_its_requests() -> None:
    metrics = LiveMetrics("http://h/v1")
    metrics.show(progress_with(REQUESTS))
    registry = CollectorRegistry()
    registry.register(metrics)
    text = generate_latest(registry).decode()
    for sample in (
        "sse_requests_succeeded_total 120.0",
        "sse_requests_failed_total 2.0",
        "sse_llm_output_tokens_total 7680.0",
        "sse_llm_first_token_seconds_count 4.0",
        "sse_requests_duration_seconds_count 4.0",
    ):
        assert sample in text
    assert Latency.GAP.value in text


def test_tokens_that_no_server_counted_are_absent_from_the_metrics() -> None:
    metrics = LiveMetrics("http://h/v1")
    metrics.show(progress_with(replace(REQUESTS, output_tokens=None)))
    registry = CollectorRegistry()
    registry.register(metrics)
    text = generate_latest(registry).decode()
    assert "sse_llm_chunks_total 7000.0" in text
    assert "output_tokens" not in text


def test_the_metrics_of_a_run_without_requests_have_none() -> None:
    metrics = LiveMetrics("http://h/v1")
    metrics.show(progress_at(12.5))
    registry = CollectorRegistry()
    registry.register(metrics)
    assert "sse_requests" not in generate_latest(registry).decode()


def test_no_answer_has_no_tokens_rather_than_uncounted_ones() -> None:
    assert "answers   0 ended  0 tokens  0 chunks" in text_of(run(RequestProgress(is_of_llm=True)))
    uncounted = replace(REQUESTS, output_tokens=None)
    assert "120 ended  tokens not counted  7,000 chunks" in text_of(run(uncounted))
