"""Every figure of `sse bench --llm` against the log of the demo server, which notes when it sent each chunk."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess
from running_demo import Demo

from benchmarks.llm_oracle import compared
from benchmarks.llm_truth import Truth

ATTEMPTS = 4
"""Runs; one must be undisturbed. On a machine with other work, some chunks are read late, and estimated."""

SLOW = "ttft=0.6&rate=10&tokens=8"
"""Chunks so far apart that a late reader seldom finds two of them."""


def _ran(sse: InProcess, folder: Path, url: str, *options: str) -> dict[str, Any]:
    file = folder / f"{uuid.uuid4()}.json"
    code, out, err = sse("bench", url, "--llm", "--json", str(file), "--quiet", "--workers", "1", *options)
    assert code == 0, out + err
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return document


@pytest.mark.parametrize(
    ("path", "query", "slots"),
    [
        ("chat/completions", "", 1),
        ("chat/completions", "role_at=0.1&reasoning=3&jitter=0.5", 10),
        ("completions", "", 10),
        ("responses", "tokens_per_chunk=2", 10),
        ("messages", "reasoning=3", 10),
    ],
)
def test_durations_are_those_of_the_server(
    sse_in_process: InProcess, shared_demo: Demo, tmp_path: Path, path: str, query: str, slots: int
) -> None:
    wrong: list[Any] = []
    for _ in range(ATTEMPTS):
        run = uuid.uuid4().hex[:20]
        url = f"http://127.0.0.1:{shared_demo.port}/v1/{path}?{SLOW}&{query}&run={run}"
        report = _ran(sse_in_process, tmp_path, url, "-c", str(slots), "--requests", str(2 * slots), "--no-preflight")
        truth, llm = Truth.of(shared_demo.port, run=run), report["llm"]
        assert (report["requests"]["succeeded"], len(truth.done)) == (2 * slots, 2 * slots)
        assert llm["output_tokens"] == truth.tokens
        assert llm["chunks"] == sum(one["chunks"] for one in truth.done)
        reasoning = sum(one["reasoning_tokens"] for one in truth.done)
        # Only OpenAI's chat and responses count the reasoning, if there is any.
        assert (llm["reasoning_tokens"] or 0) == (0 if path in ("completions", "messages") else reasoning)
        assert llm["finish_reasons"] == {truth.done[0]["finish_reason"]: 2 * slots}
        assert llm["token_gap"]["count"] + llm["chunks_together"] == len(truth.durations_ms()["token_gap"])
        wrong = [each for each in compared(report, truth) if not each.is_right]
        if not wrong:
            return
    pytest.fail(f"in each of {ATTEMPTS} runs, a figure differs; in the last one {wrong}")


def test_failures_are_those_of_the_server(sse_in_process: InProcess, shared_demo: Demo, tmp_path: Path) -> None:
    counts = {}
    for query, kind in (("refuse=0.25&retry_after=0", "http-429"), ("error_after=3", "answer-error"),
                        ("cut_after=3", "answer-incomplete")):  # fmt: skip
        run = uuid.uuid4().hex[:20]
        url = f"http://127.0.0.1:{shared_demo.port}/v1/chat/completions?ttft=0.05&rate=100&tokens=8&run={run}&{query}"
        file = tmp_path / f"{run}.json"
        sse_in_process("bench", url, "--llm", "-c", "4", "--requests", "8", "--no-preflight", "-q", "--json", str(file))
        report = json.loads(file.read_text("utf-8"))
        truth = Truth.of(shared_demo.port, run=run)
        failed = len(truth.requests) - len(truth.done)
        assert (report["requests"]["failed"], report["requests"]["succeeded"]) == (failed, len(truth.done))
        # The durations of failures are apart.
        assert (report["requests"]["failed_after"] or {}).get("count", 0) == failed
        assert (report["llm"]["first_token"] or {}).get("count", 0) == len(truth.done)
        counts[kind] = {each["kind"]: each["count"] for each in report["errors"]}
    assert counts == {"http-429": {"http-429": 2}, "answer-error": {"answer-error": 8},
                      "answer-incomplete": {"answer-incomplete": 8}}  # fmt: skip
