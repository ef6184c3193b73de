import json
import socket
from array import array

import pytest
from report_json import ReportJson, built, json_of, validate

from sseclient_cli.client.preflight import Preflight
from sseclient_cli.engine.endpoint import Endpoint
from sseclient_cli.engine.reads import Reads
from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.samples import Latency, Samples
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan

PLAN = Plan(connections=2, duration_s=10, ramp_up_s=1, timestamp=Field(("ts",)))
TARGET = Target.parse("http://example.com/x", headers=["Cookie: a=b"], bearer="hush")


def totals() -> Totals:
    recorder = Samples()
    recorder.events = 4
    reads = Reads()
    reads.body_bytes = 400
    recorder.types["message"] += 4
    recorder.delivery = array("q", [100, 200, 300, 4000])
    reads.delay_us = array("q", [10, 10, 20, 20])
    made = Totals(planned=2, opened=1, open_now=1, peak_open=1, duration_ns=10_000_000_000, cpu_percent=[12.34])
    made.timestamp_fields = {"data.ts"}
    made.fold(recorder, reads, 3)
    made.failed = 1
    made.count_error("http-503", "a stream was answered 503", 1)
    return made


def document(of: Totals) -> ReportJson:
    resolved = ResolvedTarget(TARGET, Address(socket.AF_INET, ("127.0.0.1", 80)))
    made = json_of(built(PLAN, (resolved,), of, started_at_s=1_790_000_000.5))
    validate(made)
    return made


def test_a_report_has_measurements_in_milliseconds() -> None:
    made = document(totals())
    assert made["schema"] == 2
    assert made["run"]["started_at"] == "2026-09-21T14:13:20.500000Z"
    assert made["run"]["plan"]["timestamp"] == {
        "asked": "data.ts",
        "used": ["data.ts"],
        "in_the_future": [],
    }
    delivery = made["latency"]["delivery"]
    assert (delivery["count"], delivery["min_ms"], delivery["mean_ms"], delivery["max_ms"]) == (4, 0.1, 1.15, 4.0)
    assert (delivery["p50_ms"], delivery["p99_ms"]) == (0.2, 4.0)
    assert made["events"]["per_s"] == 0.4
    assert made["errors"] == [{"kind": "http-503", "count": 1, "example": "a stream was answered 503"}]
    timeline = made["timeline"]
    assert [row["t_s"] for row in timeline] == [0, 1, 2, 3]
    assert [row["events"] for row in timeline] == [0, 0, 0, 4]
    assert [row["errors"] for row in timeline] == [0, 1, 0, 0]
    assert timeline[3]["delivery_p50_ms"] == pytest.approx(0.2, rel=0.01)
    assert timeline[2]["delivery_p50_ms"] is None


def test_a_report_says_how_the_load_reached_the_server() -> None:
    made = totals()
    made.connections.update({Endpoint("example.com", "127.0.0.1", 80): 2, Endpoint("example.com", "127.0.0.2", 80): 0})
    made.connections[Endpoint(None, "/run/sse", None)] = 1
    run = document(made)["run"]
    assert (run["preflight"], run["redirections"], run["target"]["redirected_to"]) == (None, [], None)
    assert run["addresses"] == [
        {"host": "example.com", "address": "127.0.0.1", "port": 80, "connections": 2},
        {"host": "example.com", "address": "127.0.0.2", "port": 80, "connections": 0},
        {"host": None, "address": "/run/sse", "port": None, "connections": 1},
    ]
    resolved = ResolvedTarget(TARGET, Address(socket.AF_INET, ("127.0.0.1", 80)))
    with_preflight = json_of(built(PLAN, (resolved,), made, 0, Preflight((resolved, resolved), 2)))
    validate(with_preflight)
    assert with_preflight["run"]["preflight"] == {"requests": 2, "status": 200, "closed": True}


