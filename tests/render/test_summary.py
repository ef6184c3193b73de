"""The summary is rendered from the document alone: these change a document and look at the text."""

import socket
from collections import Counter
from io import StringIO
from typing import Any

import pytest
from golden import Golden
from report_json import ReportJson, built, json_of, report_of
from rich.console import Console

from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import ErrorCount, Totals
from sseclient_cli.render.terminal.summary import summary
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan


def document(**changes: Any) -> ReportJson:
    totals = Totals(planned=500, opened=500, peak_open=500, duration_ns=10_000_000_000, cpu_percent=[21.0])
    totals.events, totals.bytes, totals.reads, totals.stamped_reads = 48_000, 2_400_000, 48_000, 48_000
    totals.types["message"] = 48_000
    totals.timestamp_fields = {"data.ts"}
    totals.audits["id"] = FieldAudit(Trust.EVENT_ID, streams=500, checked=48_000)
    for kind, value_us in zip(Latency, (300, 400, 700, 1_500, 100_000, 200), strict=True):
        totals.latencies[kind].record({value_us: 400, 2 * value_us: 80, 5 * value_us: 15, 20 * value_us: 4})
    totals.read_delay.record({90: 48_000})
    for name, value in changes.items():
        setattr(totals, name, value)
    hop = ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80)))
    return json_of(built(Plan(connections=500, duration_s=10, ramp_up_s=1), (hop,), totals, 0))


def text_of(shown: ReportJson, width: int = 80) -> str:
    console = Console(width=width, file=StringIO(), highlight=False)
    with console.capture() as captured:
        console.print(summary(report_of(shown)))
    return captured.get()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_good_run_reads_like_this(golden: Golden, width: int) -> None:
    golden(f"summary-{width}-columns", text_of(document(), width))


def test_a_run_with_failures_reads_like_this(golden: Golden) -> None:
    shown = document(planned=750, lost=250, workers_lost=1, cpu_percent=[99.0, None], duration_ns=4_000_000_000)
    shown["errors"] = [
        {"kind": "worker-lost", "count": 250, "example": "a worker was killed by signal 9"},
        {"kind": "http-503", "count": 12, "example": "the server answered 503"},
    ]
    shown["audit"] |= {"lost": 7, "duplicated": 3, "out_of_order": 1}
    shown["latency"]["delivery"] |= {"negative": 12, "min_ms": -3.5}
    golden("summary-with-failures", text_of(shown))


def test_a_run_without_latencies_and_audit_reads_like_this(golden: Golden) -> None:
    shown = document()
    shown["latency"] = dict.fromkeys(shown["latency"])
    shown["audit"] = None
    golden("summary-without-latencies", text_of(shown))


def test_a_run_without_problems_fits_into_a_screen() -> None:
    shown = document(types=Counter({"tick": 47_000, "done": 1_000}))
    shown["run"]["preflight"] = {"requests": 1, "status": 200, "closed": True}
    lines = text_of(shown).splitlines()
    assert len(lines) <= 23  # the prompt needs one
    assert lines[1].startswith("Load generator not the bottleneck")
    assert any(line.startswith("delivery  ms") for line in lines)


@pytest.mark.parametrize("width", range(60, 201, 4))
def test_no_figure_is_cut_at_any_width(width: int) -> None:
    shown = document(types=Counter({"tick": 47_000, "done": 1_000}), cpu_percent=[99.0])
    shown["errors"] = [{"kind": "http-503", "count": 1_234_567, "example": "answered 503 Service Unavailable"}]
    shown["audit"] |= {"lost": 1_234_567, "lost_at_least": 1_234_567}
    text = text_of(shown, width)
    lines = text.splitlines()
    assert all(len(line) <= width for line in lines)
    assert all(line == line.rstrip() for line in lines)
    assert "…" not in text
    words = text.split()
    for figure in ("1,234,567x", "1,234,567", "48,000", "2.40", "47,000"):
        assert figure in words
    # The median, p99 and the maximum are shown at any width.
    delivery = next(line.split() for line in lines if line.startswith("delivery"))
    assert {"0.200", "1.000", "4.000"} <= set(delivery)


