"""Each finding has words. Figures of a kind that a run gives are in ``SAMPLES``."""

import ast
import inspect
from typing import Any

import pytest

from sseclient_cli.render.words import WORDS, advice, sentence
from sseclient_cli.report import (
    bad_clients_findings,
    fanout_findings,
    findings,
    host_findings,
    llm_findings,
    recovery_findings,
)
from sseclient_cli.report.model import Finding, Severity

BURSTS = {
    "events": 8, "every_ms": 1000.0, "share": 1.0, "content_encodings": [], "heads_with_events": 3,
}  # fmt: skip
DELIVERIES = {
    "missed": 800, "expected": 2_000, "reach": 0.6, "events": 50, "streams": 40, "incomplete": 16, "without": 16,
}  # fmt: skip
SAMPLES: dict[str, list[dict[str, Any]]] = {
    "reach-incomplete": [{"streams": 20, "events": 600, "reached_all": 0, "share": 0.537}],
    "bytes-without-event": [{"streams": 1, "opened": 1, "example": "26 bytes received but no event: no blank line"}],
    "silent-streams": [{"streams": 7, "opened": 20, "longest_ms": 11_000.0}],
    "unanswered": [{"requests": 6, "sent": 20}, {"requests": 1, "sent": 1}],
    "streams-without-event": [{"streams": 10, "opened": 20, "duration_s": 10.0}],
    "idle-cuts": [{"connections": 20, "silence_ms": 60_000.0}],
    "events-lost": [
        {"events": 1, "source": "id", "reconnected": 0, "is_exact": True},
        {"events": 7, "source": "data.Seq", "reconnected": 3, "is_exact": False},
    ],
    "events-duplicated": [{"events": 1, "source": "id", "reconnected": each} for each in (0, 3)],
    "events-out-of-order": [{"events": 2, "source": "id", "reconnected": 0}],
    "renumbered": [{"streams": 1}, {"streams": 200}],
    "unconfirmed-loss": [{"numbers": 1, "source": "data.seq"}, {"numbers": 12, "source": "data.seq, id"}],
    "sequence-uncertain": [{"source": "data.users", "reason": "its numbers jump"}],
    "carried-ids": [{"events": 1}, {"events": 5}],
    "streams-not-audited": [{"streams": 3, "source": "id"}],
    "held-back": [
        {**BURSTS, "held_back_ms": 900.0, "delivery_max_ms": 902.0},
        {**BURSTS, "held_back_ms": 900.0, "delivery_max_ms": None, "content_encodings": ["gzip"], "every_ms": None},
    ],
    "bursts": [BURSTS],
    "gaps-inside-bursts": [{"share": 0.91, "mean_ms": 91.0}, {"share": 0.91, "mean_ms": None}],
    "coalesced": [{"share": 0.012, "shares_connections": False}, {"share": 0.9, "shares_connections": True}],
    "chunks-held-back": [
        {"chunks": 64, "pause_ms": 1_280.0, "share": 0.98, "whole": whole, "first_token_ms": first_ms}
        for whole in (False, True)
        for first_ms in (None, 1_580.0)
    ],
    "no-answer-ended": [{"requests": 1, "duration_s": 1.0}, {"requests": 40, "duration_s": 1.5}],
    "chunks-estimated": [{"share": 0.12, "shares_connections": False}, {"share": 0.12, "shares_connections": True}],
    "clock-step": [{"t_s": 3, "step_ms": 250.0, "hosts": 3}, {"t_s": 3, "step_ms": 5000.0}],
    "clock-difference": [{"server_ahead_s": 5}, {"server_ahead_s": -5}],
    "host-clocks-differ": [
        {"hosts": 1, "largest": [{"host": "node-2", "offset_ms": 512.25, "bound_ms": 0.25}], "has_delivery": True},
        {
            "hosts": 9,
            "largest": [{"host": f"node-{n}", "offset_ms": -7_200_512.25, "bound_ms": 0.25} for n in range(9)],
            "has_delivery": False,
        },
    ],
    "host-clock-bound": [
        {"delivery": delivery, "fanout": fanout, "bound_ms": 0.25, "host": "node-2"}
        for delivery, fanout in ((True, False), (False, True), (True, True))
    ],
    "clock-skew": [{"events": 1, "largest_ms": 3.5}],
    "delivery-jump": [{"t_s": 3, "jump_ms": -3_600_000.0}],
    "timestamp-in-the-future": [{"source": "data.expires"}],
    "target-keeps-files": [
        {"kept": kept, "before": 20, "peak": 520, "after": 20 + kept, "waited_s": 10.0} for kept in (1, 300)
    ],
    "target-keeps-memory": [{"kept_bytes": 30_000_000, "rise_bytes": 40_000_000, "waited_s": 10.0}],
    "target-samples-failed": [{"failed": 2, "samples": 40, "source": "pid 7", "error": "no such process"}],
    "target-series-missing": [{"source": "http://h/metrics", "series": "queue", "reason": "it has no such name"}],
    "fanout-missed": [{**DELIVERIES, "named": [3, 17], "requests_differ": own} for own in (False, True)],
    "fanout-nothing": [DELIVERIES],
    "fanout-split": [
        {**DELIVERIES, "processes": 2, "all_or_nothing": True},
        {**DELIVERIES, "processes": 2, "all_or_nothing": False},
        {**DELIVERIES, "processes": 3, "all_or_nothing": False},
        {**DELIVERIES, "reach": 0.34, "processes": 3, "all_or_nothing": False},
    ],
    "fanout-duplicated": [{"events": 1}, {"events": 5}],
    "streams-gave-up": [
        {"start_s": 5.0, "streams": 9, "gave_up": 2, "waiting": 0, "statuses": each} for each in ([], [502])
    ],
    "streams-not-back": [{"start_s": 5.0, "streams": 9, "gave_up": 0, "waiting": 1, "statuses": []}],
    "browsers-give-up": [{"status": 502, "streams": each, "start_s": 5.0} for each in (1, 7)],
    "thundering-herd": [
        {"start_s": 5.0, "streams": 200, "attempts": 190, "retry_ms": each, "from_server": each == 500}
        for each in (None, 500, 3_000)
    ],
    "fanout-out-of-order": [{"events": 5}],
    "publish-failed": [
        {"failed": 3, "attempts": 20, "example": "nothing listens on h:80", "kind": "", "is_command": False}
    ],
    "nothing-published": [
        {"failed": 20, "attempts": 20, "example": "", "kind": kind, "is_command": is_command}
        for kind, is_command in (("http-500", False), ("", True))
    ],
    "publish-late": [
        {"late": 3, "planned": 20, "rate_per_s": 5.0, "request_p50_ms": each, "latest_ms": 300.0}
        for each in (None, 250.0)
    ],
    "bad-clients-cost": [
        {"figure": "delivery_p99", "before_ms": 12.0, "after_ms": 180.0, "change": 14.0},
        {"figure": "event_rate", "before_per_s": 400.0, "after_per_s": 3.0, "change": -0.99},
    ],
    "bad-clients-held": [
        {"kind": kind, "held": 12, "turned": 20, "held_s": 20.0} for kind in ("slow", "vanish", "half_request")
    ],
    "slow-clients-keep-up": [{"stream_bytes_per_s": 496, "slow_bytes_per_s": 1024}],
    "bad-clients-not-turned": [{"planned": 5, "turned": 3, "at_s": 3.3}],
    "forced-merge": [
        {"reports": 3, "differences": 2, "first": "the targets differ: url is http://h/x and http://h/y"},
        {"reports": 2, "differences": 1, "first": "the plans differ: storm_s is 1 and 2"},
    ],
}


