"""Which deliveries are expected, and which happened: by receipts and publications alone, without a clock."""

import pickle
import random
from collections.abc import Iterable

import pytest

from sseclient_cli.measure.fanout_judge import LATE_NS, SETTLED_NS, judged
from sseclient_cli.measure.fanout_totals import MAX_MISSING, FanoutTotals, PublisherFacts, Shortfall
from sseclient_cli.measure.publications import Publication
from sseclient_cli.measure.receipts import Receipts
from sseclient_cli.measure.totals import Totals

MS = 1_000_000
GRACE_NS = 1_000 * MS
FACTS = PublisherFacts(url="http://h/p", method="POST", rate_per_s=5, first_s=1, last_s=9, grace_s=GRACE_NS / 1e9)
END_NS = 60_000 * MS


def sent_ns(number: int) -> int:
    return (10_000 + 200 * number) * MS


def published(count: int, *, failed: Iterable[int] = ()) -> list[Publication]:
    return [
        Publication(
            number=number,
            due_ns=sent_ns(number),
            began_ns=sent_ns(number),
            sent_ns=sent_ns(number),
            took_us=900,
            kind="http-500" if number in failed else "",
            message="an error" if number in failed else "",
        )
        for number in range(1, count + 1)
    ]


def add_stream(
    receipts: Receipts, number: int, received: Iterable[int], *connections: tuple[int, int], delay_us: int = 500
) -> None:
    """Add a stream that received these events, ``delay_us`` after their publication."""
    stream = receipts.stream(number)
    assert stream is not None
    stream.connections += connections or [(0, END_NS)]
    for event in received:
        if stream.take(event):
            receipts.arrived(event, delay_us, sent_ns(event) + delay_us * 1000)
            stream.timed += 1
            stream.delay_sum_us += delay_us
            stream.delay_max_us = max(stream.delay_max_us, delay_us)
    receipts.fold(0)


def judge(receipts: Receipts, publications: list[Publication]) -> FanoutTotals:
    return judged(receipts, publications, FACTS, len(publications))


def test_all_events_on_all_streams_are_a_reach_of_one() -> None:
    receipts = Receipts()
    for stream in range(1, 4):
        add_stream(receipts, stream, range(1, 11), delay_us=100 * stream)
    found = judge(receipts, published(10))
    assert (found.expected, found.received, found.events, found.reached_all) == (30, 30, 10, 10)
    assert (found.streams, found.complete_streams, found.least_event_reach) == (3, 3, 1.0)
    assert found.missing_streams == found.missing_events == []
    assert [each.stream for each in found.slowest] == [3, 2, 1]
    assert (found.spread.count, found.spread.min_us, found.spread.max_us) == (10, 200, 200)
    assert (found.delay.count, found.delay.max_us) == (30, 300)


def test_missing_deliveries_name_the_stream_and_the_event() -> None:
    receipts = Receipts()
    add_stream(receipts, 1, range(1, 11))
    add_stream(receipts, 2, [1, 2, 3, 5, 6, 7, 9, 10])
    add_stream(receipts, 3, [])
    found = judge(receipts, published(10))
    assert (found.expected, found.received, found.reached_all) == (30, 18, 0)
    assert found.missing_streams == [Shortfall(3, 10, 0), Shortfall(2, 10, 8)]
    assert found.missing_events[:2] == [Shortfall(4, 3, 1), Shortfall(8, 3, 1)]
    assert (found.streams_without, found.least_stream_reach, found.most_stream_reach) == (1, 0.0, 1.0)
    assert found.least_event_reach == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        ((sent_ns(3) - SETTLED_NS, END_NS), [3, 4, 5]),
        ((sent_ns(3) - SETTLED_NS + 1, END_NS), [4, 5]),
        ((0, sent_ns(3) + GRACE_NS), [1, 2, 3]),
        ((0, sent_ns(3) + GRACE_NS - 1), [1, 2]),
        ((sent_ns(4), sent_ns(4)), []),
    ],
)
def test_a_stream_must_be_open_before_an_event_and_stay_open_for_the_grace_period(
    connection: tuple[int, int], expected: list[int]
) -> None:
    receipts = Receipts()
    add_stream(receipts, 1, [], connection)
    found = judge(receipts, published(5))
    assert found.expected == len(expected)
    assert sorted(each.number for each in found.missing_events) == expected