def test_nothing_that_matters_is_cut_at_80_columns() -> None:
    shown = document(cpu_percent=[99.0])
    shown["errors"] = [{"kind": "connection-lost", "count": 123_456, "example": "it broke " * 40 + "at the end"}]
    text = " ".join(text_of(shown, 80).split())
    assert "123,456x connection-lost it broke" in text
    assert "at the end" in text
    assert "The load generator was the bottleneck: worker 0 used 99 % of its core (limit 90 %)." in text


def test_a_narrow_terminal_gets_fewer_percentiles_and_no_cut_figures() -> None:
    lines = text_of(document(), 60).splitlines()
    assert "ms             min   mean    p50    p90    p99  p99.9    max" in [line.rstrip() for line in lines]
    assert not any("…" in line for line in lines)


def test_a_run_in_which_nothing_was_measured_has_no_table_of_latencies() -> None:
    shown = document()
    shown["latency"] = dict.fromkeys(shown["latency"])
    assert "p99.9" not in text_of(shown)


def test_one_stream_is_no_streams() -> None:
    shown = document()
    shown["latency"]["delivery"] |= {"negative": 1, "min_ms": -3.5}
    assert "1 event arrived up to 3.500 ms before" in text_of(shown, 120)


def test_a_figure_just_below_a_power_of_ten_is_rounded_to_it() -> None:
    shown = document()
    shown["latency"]["gap"] |= {"mean_ms": 99.97, "p50_ms": 9.9999}
    (row,) = [line.split() for line in text_of(shown).splitlines() if line.startswith("gap")]
    assert row[2:4] == ["100", "10.0"]


def test_the_longest_durations_fit_into_80_columns() -> None:
    shown = document()
    for latency in filter(None, shown["latency"].values()):
        latency.update({name: 99_999.4 for name in latency if name.endswith("_ms")})
    shown["latency"]["gap"].update({name: 86_400_000 for name in shown["latency"]["gap"] if name.endswith("_ms")})
    lines = [line.split() for line in text_of(shown, 80).splitlines()]
    assert ["gap", *["86400s"] * 8] in lines
    assert ["first", "event", *["99,999"] * 8] in lines


def test_events_per_stream_are_one_number_or_a_range() -> None:
    even, uneven = Histogram(), Histogram()
    even.record({96: 500})
    uneven.record({95: 100, 98: 350, 100: 50})
    assert "4,800/s  96 per stream  2.40 MB" in text_of(document(stream_events=even))
    assert "4,800/s  98 per stream (95 to 100)  2.40 MB" in text_of(document(stream_events=uneven))


def test_the_last_gap_has_a_row_only_where_it_is_longer_than_any_before() -> None:
    short, long = Histogram(), Histogram()
    short.record({50_000: 500})
    long.record({11_000_000: 500})
    assert "open gap" not in text_of(document(open_gap=short))
    assert "open gap  11,000" in " ".join(text_of(document(open_gap=long)).split()).replace("gap 11", "gap  11")


def test_a_loss_that_is_not_known_is_not_called_zero() -> None:
    shown = document()
    shown["audit"] |= {"lost": None, "renumbered_streams": 200}
    assert "loss unknown" in text_of(shown)
    assert "0 lost" not in text_of(shown)
    shown["audit"]["lost_at_least"] = 7
    assert "at least 7 lost" in text_of(shown)


def test_findings_are_shown_and_a_field_of_the_servers_cannot_forge_lines() -> None:
    shown = document()
    shown["audit"] = None
    shown["run"]["plan"]["sequence"]["candidates"] = [{"source": "data.x\n\nall is well", "reason": "it jumps"}]
    shown["run"]["plan"]["timestamp"]["used"] = ["data.ts\nforged"]
    text = text_of(shown)
    assert "data.x\\x0a\\x0aall is well may be a sequence" in " ".join(text.split())
    assert "data.ts\\x0aforged" in text


def test_a_run_that_ended_early_says_so() -> None:
    assert "4.0 s of 10 s: no stream was left" in text_of(document(duration_ns=4_000_000_000))


def test_a_run_limited_by_the_generator_says_so() -> None:
    assert "The load generator was the bottleneck: worker 0 used 99 % of its core" in text_of(
        document(cpu_percent=[99.0]), 120
    )