MODULES = (findings, fanout_findings, host_findings, llm_findings, bad_clients_findings, recovery_findings)


def codes_of_findings() -> set[str]:
    """Return the codes in the source: the first argument of ``_finding``, or the first item beside a severity."""
    codes = set()
    for node in (node for module in MODULES for node in ast.walk(ast.parse(inspect.getsource(module)))):
        parts = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        match parts:
            case [ast.Constant(str(code)), ast.Attribute(ast.Name("Severity")), *_]:
                codes.add(code)
    return codes


def test_each_finding_has_words_and_each_of_the_words_has_a_finding() -> None:
    assert codes_of_findings() == set(WORDS) == set(SAMPLES)


@pytest.mark.parametrize(("code", "figures"), [(code, each) for code, samples in SAMPLES.items() for each in samples])
def test_a_finding_is_a_sentence_and_an_advice_that_names_something_concrete(
    code: str, figures: dict[str, Any]
) -> None:
    finding = Finding(code=code, severity=Severity.WARNING, figures=figures)
    for words in (sentence(finding), advice(finding)):
        assert words.endswith(".")
        assert not words.endswith("..")
        assert "  " not in words
        assert "None" not in words
        assert words[0] == words[0].upper() or words.startswith(("data.", "--", "http:"))
    assert len(advice(finding)) < 220
    assert len(sentence(finding)) < 220


@pytest.mark.parametrize("code", ["held-back", "idle-cuts", "unanswered"])
def test_the_problems_of_a_proxy_name_the_directive_of_nginx(code: str) -> None:
    for figures in SAMPLES[code]:
        words = advice(Finding(code=code, severity=Severity.WARNING, figures=figures))
        assert "nginx" in words
        assert "`" in words


def test_the_interval_of_heartbeats_is_half_of_the_timeout() -> None:
    (figures,) = SAMPLES["idle-cuts"]
    assert "at least every 30.0 s" in advice(Finding(code="idle-cuts", severity=Severity.WARNING, figures=figures))


def test_a_source_keeps_its_capital_letters() -> None:
    _, figures = SAMPLES["events-lost"]
    words = sentence(Finding(code="events-lost", severity=Severity.FAULT, figures=figures))
    assert words == "At least 7 events were lost, by the numbers in data.Seq."