def test_the_load_is_where_redirects_led_most_streams_and_not_where_they_led_the_preflight() -> None:
    chain = tuple(
        ResolvedTarget(Target.parse(f"http://{host}/x?token=hush"), Address(socket.AF_INET, ("127.0.0.1", 80)))
        for host in "ab"
    )
    led, straight, unopened = totals(), totals(), totals()
    for url in ("http://c/", "http://d/", "http://d/"):
        led.count_redirection(url)
    unopened.opened = 0
    urls = [built(PLAN, chain, made, 0).run.target.redirected_to for made in (led, straight, unopened)]
    assert urls == ["http://d/", None, "http://b/x?token=REDACTED"]
    entries = json_of(built(PLAN, chain, led, 0))["run"]["redirections"]
    assert entries == [{"url": "http://d/", "streams": 2}, {"url": "http://c/", "streams": 1}]


def test_a_long_run_has_longer_rows_and_not_more_of_them() -> None:
    assert Plan(connections=1, duration_s=900, ramp_up_s=0).interval_s == 1
    assert Plan(connections=1, duration_s=3600, ramp_up_s=0).interval_s == 4


def test_a_figure_that_was_not_measured_is_null() -> None:
    made = document(Totals(planned=2, cpu_percent=[1.0]))
    assert set(made["latency"].values()) == {None}
    assert made["audit"] is None
    assert made["events"]["per_s"] is None
    assert made["generator"]["read_delay"] is None


def test_streams_that_neither_opened_nor_failed_are_accounted_for() -> None:
    assert document(Totals(planned=9, opened=5, failed=1, cpu_percent=[1.0]))["streams"]["unfinished"] == 3


def test_a_lost_worker_makes_the_run_incomplete_and_its_streams_are_accounted_for() -> None:
    made, lost = totals(), Totals(planned=7, lost=7, workers_lost=1, cpu_percent=[None])
    lost.count_error("worker-lost", "worker 1 of 2 was killed", 2)
    made.merge(lost)
    shown = document(made)
    assert (shown["run"]["incomplete"], shown["run"]["workers"], shown["run"]["workers_lost"]) == (True, 2, 1)
    streams = shown["streams"]
    assert (streams["planned"], streams["lost"], streams["unfinished"]) == (9, 7, 0)
    assert shown["generator"]["cpu_percent"] == [12.3, None]
    assert not document(totals())["run"]["incomplete"]


def test_the_receive_queue_is_in_bytes() -> None:
    made = totals()
    assert document(made)["generator"]["receive_queue"] is None
    made.receive_queue.record({0: 97, 700: 1, 90_000: 2})
    queue = document(made)["generator"]["receive_queue"]
    assert (queue["count"], queue["p50_bytes"], queue["max_bytes"]) == (100, 0, 90_000)
    assert queue["p99_bytes"] == pytest.approx(90_000, rel=0.001)


def test_streams_stay_open_in_rows_of_the_timeline_in_which_nothing_happened() -> None:
    made = Totals(planned=2, opened=2, open_now=2, cpu_percent=[1.0])
    made.fold(Samples(), Reads(), 0)
    made.open_now = 1
    made.fold(Samples(), Reads(), 3)
    assert [row["open"] for row in document(made)["timeline"]] == [2, 2, 2, 1]


def test_latencies_are_by_kernel_timestamp_only_if_almost_all_reads_have_one() -> None:
    few, many = totals(), totals()
    few.reads, few.stamped_reads = 1000, 990
    many.reads, many.stamped_reads = 1000, 989
    assert document(few)["latency"]["delivery"]["stamp"] == "kernel"
    assert document(many)["latency"]["delivery"]["stamp"] == "user"


def test_the_connect_latency_is_never_by_kernel_timestamp() -> None:
    made = totals()
    made.latencies[Latency.CONNECT].record({50: 1})
    assert document(made)["latency"]["connect"]["stamp"] == "user"


def test_secrets_never_enter_a_report() -> None:
    text = json.dumps(document(totals()))
    assert "hush" not in text
    assert "a=b" not in text


def test_negative_deliveries_are_counted_and_their_percentiles_are_null() -> None:
    made = totals()
    made.latencies[Latency.DELIVERY].record({-50: 10})
    delivery = document(made)["latency"]["delivery"]
    assert (delivery["negative"], delivery["min_ms"], delivery["p50_ms"], delivery["p99_ms"]) == (10, -0.05, None, 4.0)
