"""Findings on the machines of a cluster."""

from typing import Any

import pytest
from report_json import report_of
from run_reports import host, usual_run

from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.render.verdict import missing_workers
from sseclient_cli.report.comparison import comparison_of
from sseclient_cli.report.host_findings import host_findings
from sseclient_cli.report.hosts_build import clock_uncertainty_ns
from sseclient_cli.report.model import Finding


def found(*hosts: HostTotals, **changes: Any) -> dict[str, Finding]:
    made = usual_run(hosts={f"node-{number}": each for number, each in enumerate(hosts, 1)}) | changes
    return {each.code: each for each in host_findings(report_of(made))}


def test_a_host_whose_clock_differs_is_named_with_its_offset_and_bound() -> None:
    figures = found(host(), host(offset_us=-512_250), host(offset_us=3_000))["host-clocks-differ"].figures
    assert figures == {
        "hosts": 2,
        "largest": [
            {"host": "node-2", "offset_ms": -512.25, "bound_ms": 0.085},
            {"host": "node-3", "offset_ms": 3.0, "bound_ms": 0.085},
        ],
        "has_delivery": True,
    }


@pytest.mark.parametrize(
    "facts",
    [
        {"offset_us": 90},  # less than the scheduler of a machine adds
        {"offset_us": 5_000, "clock_bound_ns": 6_000_000},  # less than its bound
        {"offset_us": 5_000, "clock_bound_ns": None, "clock_offset_ns": None},
    ],
)
def test_a_small_or_unknown_offset_is_no_finding(facts: dict[str, Any]) -> None:
    assert not found(host(), host(**facts))


def test_an_offset_that_is_small_against_delivery_is_no_finding() -> None:
    report = usual_run()
    slow = report["latency"]["delivery"] | {"p50_ms": 1_000.0}
    assert not found(host(), host(offset_us=40_000), latency=report["latency"] | {"delivery": slow})


def test_without_timestamps_clocks_do_not_matter() -> None:
    assert not found(host(offset_us=512_250), latency=usual_run()["latency"] | {"delivery": None})


def test_corrected_clocks_leave_their_bound() -> None:
    codes = found(host(is_corrected=True), host(offset_us=512_250, is_corrected=True, clock_bound_ns=250_000))
    assert set(codes) == {"host-clock-bound"}
    assert codes["host-clock-bound"].figures == {
        "delivery": True, "fanout": False, "bound_ms": 0.25, "host": "node-2",
    }  # fmt: skip


def test_a_run_without_a_cluster_has_no_such_finding() -> None:
    assert not found()


def test_lost_workers_are_named_by_their_hosts() -> None:
    made = usual_run(hosts={"node-1": host(), "node-2": host(lost=2), "node-3": host(lost=1)})
    assert missing_workers(report_of(made)) == (
        "This report is incomplete: 3 of 6 workers were lost, and with them 750 of 1,500 streams (see errors): node-2 "
        "lost 2 of 2 workers and 500 streams, node-3 lost 1 of 2 workers and 250 streams."
    )


def notes(*runs: dict[str, HostTotals]) -> list[str]:
    reports = [report_of(usual_run(hosts=hosts)) for hosts in runs]
    made = comparison_of(reports, ["a.json", "b.json"]).notes
    return [note for note in made if "host" in note or "machine" in note]


def test_a_comparison_says_how_the_hosts_differ() -> None:
    one, two = {"node-1": host()}, {"node-1": host(), "node-2": host(number=2)}
    assert notes(one, {"node-7": host(opened=3)}) == []
    assert notes(one, two) == ["the hosts differ: 1 in a.json, 2 in b.json"]
    assert notes(one, {"node-1": host(python="3.12.1")}) == [
        "a.json and b.json were measured on different machines or Python versions"
    ]


def test_a_comparison_says_that_delivery_contains_differences_of_clocks() -> None:
    wrong, right = ({"node-1": host(offset_us=9_000, is_corrected=is_corrected)} for is_corrected in (False, True))
    assert notes(right, wrong) == [
        "b.json: the clocks of its hosts differ, and its delivery contains the difference",
        "the clocks of the hosts were corrected in a.json only",
    ]


def test_the_reach_needs_clocks_that_were_compared() -> None:
    totals = Totals(hosts={"a": host()})
    assert clock_uncertainty_ns(totals) == 0, "the processes of one machine share its clock"
    totals.hosts["b"] = host(clock_bound_ns=250_000)
    assert clock_uncertainty_ns(totals) == 500_000
    totals.hosts["c"] = host(clock_bound_ns=None)
    assert clock_uncertainty_ns(totals) is None
