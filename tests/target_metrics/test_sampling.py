"""When samples are taken, and when the target has settled."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sseclient_cli.target_metrics.samples import FILES, RSS, Reading, SampleError, SourceKind, SourceSamples
from sseclient_cli.target_metrics.sampling import Sampler, is_settled, next_due_ns
from sseclient_cli.units import NS_PER_S


class ScriptedSource:
    """A source that answers with a function."""

    kind = SourceKind.PROCESS

    def __init__(self, read: Callable[[], Reading], name: str = "process 1 (test)") -> None:
        self.name = name
        self.missing: dict[str, str] = {}
        self.read = read

    def close(self) -> None:
        raise AssertionError("a sampler is for one run, its sources are for several")


def samples(*values: dict[str, float] | None) -> SourceSamples:
    """Samples at 0, 1, 2 ... ns."""
    made = SourceSamples(source="process 1 (test)", kind=SourceKind.PROCESS)
    for time_ns, reading in enumerate(values):
        if reading is None:
            made.add_failure(time_ns, "no")
        else:
            made.add(time_ns, reading)
    return made


def test_samples_lie_on_a_grid_through_the_start() -> None:
    assert [next_due_ns(after, 100, 10) for after in (85, 90, 99, 100, 101, 119)] == [90, 100, 100, 110, 110, 120]


def test_samples_begin_before_the_run_and_align_with_its_start() -> None:
    source = ScriptedSource(lambda: {RSS: 5})
    sampler = Sampler([source])
    sampler.start()
    start_ns = time.monotonic_ns() + NS_PER_S // 10
    sampler.begin(start_ns)
    time.sleep(1.3)
    made = sampler.finish(1_200_000_000, settle_s=0)
    before, *during = made.sources[0].times_ns
    assert before < start_ns <= during[0]
    assert all(time_ns >= start_ns + number * NS_PER_S for number, time_ns in enumerate(during))
    assert not made.settled


def test_slow_source_does_not_delay_another_one_nor_the_end() -> None:
    def slow() -> Reading:
        time.sleep(20)
        raise AssertionError

    fast = ScriptedSource(lambda: {RSS: 5}, "fast")
    sampler = Sampler([ScriptedSource(slow, "slow"), fast], interval_s=0.05)
    began_s = time.monotonic()
    sampler.start()
    assert sampler.problems == {"slow": "no sample yet"}
    made = sampler.finish(0, settle_s=0)
    assert time.monotonic() - began_s < 15
    assert [bool(each.times_ns) for each in made.sources] == [False, True]


def test_failed_samples_are_counted_and_the_next_ones_are_taken() -> None:
    failures: list[Exception] = [ValueError("a bug"), SampleError("refused")]

    def read() -> Reading:
        if failures:
            raise failures.pop()
        return {RSS: 1.0}

    sampler = Sampler([ScriptedSource(read)], interval_s=0.02)
    sampler.start()
    assert sampler.problems == {"process 1 (test)": "refused"}
    sampler.begin(time.monotonic_ns())
    time.sleep(0.3)
    (made,) = sampler.finish(0, settle_s=0).sources
    assert (made.failed, made.error, made.readings[:3]) == (2, "refused", [None, None, {RSS: 1.0}])


def test_sampling_goes_on_until_the_files_are_back() -> None:
    reads = iter([7, *[107] * 5])
    sampler = Sampler([ScriptedSource(lambda: {FILES: next(reads, 7)})], interval_s=0.1)
    sampler.start()
    sampler.begin(time.monotonic_ns() + 1)
    time.sleep(0.15)
    made = sampler.finish(150_000_000, settle_s=30)
    (source,) = made.sources
    assert made.settled
    assert source.readings[-1] == {FILES: 7}
    assert source.times_ns[-1] > made.end_ns


def test_sampling_ends_at_the_time_limit_if_files_stay_open() -> None:
    reads = iter([7])
    sampler = Sampler([ScriptedSource(lambda: {FILES: next(reads, 107)})])
    sampler.start()
    sampler.begin(time.monotonic_ns())
    made = sampler.finish(1, settle_s=0.7)
    assert made.settled
    assert made.sources[0].readings[-1] == {FILES: 107}


BACK = {FILES: 7.0, RSS: 100.0}


@pytest.mark.parametrize(
    ("values", "settled"),
    [
        ([BACK, BACK], True),
        ([BACK, {FILES: 8, RSS: 100}], False),
        ([BACK, {FILES: 6, RSS: 101}], True),
        ([BACK, {FILES: 7, RSS: 150}], False),
        ([BACK, *[{FILES: 7, RSS: 150}] * 3], False),
        ([BACK, *[{FILES: 7, RSS: 150}] * 4], True),
        ([BACK, *({FILES: 7, RSS: float(rss)} for rss in (190, 180, 170, 160))], False),
        ([BACK, None], True),
        ([None, {FILES: 8}], True),
    ],
)
def test_target_has_settled_when_files_are_back_and_memory_is_back_or_steady(
    values: list[dict[str, float] | None], settled: bool
) -> None:
    assert is_settled(samples(*values), start_ns=1, ended_ns=0) is settled


def test_target_without_a_sample_after_the_run_has_not_settled() -> None:
    assert not is_settled(samples(BACK, BACK), start_ns=1, ended_ns=5)
