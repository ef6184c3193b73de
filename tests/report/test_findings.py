"""Findings come from the report alone: each test changes a report without findings."""

import socket
from collections import Counter
from typing import Any

import pytest
from report_json import ReportJson, built, json_of, report_of

from sseclient_cli.engine.endpoint import Endpoint
from sseclient_cli.measure.totals import Totals
from sseclient_cli.render.words import advice, sentence
from sseclient_cli.report.model import Finding, Severity
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan


def document(**changes: dict[str, Any]) -> ReportJson:
    """The document of a run in which all is well, with changes to its parts."""
    connections = Counter({Endpoint("h", "127.0.0.1", 80): 20})
    totals = Totals(
        connections=connections,
        planned=20,
        opened=20,
        peak_open=20,
        duration_ns=10_000_000_000,
        cpu_percent=[21.0],
        events=2000,
    )
    hop = ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80)))
    made = json_of(built(Plan(connections=20, duration_s=10, ramp_up_s=1), (hop,), totals, 0))
    for part, values in changes.items():
        made[part] = {**(made[part] or {}), **values}
    return made


def findings_of(made: ReportJson) -> list[Finding]:
    return report_of(made).findings


def words_of(made: ReportJson) -> dict[str, str]:
    return {finding.code: sentence(finding) for finding in findings_of(made)}


def advice_of(made: ReportJson) -> dict[str, str]:
    return {finding.code: advice(finding) for finding in findings_of(made)}


_STATE = {"negative": 0, "sum": 0, "min_ms": 0.0, "hdr": ""}