def test_events_between_two_connections_are_not_expected_and_a_replay_of_them_changes_no_reach() -> None:
    connections = (0, sent_ns(3) + GRACE_NS), (sent_ns(14) - SETTLED_NS, END_NS)
    receipts = Receipts()
    add_stream(receipts, 1, range(1, 21), *connections)
    add_stream(receipts, 2, [1, 2, 3, *range(14, 21)], *connections)
    found = judge(receipts, published(20))
    assert (found.expected, found.received, found.reached_all, found.events) == (20, 20, 10, 10)


def test_a_failed_publication_is_not_expected_and_its_deliveries_are_counted_apart() -> None:
    receipts = Receipts()
    add_stream(receipts, 1, [1, 2, 3, 4])
    found = judge(receipts, published(5, failed=(3, 5)))
    assert (found.published, found.failed, found.expected, found.received, found.unconfirmed) == (3, 2, 3, 3, 1)
    assert found.errors == {"http-500": 2}


def test_events_that_came_again_or_after_a_later_one_are_counted() -> None:
    receipts = Receipts()
    add_stream(receipts, 1, [1, 3, 2, 2, 4, 1])
    found = judge(receipts, published(4))
    assert (found.duplicated, found.out_of_order, found.received) == (2, 1, 4)


def test_a_publication_that_began_too_late_is_late() -> None:
    first, second = published(2)
    late = Publication(number=2, due_ns=second.due_ns, began_ns=second.due_ns + LATE_NS, sent_ns=second.sent_ns)
    found = judge(Receipts(), [first, late])
    assert (found.late, found.lateness.max_us, found.request.count) == (1, LATE_NS // 1000, 1)


def test_without_streams_or_publications_nothing_is_claimed() -> None:
    found = judge(Receipts(), [])
    assert (found.expected, found.events, found.least_event_reach, found.least_stream_reach) == (0, 0, None, None)


def test_the_receipts_of_several_workers_are_those_of_one() -> None:
    rng = random.Random(3)
    received = {stream: [n for n in range(1, 41) if rng.random() < 0.9] for stream in range(1, 31)}
    whole, parts = Receipts(), [Receipts() for _ in range(3)]
    for stream, events in received.items():
        for receipts in (whole, parts[stream % 3]):
            add_stream(receipts, stream, events, delay_us=10 * stream)
    totals = Totals()
    for part in parts:
        totals.merge(pickle.loads(pickle.dumps(Totals(receipts=part))))
    assert totals.receipts is not None
    one, several = (_comparable(judge(each, published(40))) for each in (whole, totals.receipts))
    assert one == several
    assert one["expected"] == 1200
    assert one["received"] == sum(map(len, received.values()))


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
def test_events_that_reach_one_of_two_groups_are_noticed_however_uneven(share: float) -> None:
    rng = random.Random(5)
    groups: tuple[list[int], list[int]] = ([], [])
    for number in range(1, 41):
        groups[rng.random() >= share].append(number)
    receipts = Receipts()
    for stream in range(1, 21):
        add_stream(receipts, stream, groups[stream % 3 == 0])
    assert judge(receipts, published(40)).separate_groups == 2
    add_stream(receipts, 21, range(1, 21))
    assert judge(receipts, published(40)).separate_groups == 0


def test_events_for_one_stream_each_are_no_groups() -> None:
    receipts = Receipts()
    for stream in range(1, 11):
        add_stream(receipts, stream, range(stream, 41, 10))
    assert judge(receipts, published(40)).separate_groups == 0


def test_the_lists_are_bounded_and_the_counts_are_not() -> None:
    receipts = Receipts()
    for stream in range(1, MAX_MISSING + 51):
        add_stream(receipts, stream, [1])
    found = judge(receipts, published(2))
    assert len(found.missing_streams) == MAX_MISSING
    assert found.streams - found.complete_streams == MAX_MISSING + 50


def _comparable(found: FanoutTotals) -> dict[str, object]:
    values = {name: getattr(found, name) for name in FanoutTotals.__slots__}
    return {
        name: (value.count, value.sum_us, value.encoded()) if hasattr(value, "encoded") else value
        for name, value in values.items()
    }
