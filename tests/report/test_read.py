"""Reports are read back as they were written."""

import json
import socket

import pytest
from report_json import built, json_of

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report.model import Report
from sseclient_cli.report.read import from_json, to_json
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan


def report() -> Report:
    totals = Totals(planned=2, opened=2, duration_ns=10**9, cpu_percent=[1.0], events=3)
    totals.latencies[Latency.GAP].record({100: 1, 330: 2})
    totals.count_error("dns", "no such host", 0)
    hop = ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80)))
    return built(
        Plan(connections=2, duration_s=1, ramp_up_s=0),
        (hop,),
        totals,
        1_790_000_000.123456,
    )


def test_a_report_is_read_back_as_it_was_written() -> None:
    assert from_json(to_json(report()), "run.json") == report()


def test_fields_of_later_versions_are_ignored() -> None:
    document = json_of(report())
    document["streams"]["invented_later"] = 1
    assert from_json(json.dumps(document), "run.json") == report()


def test_means_are_not_rounded() -> None:
    gap = report().latency.gap
    assert gap is not None
    assert gap.mean_ms * gap.count == pytest.approx(0.76, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "run.json is not a report: it is not JSON"),
        ("[]", "run.json is not a report: it has no schema number"),
        ('{"schema": "2"}', "it has no schema number"),
        ('{"schema": 3}', "run.json has schema 3, but this version reads only schema 2"),
        ('{"schema": 2}', "run.json is not a valid report: tool: Field required"),
    ],
)
def test_an_invalid_report_is_an_error_that_names_the_file(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=r"run\.json") as caught:
        from_json(text, "run.json")
    assert words in str(caught.value)


def test_a_figure_that_is_out_of_range_does_not_cost_the_report() -> None:
    hop = ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80)))
    wrong = Totals(planned=1, opened=2, duration_ns=10**9, cpu_percent=[1.0])
    made = built(Plan(connections=1, duration_s=1, ramp_up_s=0), (hop,), wrong, 0)
    assert made.streams.unfinished == -1