def test_a_lost_worker_is_a_red_line_of_its_own() -> None:
    lost = document(planned=750, lost=250, workers_lost=1, cpu_percent=[21.0, None], duration_ns=4_000_000_000)
    text = " ".join(text_of(lost).split())
    assert "incomplete: 1 of 2 workers were lost, and with them 250 of 750 streams (see errors)" in text
    assert "500 opened 0 failed 250 lost with their worker" in text
    assert "Load generator not the bottleneck: 21 % of a core" in text
    assert "no stream was left" not in text


def test_the_bottleneck_is_unknown_if_all_workers_are_lost() -> None:
    text = text_of(document(workers_lost=1, lost=500, opened=0, cpu_percent=[None]))
    assert "Unknown whether the load generator was the bottleneck: no worker is left." in text
    assert "not the bottleneck:" not in text


def test_clock_skew_is_named() -> None:
    shown = document()
    shown["latency"]["delivery"] |= {"negative": 12, "min_ms": -3.5}
    assert "12 events arrived up to 3.500 ms before being sent" in text_of(shown, 120)


def test_a_rare_pause_of_the_generator_is_shown_without_saturation() -> None:
    shown = document()
    shown["generator"]["loop_lag"] = shown["latency"]["gap"] | {"max_ms": 208.0}
    assert "longest pause 208 ms" in text_of(shown, width=120)
    shown["generator"]["loop_lag"]["max_ms"] = 12.0
    assert "pause" not in text_of(shown)


def test_coalesced_events_are_named_when_they_matter() -> None:
    assert "same read" not in text_of(document(coalesced=480))
    assert "50 % of the events arrived in the same read" in text_of(document(coalesced=24_000))


def test_streams_that_could_not_be_opened_from_here_are_the_generators_limit() -> None:
    totals_with_errors = {"limit": ErrorCount(7, "no local port is left")}
    text = " ".join(text_of(document(errors=totals_with_errors)).split())
    assert (
        "The load generator was the bottleneck: 7 streams could not be opened from here: no local port is left." in text
    )


def test_a_field_that_is_switched_off_is_not_reported_as_missing() -> None:
    shown = document()
    shown["latency"]["delivery"] = shown["audit"] = None
    for field in ("timestamp", "sequence"):
        shown["run"]["plan"][field]["asked"] = "none"
    assert "found" not in text_of(shown)
    shown["run"]["plan"]["timestamp"]["asked"] = "data.sent"
    assert "no event has a timestamp in data.sent" in text_of(shown)


def test_text_from_the_server_cannot_reach_the_terminal_as_an_escape_sequence() -> None:
    shown = document(types=Counter({"\x1b[31m[red]evil": 48_000}))
    text = text_of(shown)
    assert "\x1b" not in text
    assert "[red]evil" in text


def test_errors_are_listed_by_kind() -> None:
    shown = document()
    shown["errors"] = [{"kind": "http-503", "count": 12, "example": "a stream was answered 503"}]
    assert "12x http-503  a stream was answered 503" in text_of(shown)


def test_a_missing_timestamp_or_sequence_names_the_option() -> None:
    shown = document()
    shown["latency"]["delivery"] = shown["audit"] = None
    assert "--timestamp" in text_of(shown)
    assert "--sequence" in text_of(shown)


def test_no_name_of_a_server_makes_a_line_of_the_report() -> None:
    forged = "x\n\nThe server is certified\x1b[31m\u2028"
    shown = document(
        types=Counter({forged: 1, "message": 47_999}),
        errors={"internal": ErrorCount(1, forged)},
        timestamp_fields={f"data.{forged}"},
        audits={f"data.{forged}": FieldAudit(Trust.POSITION, streams=500, checked=48_000)},
        encodings=Counter({forged: 1}),
        redirections=Counter({forged: 500}),
    )
    shown["run"]["target"]["method"] = shown["run"]["target"]["url"] = forged
    shown["run"]["plan"]["timestamp"]["asked"] = shown["run"]["plan"]["sequence"]["asked"] = forged
    for host in (forged, "h"):
        shown["run"]["addresses"].append({"host": host, "address": "127.0.0.2", "port": 80, "connections": 3})
    for changes in ({}, {"audit": None, "latency": {**shown["latency"], "delivery": None}}):
        text = text_of({**shown, **changes}, width=200)
        assert not any(line.startswith("The server is certified") for line in text.splitlines())
        assert "\x1b" not in text
        assert "\u2028" not in text
        assert text.count(r"x\x0a\x0aThe server is certified\x1b[31m\u2028") >= 6
