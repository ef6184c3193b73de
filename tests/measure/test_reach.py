from collections.abc import Iterable

from sseclient_cli.measure.reach import MAX_EVENTS, MAX_STREAMS, Reach, ReachSample
from sseclient_cli.sse.event_stream import Event

MS = 1_000_000
OPENING_MS = 1_000
"""The streams are opened over this time, and events are counted from there."""
END_NS = 100_000 * MS


def event(number: int, what: str = "content") -> Event:
    return Event("message", f"{what} {number}", "")


def sampled(receives: Iterable[tuple[int, int, Event]], streams: int) -> ReachSample:
    """A sample of streams that were opened one after the other; each event with its stream and its time in ms."""
    sample = ReachSample()
    bits = [sample.join(OPENING_MS * number // max(streams - 1, 1) * MS) for number in range(streams)]
    for stream, at_ms, each in receives:
        sample.take([each], bits[stream], (OPENING_MS + at_ms) * MS)
    return sample


def result_of(receives: Iterable[tuple[int, int, Event]], streams: int = 10) -> Reach | None:
    sample = sampled(receives, streams)
    sample.close(END_NS)
    return sample.result()


def broadcast(streams: int = 10, events: int = 60) -> list[tuple[int, int, Event]]:
    return [(stream, 1 + 100 * number, event(number)) for number in range(events) for stream in range(streams)]


def test_a_broadcast_that_reaches_everybody_says_so() -> None:
    assert result_of(broadcast()) == Reach(streams=10, events=60, reached_all=60, share=1.0)


def test_two_server_processes_with_a_fan_out_each_reach_half() -> None:
    receives = [(stream, at_ms, each) for stream, at_ms, each in broadcast() if stream % 2 == (at_ms // 100) % 2]
    assert result_of(receives) == Reach(streams=10, events=60, reached_all=0, share=0.5)


def test_an_event_that_one_stream_misses_has_not_reached_all() -> None:
    receives = [r for r in broadcast() if r[0] != 3 or r[1] > 101]
    assert result_of(receives) == Reach(streams=10, events=60, reached_all=58, share=1 - 2 / 600)


def test_events_for_one_user_each_are_no_broadcast() -> None:
    receives = [(number % 10, 1 + number, event(number)) for number in range(600)]
    assert result_of(receives) is None


def test_events_that_repeat_do_not_identify_themselves() -> None:
    receives = [(stream, 1 + 100 * number, event(0, "ping")) for number in range(60) for stream in range(10)]
    assert result_of(receives) is None


def test_a_script_that_each_stream_plays_by_itself_is_no_broadcast() -> None:
    receives = [
        (stream, 1 + 100 * number + 700 * stream, event(number)) for number in range(60) for stream in range(10)
    ]
    assert result_of(sorted(receives, key=lambda r: r[1])) is None


def test_what_came_before_the_last_stream_joined_or_shortly_before_the_end_does_not_count() -> None:
    sample = ReachSample()
    first = sample.join(0)
    sample.take([event(1)], first, 10 * MS)
    bits = [first, *(sample.join(90 * MS) for _ in range(9))]
    for number in range(2, 32):
        for bit in bits:
            sample.take([event(number)], bit, 100 * number * MS)
    sample.take([event(99)], first, 3_700 * MS)
    sample.close(4_201 * MS)
    assert sample.result() == Reach(streams=10, events=30, reached_all=30, share=1.0)


def test_the_sample_ends_with_the_first_stream_that_leaves() -> None:
    sample = sampled(broadcast(), 10)
    sample.leave((OPENING_MS + 2_000) * MS)
    sample.close(END_NS)
    reach = sample.result()
    assert reach is not None
    assert reach.events == 10


def test_samples_of_two_workers_are_one_sample() -> None:
    parts = []
    for part in range(2):
        receives = [(stream // 2, at, each) for stream, at, each in broadcast() if stream % 2 == part]
        if part:
            receives = [r for r in receives if r[1] < 3_000]
        parts.append(sampled(receives, 5))
        parts[-1].close(END_NS)
    parts[0].merge(parts[1])
    assert parts[0].result() == Reach(streams=10, events=60, reached_all=30, share=0.75)


def test_a_sample_is_bounded() -> None:
    sample = ReachSample()
    bits = [sample.join(0) for _ in range(MAX_STREAMS + 5)]
    assert bits[MAX_STREAMS:] == [0] * 5
    for number in range(2 * MAX_EVENTS):
        sample.take([event(number)], bits[0], number * MS)
    assert len(sample.arrivals) == MAX_EVENTS
    assert sample.until_ns == MAX_EVENTS * MS


def test_too_few_streams_or_events_prove_nothing() -> None:
    assert result_of(broadcast(streams=2), streams=2) is None
    assert result_of(broadcast(events=5)) is None


def test_nothing_is_said_where_all_streams_were_opened_at_once() -> None:
    sample = ReachSample()
    bits = [sample.join(0) for _ in range(10)]
    for stream, at_ms, each in broadcast():
        sample.take([each], bits[stream], at_ms * MS)
    sample.close(END_NS)
    assert sample.result() is None


def test_the_sample_is_spread_over_all_streams() -> None:
    sample = ReachSample(every=4)
    assert [bool(sample.join(0)) for _ in range(9)] == [True, False, False, False] * 2 + [True]


def test_streams_that_poll_one_value_are_no_broadcast() -> None:
    # A new value every 100 ms; each stream looks once a second, two of them within the life of a value.
    receives = []
    for turn in range(12):
        for stream in range(20):
            at_ms = 1000 * turn + 48 * stream
            receives.append((stream, at_ms + 1, event(at_ms // 100)))
    assert result_of(receives, streams=20) is None


def test_a_few_events_for_one_user_each_do_not_count() -> None:
    private = [(number % 10, 50 + 100 * number, event(number, "for one")) for number in range(0, 60, 12)]
    assert result_of(broadcast() + private) == Reach(streams=10, events=60, reached_all=60, share=1.0)
