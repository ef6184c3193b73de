"""Figures by name: the same list serves assertions, comparisons and exports."""

import socket

import pytest
from report_json import built

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report.figures import figure_named, figures
from sseclient_cli.report.model import Report
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan


def _report(totals: Totals) -> Report:
    resolved = ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80)))
    return built(Plan(connections=1, duration_s=1, ramp_up_s=0), (resolved,), totals)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("latency.delivery.p99_ms", "latency.delivery.p99_ms"),
        ("delivery.p99", "latency.delivery.p99_ms"),
        ("gap.p99", "latency.gap.p99_ms"),
        ("audit.lost", "audit.lost"),
        ("failed", "streams.failed"),
        ("events.per_s", "events.per_s"),
        ("delivery.p75", "latency.delivery.p75"),
        ("delivery.p99.5", "latency.delivery.p99.5"),
    ],
)
def test_name_is_the_end_of_a_path(name: str, path: str) -> None:
    assert figure_named(name).path == path


@pytest.mark.parametrize(
    ("name", "near"),
    [("delivry.p99", "delivery.p99"), ("streams.fialed", "streams.failed"), ("audit.missing.lost", "audit.lost")],
)
def test_unknown_name_lists_near_names(name: str, near: str) -> None:
    with pytest.raises(UsageError, match="no figure is named") as raised:
        figure_named(name)
    assert near in str(raised.value)


def test_ambiguous_name_lists_the_paths() -> None:
    with pytest.raises(UsageError, match=r"'lost' may be streams.lost or audit.lost"):
        figure_named("lost")


def test_each_figure_is_found_by_its_short_name() -> None:
    for figure in figures():
        assert figure_named(figure.name) == figure
        assert figure_named(figure.path) == figure


def test_lists_and_evidence_are_no_figures() -> None:
    paths = {figure.path for figure in figures()}
    assert "streams.failed" in paths
    assert not paths & {"events.by_type", "generator.cpu_percent", "run.plan.retry_statuses", "evidence.reads"}


def test_any_percentile_comes_from_the_histogram() -> None:
    totals = Totals(planned=1)
    totals.latencies[Latency.DELIVERY].record(dict.fromkeys(range(1000, 101_000, 1000), 1))
    report = _report(totals)
    assert figure_named("delivery.p75").value(report) == pytest.approx(75, rel=0.002)
    assert figure_named("delivery.p50").value(report) == pytest.approx(50, rel=0.002)


@pytest.mark.parametrize(
    ("name", "percentile"),
    [("p100", 100), ("p5", 5), ("p05", 5), ("p75", 75), ("p995", 99.5), ("p99.5", 99.5), ("p99999", 99.999)],
)
def test_percentile_is_written_as_in_the_report_or_with_a_point(name: str, percentile: float) -> None:
    assert figure_named(f"delivery.{name}").percentile == percentile


@pytest.mark.parametrize("name", ["p101", "p200", "p755", "p.5", "p"])
def test_percentile_above_100_is_unknown(name: str) -> None:
    with pytest.raises(UsageError, match="no figure is named"):
        figure_named(f"delivery.{name}")


def test_100th_percentile_is_the_maximum() -> None:
    totals = Totals(planned=1)
    totals.latencies[Latency.DELIVERY].record({11: 10, 487: 1})
    report = _report(totals)
    assert figure_named("delivery.p100").value(report) == figure_named("delivery.max").value(report) == 0.487


def test_absent_figure_has_a_reason_and_no_value() -> None:
    report = _report(Totals(planned=1, opened=1, events=1))
    for name, reason in (("delivery.p99", "no event has a timestamp"), ("audit.lost", "no sequence number")):
        assert figure_named(name).value(report) is None
        assert reason in figure_named(name).absence(report)
