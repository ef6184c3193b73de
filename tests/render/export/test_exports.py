"""Reports in the formats of other programs, read back by other readers."""

import csv
import socket
from collections import Counter
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from report_json import built

from sseclient_cli.errors import OutputError
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import ErrorCount, Totals
from sseclient_cli.render.export.hgrm import hgrm
from sseclient_cli.render.export.junit import junit
from sseclient_cli.render.export.openmetrics import openmetrics
from sseclient_cli.render.export.timeline_csv import timeline_csv
from sseclient_cli.report.assertions import Assertion, judged
from sseclient_cli.report.model import Report
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan

HOSTILE = "</failure>\x1b[31m\ud800\"'&]]>\u202e"


def _report(*assertions: str, url: str = "http://h/x", **changes: Any) -> Report:
    totals = Totals(planned=2, opened=2, open_now=2, duration_ns=2_000_000_000, cpu_percent=[10.0])
    totals.latencies[Latency.DELIVERY].record({1_000: 90, 2_000: 9, 50_000: 1})
    totals.events = 100
    row = totals.interval(1)
    row.events, row.open_change, row.delivery = 100, 2, Counter({1_000: 90, 2_000: 9, 50_000: 1})
    row.worker_ns = 1_000_000_000
    for name, value in changes.items():
        setattr(totals, name, value)
    hop = ResolvedTarget(Target(url=url), Address(socket.AF_INET, ("127.0.0.1", 80)))
    made = built(Plan(connections=2, duration_s=2, ramp_up_s=0), (hop,), totals)
    return made.model_copy(update={"assertions": judged(made, [Assertion.parse(each) for each in assertions])})


def test_csv_has_a_line_for_each_row_and_empty_cells_for_absent_figures() -> None:
    lines = list(csv.DictReader(StringIO(timeline_csv(_report()))))
    assert [line["t_s"] for line in lines] == ["0", "1"]
    assert (lines[0]["events"], lines[0]["delivery_p50_ms"], lines[0]["cpu_percent"]) == ("0", "", "")
    assert (lines[1]["events"], lines[1]["delivery_p50_ms"]) == ("100", "1.0")


def test_junit_has_a_case_for_the_run_and_for_each_assertion() -> None:
    suite = ElementTree.fromstring(junit(_report("delivery.p50 < 5ms", "delivery.max < 5ms", "audit.lost == 0")))[0]
    failed = {case.get("name"): case.find("failure") is not None for case in suite.iter("testcase")}
    assert failed == {
        "the run completed": False,
        "delivery.p50 < 5ms": False,
        "delivery.max < 5ms": True,
        "audit.lost == 0": True,
    }
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "0")
    messages = [failure.get("message") or "" for failure in suite.iter("failure")]
    assert "50" in messages[0]
    assert "not measured because no sequence number" in messages[1]


def test_junit_fails_a_run_without_a_stream() -> None:
    report = _report(opened=0, open_now=0, errors={"connect-refused": ErrorCount(2, HOSTILE)})
    suite = ElementTree.fromstring(junit(report))[0]
    assert suite.get("failures") == "1"
    (failure,) = suite.iter("failure")
    assert failure.get("message") == "none of 2 streams opened"


def test_junit_is_well_formed_with_any_text() -> None:
    errors = {"connect-refused": ErrorCount(2, HOSTILE)}
    text = junit(_report(url=f"http://h/{HOSTILE}", opened=0, open_now=0, errors=errors))
    suite = ElementTree.fromstring(text.encode("utf-8"))[0]
    assert "\x1b" not in text
    assert [child.tag for child in suite] == ["properties", "testcase", "system-out", "system-err"]


def test_hgrm_has_the_percentiles_of_delivery_in_ms() -> None:
    rows = [line.split() for line in hgrm(_report()).splitlines() if line.strip() and line.lstrip()[0].isdigit()]
    assert float(rows[0][0]) == pytest.approx(1, rel=0.01)
    assert float(rows[-1][0]) == pytest.approx(50, rel=0.01)
    assert rows[-1][2] == "100"


def test_hgrm_without_the_latency_says_why() -> None:
    with pytest.raises(OutputError, match="tls was not measured, because no TLS handshake took place"):
        hgrm(_report(), "tls")


def test_openmetrics_are_read_by_the_parser_of_prometheus() -> None:
    report = _report(url='http://h/"\\x', errors={"dns": ErrorCount(3, "x")})
    text = openmetrics(report)
    families = {family.name: family for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
    assert text.endswith("# EOF\n")
    (errors,) = families["sse_errors"].samples
    assert (errors.labels["kind"], errors.labels["target"], errors.value) == ("dns", report.run.target.url, 3)
    quantiles = {
        sample.labels["quantile"]: sample.value for sample in families["sse_latency_delivery_quantile_seconds"].samples
    }
    assert quantiles["0.5"] == pytest.approx(0.001, rel=0.01)
    assert "sse_audit_lost" not in families  # it was not measured