def latency(**values: float) -> dict[str, Any]:
    names = ("count", "min_ms", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms", "p9999_ms", "max_ms")
    return {**dict.fromkeys(names, 100.0), "stamp": "kernel", **_STATE, **values}


def durations(**values: float) -> dict[str, Any]:
    return {"count": 20, "p10_ms": 1.0, "p50_ms": 1.0, "p90_ms": 1.0, "max_ms": 1.0, **_STATE, **values}


def test_a_run_in_which_all_is_well_has_no_findings() -> None:
    assert findings_of(document()) == []


def test_silent_streams_are_a_fault_with_the_longest_silence() -> None:
    made = document(silence={"at_end": durations(count=7, max_ms=11_000)})
    assert words_of(made)["silent-streams"].startswith("7 of 20 streams went silent, the longest for the last 11.0 s")
    assert findings_of(made)[0].severity is Severity.FAULT


def test_streams_without_an_event_are_counted() -> None:
    made = document(streams={"without_event": 10})
    assert words_of(made) == {"streams-without-event": "10 of 20 streams received no event."}


def test_requests_without_an_answer_are_counted() -> None:
    made = document(streams={"unanswered": 6})
    assert words_of(made)["unanswered"].startswith("6 of 20 requests received no response head")


def test_requests_of_reconnections_count_among_those_that_were_sent() -> None:
    made = document(streams={"unanswered": 20})
    made["run"]["addresses"][0]["connections"] = 45
    assert words_of(made)["unanswered"].startswith("20 of 45 requests")


@pytest.mark.parametrize(
    ("silence", "is_found"),
    [
        (durations(p10_ms=59_900, p50_ms=60_000, p90_ms=60_100), True),
        (durations(p10_ms=5_000, p50_ms=60_000, p90_ms=90_000), False),
        (durations(p10_ms=1_000, p50_ms=1_000, p90_ms=1_000), False),
    ],
)
def test_cuts_after_the_same_silence_look_like_an_idle_timeout(silence: dict[str, Any], is_found: bool) -> None:
    words = words_of(document(silence={"before_cut": silence}))
    assert ("idle-cuts" in words) is is_found
    if is_found:
        assert "after 60.0 s without a byte, like after an idle timeout of a proxy" in words["idle-cuts"]


def test_a_broadcast_that_does_not_reach_all_streams_is_a_fault() -> None:
    made = document(reach={"streams": 20, "events": 600, "reached_all": 0, "share": 0.5367})
    assert (
        "0 of 600 broadcast events reached all 20 sampled streams; on average, a stream received 54 %"
        in words_of(made)["reach-incomplete"]
    )
    assert words_of(document(reach={"streams": 20, "events": 600, "reached_all": 600, "share": 1.0})) == {}


AUDIT = {
    "source": "id", "checked": 100, "lost": 0, "lost_at_least": 0, "duplicated": 0, "out_of_order": 0, "unconfirmed": 0,
    "renumbered_streams": 0, "carried": 0, "by_type": False, "refuting_streams": 0,
}  # fmt: skip


def test_an_unknown_loss_is_a_finding() -> None:
    made = document(audit={**AUDIT, "lost": None, "renumbered_streams": 200})
    assert "numbering restarted on 200 streams, so the loss is unknown" in words_of(made)["renumbered"]


def test_unreceived_numbers_are_a_finding_that_names_the_option() -> None:
    made = document(audit={**AUDIT, "source": "data.seq", "unconfirmed": 12})
    assert "12 numbers are missing on half of the streams or more" in words_of(made)["unconfirmed-loss"]
    assert "--sequence seq." in advice_of(made)["unconfirmed-loss"]


def test_a_field_that_may_be_a_sequence_is_named_with_its_option() -> None:
    made = document()
    made["run"]["plan"]["sequence"]["candidates"] = [{"source": "data.users", "reason": "its numbers jump"}]
    assert words_of(made)["sequence-uncertain"] == "data.users may be a sequence number, but its numbers jump."
    assert "--sequence users " in advice_of(made)["sequence-uncertain"]


def held_back(encodings: dict[str, int], held_ms: float = 900) -> ReportJson:
    return document(
        bursts={
            "events": {"count": 200, "min": 10, "p50": 10, "max": 10, **_STATE},
            "events_in_bursts": 2000,
            "events_alone": 0,
            "gaps_inside": 1800,
            "held_back": durations(p50_ms=held_ms),
            "content_encodings": encodings,
        },
        latency={"gap": latency(count=180, p50_ms=1000, mean_ms=1000), "delivery": latency(max_ms=902)},
    )


def test_events_that_are_held_back_are_named_with_the_evidence() -> None:
    words = words_of(held_back({}))
    held = words["held-back"]
    assert "bursts of 10 every 1.00 s, sent over 900 ms and received together, delivery up to 902 ms" in held
    assert "set `proxy_buffering off` in nginx" in advice_of(held_back({}))["held-back"]
    assert "91 % of the gaps are between events of one read" in words["gaps-inside-bursts"]
    assert "the mean of all gaps is 91 ms" in words["gaps-inside-bursts"]


def test_compression_is_named_as_the_cause_where_there_is_any() -> None:
    made = held_back({"gzip": 20})
    assert "the response is compressed (gzip)" in words_of(made)["held-back"]
    assert "set `gzip off`" in advice_of(made)["held-back"]


def test_bursts_of_events_that_were_sent_together_are_not_held_back() -> None:
    words = words_of(held_back({}, held_ms=0.2))
    assert "held-back" not in words
    assert "Events arrive in bursts of 10 every 1.00 s" in words["bursts"]


def test_a_step_of_our_clock_is_named() -> None:
    made = document(clocks={"steps": [{"t_s": 3, "step_ms": 5000.0}]})
    assert "wall clock was set by +5.000 s, 3 s into the run" in words_of(made)["clock-step"]


@pytest.mark.parametrize(("ahead_s", "words"), [(5, "5 s ahead of this machine's"), (-5, "5 s behind this machine's")])
def test_a_constant_difference_of_the_clocks_is_named(ahead_s: int, words: str) -> None:
    assert words in words_of(document(clocks={"server_ahead_s": ahead_s}))["clock-difference"]


def with_delivery(*medians_ms: float | None) -> ReportJson:
    made = document()
    made["timeline"] = [
        {
            "t_s": t_s,
            "open": 1,
            "events": 1,
            "bytes": 1,
            "errors": 0,
            "delivery_p50_ms": ms,
            "delivery_p99_ms": ms,
            "delivery_us": "",
        }
        for t_s, ms in enumerate(medians_ms)
    ]
    return made


def test_a_delivery_that_jumps_and_stays_so_is_a_clock_that_was_set() -> None:
    assert "changed by +4.9" in words_of(with_delivery(1, 2, None, 5000, 5001))["delivery-jump"]
    assert "changed by -3,600" in words_of(with_delivery(1, -3_600_000, -3_600_000))["delivery-jump"]


@pytest.mark.parametrize("medians_ms", [(1, 1500, 3000, 4500), (1, 5000, 1), (1, 2, 3), (5,), ()])
def test_a_growing_queue_or_a_late_second_is_not_a_clock_step(medians_ms: tuple[float, ...]) -> None:
    assert words_of(with_delivery(*medians_ms)) == {}


def test_faults_come_before_information() -> None:
    made = document(silence={"at_end": durations()}, events={"coalesced": 1000}, streams={"without_event": 1})
    assert [finding.code for finding in findings_of(made)] == ["silent-streams", "streams-without-event", "coalesced"]
