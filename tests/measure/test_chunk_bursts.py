"""Chunks that a gateway held back, and chunks that a fast model sends."""

from sseclient_cli.measure.chunk_bursts import LEAST_BURST, ChunkBursts

MS = 1_000_000


def found(*reads: tuple[int, float], spread_ms: float | None = 0.5) -> list[tuple[int, int]]:
    """Return the bursts of reads of ``count`` chunks at ``at_ms``; the request was sent at 0."""
    bursts = ChunkBursts()
    for count, at_ms in reads:
        bursts.take(count, round(at_ms * MS), None if spread_ms is None else round(spread_ms * MS), 0)
    bursts.close()
    return bursts.found


def test_groups_of_chunks_are_bursts_with_the_pause_before_each() -> None:
    assert found((64, 1_500), (64, 2_780), (32, 4_060)) == [(64, 1_500_000), (64, 1_280_000), (32, 1_280_000)]


def test_one_burst_may_take_several_reads() -> None:
    assert found((40, 1_000), (24, 1_000.6)) == [(64, 1_000_000)]


def test_chunks_that_come_one_by_one_are_no_burst() -> None:
    assert found(*((1, 300 + 20 * number) for number in range(64))) == []


def test_a_model_with_a_chunk_or_two_per_millisecond_is_no_burst() -> None:
    assert found(*((1, 300 + number) for number in range(200))) == []
    assert found(*((2, 300 + number) for number in range(200))) == []


def test_the_tokens_that_speculative_decoding_accepts_at_once_are_no_burst() -> None:
    assert found(*((LEAST_BURST - 1, 300 + 60 * number) for number in range(20))) == []


def test_chunks_that_were_read_late_are_no_burst() -> None:
    late = [(10, 300 + 200 * number) for number in range(5)]
    assert found(*late, spread_ms=200) == []
    assert found(*late, spread_ms=None) == []
    assert len(found(*late)) == 5
