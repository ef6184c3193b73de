from collections.abc import Iterable
from copy import deepcopy

import pytest

from sseclient_cli.measure.reach import MAX_EVENTS, MAX_STREAMS, Reach, ReachSample
from sseclient_cli.sse.event_stream import Event

MS = 1_000_000
OPENING_MS = 1_000
"""The streams are opened over this time. Events are counted from its end."""
END_NS = 100_000 * MS


def event(number: int, what: str = "content") -> Event:
    return Event("message", f"{what} {number}", "")


def sampled(received: Iterable[tuple[int, int, Event]], streams: int, started_ns: int = 0) -> ReachSample:
    """Return a sample of streams that were opened one after the other. ``received``: stream, time in ms, event."""
    sample = ReachSample()
    bits = [sample.join(started_ns + OPENING_MS * number // max(streams - 1, 1) * MS) for number in range(streams)]
    for stream, at_ms, each in received:
        sample.take([each], bits[stream], started_ns + (OPENING_MS + at_ms) * MS)
    return sample


def reach_of(received: Iterable[tuple[int, int, Event]], streams: int = 10) -> Reach | None:
    sample = sampled(received, streams)
    sample.close(END_NS, 0)
    return sample.result()


def broadcast(streams: int = 10, events: int = 60) -> list[tuple[int, int, Event]]:
    return [(stream, 1 + 100 * number, event(number)) for number in range(events) for stream in range(streams)]


def test_a_complete_broadcast_has_a_reach_of_one() -> None:
    assert reach_of(broadcast()) == Reach(streams=10, events=60, reached_all=60, share=1.0)


def test_two_server_processes_with_separate_fan_out_reach_half() -> None:
    received = [(stream, at_ms, each) for stream, at_ms, each in broadcast() if stream % 2 == (at_ms // 100) % 2]
    assert reach_of(received) == Reach(streams=10, events=60, reached_all=0, share=0.5)


def test_an_event_missing_on_one_stream_has_not_reached_all() -> None:
    received = [r for r in broadcast() if r[0] != 3 or r[1] > 101]
    assert reach_of(received) == Reach(streams=10, events=60, reached_all=58, share=1 - 2 / 600)


def test_events_near_the_last_join_do_not_count_if_the_clocks_of_machines_may_be_wrong_by_more() -> None:
    sample = sampled([r for r in broadcast() if r[0] != 3 or r[1] > 101], 10)
    sample.close(END_NS, 0)
    assert sample.result(150 * MS) == Reach(streams=10, events=58, reached_all=58, share=1.0)


def test_events_for_one_user_each_are_not_a_broadcast() -> None:
    received = [(number % 10, 1 + number, event(number)) for number in range(600)]
    assert reach_of(received) is None


def test_repeated_events_are_not_a_broadcast() -> None:
    received = [(stream, 1 + 100 * number, event(0, "ping")) for number in range(60) for stream in range(10)]
    assert reach_of(received) is None


def test_a_script_that_each_stream_plays_on_its_own_is_not_a_broadcast() -> None:
    received = [
        (stream, 1 + 100 * number + 700 * stream, event(number)) for number in range(60) for stream in range(10)
    ]
    assert reach_of(sorted(received, key=lambda r: r[1])) is None


def test_events_before_the_last_join_or_shortly_before_the_end_do_not_count() -> None:
    sample = ReachSample()
    first = sample.join(0)
    sample.take([event(1)], first, 10 * MS)
    bits = [first, *(sample.join(90 * MS) for _ in range(9))]
    for number in range(2, 32):
        for bit in bits:
            sample.take([event(number)], bit, 100 * number * MS)
    sample.take([event(99)], first, 3_700 * MS)
    sample.close(4_201 * MS, 0)
    assert sample.result() == Reach(streams=10, events=30, reached_all=30, share=1.0)


def test_the_sample_ends_when_the_first_stream_leaves() -> None:
    sample = sampled(broadcast(), 10)
    sample.leave((OPENING_MS + 2_000) * MS)
    sample.close(END_NS, 0)
    reach = sample.result()
    assert reach is not None
    assert reach.events == 10


@pytest.mark.parametrize("later_ns", [0, 86_400_000 * MS, -86_400_000 * MS])
def test_samples_of_two_workers_merge_into_one_whatever_their_monotonic_clocks_show(later_ns: int) -> None:
    parts = []
    for part in range(2):
        received = [(stream // 2, at, each) for stream, at, each in broadcast() if stream % 2 == part]
        if part:
            received = [r for r in received if r[1] < 3_000]
        started_ns = 90_000_000 * MS + later_ns * part
        parts.append(sampled(received, 5, started_ns))
        parts[-1].close(started_ns + END_NS, started_ns)
    parts[0].merge(parts[1])
    assert parts[0].result() == Reach(streams=10, events=60, reached_all=30, share=0.75)


def test_the_size_of_a_sample_is_limited() -> None:
    sample = ReachSample()
    bits = [sample.join(0) for _ in range(MAX_STREAMS + 5)]
    assert bits[MAX_STREAMS:] == [0] * 5
    for number in range(2 * MAX_EVENTS):
        sample.take([event(number)], bits[0], number * MS)
    assert len(sample.arrivals) == MAX_EVENTS
    assert sample.until_ns == MAX_EVENTS * MS


def test_merged_samples_keep_the_same_events_in_any_order() -> None:
    parts = [sampled([(0, number, event(number, f"of {part}")) for number in range(MAX_EVENTS)], 1) for part in "abc"]
    left, right = deepcopy(parts[0]), deepcopy(parts[2])
    for other in (parts[1], parts[2]):
        left.merge(other)
    for other in (parts[0], parts[1]):
        right.merge(other)
    assert len(left.arrivals) == MAX_EVENTS
    assert left.arrivals == right.arrivals


def test_too_few_streams_or_events_prove_nothing() -> None:
    assert reach_of(broadcast(streams=2), streams=2) is None
    assert reach_of(broadcast(events=5)) is None


def test_streams_opened_at_once_give_no_result() -> None:
    sample = ReachSample()
    bits = [sample.join(0) for _ in range(10)]
    for stream, at_ms, each in broadcast():
        sample.take([each], bits[stream], at_ms * MS)
    sample.close(END_NS, 0)
    assert sample.result() is None


def test_every_nth_stream_is_sampled() -> None:
    sample = ReachSample(every=4)
    assert [bool(sample.join(0)) for _ in range(9)] == [True, False, False, False] * 2 + [True]


def test_streams_that_poll_one_value_are_not_a_broadcast() -> None:
    # A new value every 100 ms. Each stream polls once a second, and two of them poll while a value is current.
    received = []
    for turn in range(12):
        for stream in range(20):
            at_ms = 1000 * turn + 48 * stream
            received.append((stream, at_ms + 1, event(at_ms // 100)))
    assert reach_of(received, streams=20) is None


def test_a_few_events_for_one_user_each_do_not_count() -> None:
    private = [(number % 10, 50 + 100 * number, event(number, "for one")) for number in range(0, 60, 12)]
    assert reach_of(broadcast() + private) == Reach(streams=10, events=60, reached_all=60, share=1.0)
