"""The figures of the target's own metrics, from samples and a timeline without I/O."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from report_json import built

from sseclient_cli.measure.totals import Interval, Totals
from sseclient_cli.report.merge import merged
from sseclient_cli.report.model import Report
from sseclient_cli.report.read import from_json, to_json
from sseclient_cli.report.target_build import unit_of, with_target_metrics
from sseclient_cli.report.target_model import TargetMetrics
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan
from sseclient_cli.target_metrics.samples import CPU, FILES, RSS, SourceKind, SourceSamples, TargetSamples
from sseclient_cli.units import NS_PER_S

Row = tuple[float, dict[str, float] | None]


def report(changes: list[int] | None = None) -> Report:
    """A run of 4 s; ``changes`` are those of the number of open streams in each second."""
    timeline = {second: Interval(open_change=change) for second, change in enumerate(changes or [50, 50, 0, 0])}
    totals = Totals(planned=100, opened=100, peak_open=100, duration_ns=4 * NS_PER_S, timeline=timeline)
    hop = ResolvedTarget(Target(url="http://h/x"), Address(socket.AF_INET, ("127.0.0.1", 80)))
    return built(Plan(connections=100, duration_s=4, ramp_up_s=1), (hop,), totals)


def source(*rows: Row, kind: SourceKind = SourceKind.PROCESS, name: str = "process 7 (x)") -> SourceSamples:
    made = SourceSamples(source=name, kind=kind)
    for t_s, reading in rows:
        time_ns = 1000 * NS_PER_S + round(t_s * NS_PER_S)
        if reading is None:
            made.add_failure(time_ns, "refused")
        else:
            made.add(time_ns, reading)
    return made


def built_from(*sources: SourceSamples, settled: bool = True, **others: Any) -> TargetMetrics:
    return target_of(with_samples(*sources, settled=settled, **others))


def with_samples(*sources: SourceSamples, settled: bool = True, **others: Any) -> Report:
    start_ns = 1000 * NS_PER_S
    samples = TargetSamples(start_ns=start_ns, end_ns=start_ns + 4 * NS_PER_S, settled=settled, sources=sources)
    return with_target_metrics(report(**others), samples)


def target_of(report: Report) -> TargetMetrics:
    assert report.target_metrics is not None
    return report.target_metrics


def rss(*values: tuple[float, float]) -> list[Row]:
    return [(t_s, {RSS: value}) for t_s, value in values]


SAMPLES = rss((-0.4, 1000), (0.01, 9999), (1, 30_000), (2, 41_000), (3, 41_400), (4.02, 20_000), (5, 1500))


def test_memory_per_stream_is_the_rise_to_the_steady_part_by_open_stream() -> None:
    memory = built_from(source(*SAMPLES)).memory
    assert memory is not None
    # At 2 s and 3 s, 100 streams were open; at 1 s there were 50, and at 4 s they were being closed.
    assert (memory.before_bytes, memory.steady_bytes, memory.peak_bytes, memory.after_bytes) == (
        *(1000, 41_200, 41_400),
        1500,
    )
    assert memory.per_stream_bytes == 402.0
    assert memory.kept_bytes == 500


def test_without_a_sample_after_the_run_nothing_is_known_of_what_it_keeps() -> None:
    target = built_from(source(*SAMPLES), settled=False)
    assert target.memory is not None
    assert (target.memory.after_bytes, target.memory.kept_bytes, target.sampled_after_s) == (None, None, None)


def test_failed_last_sample_leaves_the_one_before_it() -> None:
    memory = built_from(source(*SAMPLES[:-1], (5, {RSS: 1700}), (5.5, None))).memory
    assert memory is not None
    assert memory.after_bytes == 1700


def test_without_a_sample_before_the_run_there_are_no_figures_but_series() -> None:
    target = built_from(source((-0.4, None), *SAMPLES[1:]))
    assert (target.memory, target.files, target.cpu) == (None, None, None)
    (series,) = target.sources[0].series
    assert series.values[:2] == [None, 9999]
    assert target.sources[0].t_s[:2] == [-0.4, 0.01]
    assert (target.sources[0].failed, target.sources[0].error) == (1, "refused")


def test_run_without_streams_has_no_memory_per_stream() -> None:
    memory = built_from(source(*SAMPLES), changes=[0, 0, 0, 0]).memory
    assert memory is not None
    assert (memory.steady_bytes, memory.per_stream_bytes) == (None, None)


def test_two_processes_are_added_and_an_endpoint_beside_them_is_not() -> None:
    other = source(*rss((-0.38, 500), (0.01, 500), (1.1, 500), (2.1, 700), (3.1, 700), (5, 500)))
    scraped = source(*SAMPLES, kind=SourceKind.ENDPOINT, name="http://h/metrics")
    memory = built_from(source(*SAMPLES), other, scraped).memory
    assert memory is not None
    assert (memory.before_bytes, memory.steady_bytes, memory.after_bytes) == (1500, 41_900, 2000)
    alone = built_from(scraped).memory
    assert alone is not None
    assert alone.before_bytes == 1000


def test_series_with_labels_are_added() -> None:
    rows: list[Row] = [(t_s, {f'{FILES}{{w="1"}}': 3, f'{FILES}{{w="2"}}': 4 + t_s}) for t_s in (-1, 1, 2, 5)]
    files = built_from(source(*rows, kind=SourceKind.ENDPOINT)).files
    assert files is not None
    assert (files.before, files.peak, files.after, files.kept) == (6, 12, 12, 6)


def test_cpu_is_that_during_the_run() -> None:
    rows: list[Row] = [(t_s, {CPU: cpu_s}) for t_s, cpu_s in ((-9, 1), (0.0, 5), (1, 5.5), (2, 7), (4, 7.2), (5, 9))]
    cpu = built_from(source(*rows)).cpu
    assert cpu is not None
    assert (cpu.mean_percent, cpu.peak_percent) == (55.0, 150.0)


def test_counter_that_was_restarted_has_no_negative_cpu() -> None:
    rows: list[Row] = [(t_s, {CPU: cpu_s}) for t_s, cpu_s in ((0.0, 50), (2, 51), (4, 1))]
    cpu = built_from(source(*rows)).cpu
    assert cpu is not None
    assert (cpu.mean_percent, cpu.peak_percent) == (25.0, 50.0)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        (RSS, "bytes"),
        (CPU, "s"),
        (FILES, ""),
        ('queue_wait_seconds{q="a_bytes"}', "s"),
        ("sent_bytes_total", "bytes"),
        ("hit_ratio", "ratio"),
    ],
)
def test_unit_comes_from_the_end_of_the_name(name: str, unit: str) -> None:
    assert unit_of(name) == unit


@pytest.mark.parametrize(("after", "is_found"), [(9, False), (10, True), (57, True)])
def test_files_that_stay_open_are_a_finding_from_three(after: int, is_found: bool) -> None:
    rows: list[Row] = [(-0.4, {FILES: 7}), (2, {FILES: 107}), (5, {FILES: after})]
    codes = [finding.code for finding in with_samples(source(*rows)).findings]
    assert codes == (["target-keeps-files"] if is_found else [])


@pytest.mark.parametrize(("kept_mib", "peak_mib", "is_found"), [(19, 20, False), (30, 80, False), (50, 80, True)])
def test_memory_that_stays_is_a_finding_if_it_is_much_of_the_rise(kept_mib: int, peak_mib: int, is_found: bool) -> None:
    mib = 1024**2
    rows = rss((-0.4, 100 * mib), (2, (100 + peak_mib) * mib), (5, (100 + kept_mib) * mib))
    codes = [finding.code for finding in with_samples(source(*rows)).findings]
    assert codes == (["target-keeps-memory"] if is_found else [])


def test_report_keeps_the_samples_as_json_and_a_merged_one_has_none() -> None:
    made = with_samples(source(*SAMPLES))
    assert from_json(to_json(made), "a") == made
    assert merged(made, made).target_metrics is None
