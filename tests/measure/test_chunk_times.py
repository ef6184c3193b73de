"""Arrivals of the chunks of an answer: a read knows only that of its last one."""

from sseclient_cli.measure.chunk_times import ChunkTimes
from sseclient_cli.measure.request_probe import Moment

MS = 1_000_000


class Answer:
    """Reads of one answer; the request was sent at 0."""

    def __init__(self) -> None:
        self.times = ChunkTimes()

    def read(self, at_ms: float, count: int = 1, spread_ms: float | None = 0.5, first_answer: int | None = 0) -> None:
        at_ns = round(at_ms * MS)
        others = Moment(at_ns, None if spread_ms is None else round(spread_ms * MS))
        self.times.take(count, first_answer, others, Moment(at_ns, 0))

    def close(self) -> ChunkTimes:
        self.times.close()
        return self.times

    @property
    def gaps_ms(self) -> list[float]:
        return [gap_us / 1_000 for gap_us in self.times.gaps_us]


def test_chunks_of_their_own_reads_have_exact_times() -> None:
    answer = Answer()
    for number in range(4):
        answer.read(300 + 20 * number)
    assert (answer.times.first_us(0), answer.times.total_us(), answer.gaps_ms) == (300_000, 60_000, [20, 20, 20])
    assert (answer.times.chunks, answer.times.together, answer.times.estimated) == (4, 0, 0)


def test_chunks_that_arrive_together_have_no_gap() -> None:
    answer = Answer()
    answer.read(300)
    answer.read(1_300, 64)
    assert (answer.gaps_ms, answer.times.together, answer.times.estimated) == ([1_000], 63, 0)


def test_gaps_of_a_late_read_are_equal_parts_of_the_time_since_the_chunk_before() -> None:
    answer = Answer()
    answer.read(300)
    answer.read(360, 3, spread_ms=70)
    answer.read(380)
    assert (answer.gaps_ms, answer.times.together) == ([20, 20, 20, 20], 0)
    assert answer.times.estimated == 2


def test_first_chunk_of_a_late_read_came_earlier_by_the_usual_gaps() -> None:
    answer = Answer()
    answer.read(340, 3, spread_ms=90)  # at 300, 320 and 340
    answer.read(360)
    answer.read(380)
    times = answer.close()
    assert (times.first_us(0), times.total_us(), times.estimated, times.together) == (300_000, 80_000, 2, 0)
    assert answer.gaps_ms == [20, 20, 20, 20]


def test_first_chunks_arrived_together_if_the_read_is_too_short_for_the_usual_gaps() -> None:
    answer = Answer()
    answer.read(340, 3, spread_ms=35)
    answer.read(360)
    answer.read(380)
    times = answer.close()
    assert (times.first_us(0), times.estimated, times.together) == (340_000, 0, 2)


def test_chunks_after_a_long_pause_arrived_together_although_they_were_read_a_little_late() -> None:
    answer = Answer()
    answer.read(300)
    answer.read(620, 16, spread_ms=12)
    assert (answer.gaps_ms, answer.times.together, answer.times.estimated) == ([320], 15, 0)


def test_first_chunk_of_an_unknown_read_has_the_time_of_the_read_if_nothing_follows() -> None:
    answer = Answer()
    answer.read(340, 3, spread_ms=None)
    assert (answer.close().first_us(0), answer.times.total_us(), answer.gaps_ms) == (340_000, 0, [])


def test_first_answer_follows_the_reasoning() -> None:
    answer = Answer()
    answer.read(300, first_answer=None)
    answer.read(320, first_answer=None)
    answer.read(340)
    answer.read(360)
    assert (answer.times.first_us(0), answer.times.first_answer_us(0)) == (300_000, 340_000)


def test_answer_without_chunks_has_no_times() -> None:
    times = ChunkTimes()
    assert (times.first_us(0), times.first_answer_us(0), times.total_us()) == (None, None, None)
    one = Answer()
    one.read(300)
    assert one.times.total_us() is None
