"""What waits until it is known what to read in the events of a stream."""

from collections.abc import Iterator

import pytest
from engines import engine_context, measurement_of

from sseclient_cli.engine.poller import Poller
from sseclient_cli.measure import undecided_events as load_undecided
from sseclient_cli.measure.audit_totals import judge
from sseclient_cli.measure.event_fields import FIRST_LATER_SEARCH, EventFields
from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.measure.undecided_events import Arrival, Read
from sseclient_cli.sse.event_stream import Event

NOW_NS = 1_790_000_000_123_456_789


@pytest.fixture
def measurement() -> Iterator[Measurement]:
    with Poller() as poller:
        yield measurement_of(engine_context(poller), expects_replays=True)


def take(reading: EventFields, events: list[Event], at_ns: int, *, is_known: bool = True) -> None:
    """Take the events of a read of which the last one's arrival is known, or none."""
    reading.take(Read(events, at_ns, Arrival(at_ns, 0) if is_known else None, None))


def events(first: int, count: int) -> list[Event]:
    return [Event("message", f'{{"ts": {NOW_NS + 1000 * n}}}', str(n)) for n in range(first, first + count)]


def test_events_wait_for_the_choice_and_are_measured_then(measurement: Measurement) -> None:
    reading = EventFields(measurement)
    for number in range(3):
        take(reading, events(number, 1), NOW_NS + 10_000 + 1000 * number)
    assert not measurement.samples.delivery
    assert measurement.undecided.waiting_bytes > 0
    take(reading, events(3, 1), NOW_NS + 13_000)
    assert list(measurement.samples.delivery) == [10, 10, 10, 10]
    assert measurement.undecided.waiting_bytes == measurement.undecided.searching == 0
    reading.finish()
    assert measurement.audits["id"].checked == 4


def test_only_the_last_event_of_a_read_has_the_arrival_of_the_read(measurement: Measurement) -> None:
    reading = EventFields(measurement)
    take(reading, events(0, 6), NOW_NS + 10_000)
    assert len(measurement.samples.delivery) == 1
    reading.finish()
    assert measurement.audits["id"].checked == 6


def test_how_long_events_were_held_back_is_known_by_their_own_timestamps(measurement: Measurement) -> None:
    reading, at_ns = EventFields(measurement), NOW_NS + 50_000_000
    reading.take(Read(events(0, 6), at_ns, Arrival(at_ns, 0), Arrival(at_ns, 1000), is_burst=True))
    assert list(measurement.samples.held_back) == [5]
    assert len(measurement.samples.delivery) == 6


def test_events_of_two_streams_are_never_taken_for_neighbours(measurement: Measurement) -> None:
    readings = [EventFields(measurement), EventFields(measurement)]
    for number in range(40):
        # In turn: together they count by one, each by itself by two.
        take(readings[number % 2], [Event("message", "x", str(number))], NOW_NS)
    for reading in readings:
        reading.finish()
    assert judge(measurement.audits) == (None, [])


def test_a_new_connection_stays_between_the_events_before_and_after_it(measurement: Measurement) -> None:
    reading = EventFields(measurement)
    take(reading, events(7, 2), NOW_NS)
    reading.resume()
    take(reading, events(20, 4), NOW_NS)
    reading.resume()
    take(reading, [Event("message", "another", "1")], NOW_NS)
    reading.finish()
    audit, _ = judge(measurement.audits)
    assert audit is not None
    assert (audit.renumbered_streams, audit.checked) == (1, 7)


def test_when_too_much_waits_streams_go_without_a_decision(
    measurement: Measurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_undecided, "MAX_WAITING_BYTES", 100_000)
    readings = [EventFields(measurement) for _ in range(10)]
    for number in range(3):
        for reading in readings:
            # An id and a type take as much memory as data do.
            take(reading, [Event("t" * 5_000, "", f"{number} {'i' * 5_000}")], NOW_NS)
    assert measurement.undecided.waiting_bytes <= 100_000 + 11_000
    for reading in readings:
        reading.finish()
    assert measurement.undecided.waiting_bytes == 0


def test_streams_that_find_no_room_to_search_take_over_what_others_find(
    measurement: Measurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_undecided, "MAX_SEARCHING", 1)
    readings = [EventFields(measurement) for _ in range(5)]
    for number in range(5):
        for reading in readings:
            take(reading, events(number, 1), NOW_NS + 10_000 + 1000 * number)
    for reading in readings:
        reading.finish()
    assert measurement.audits["id"].checked == 25
    assert list(measurement.samples.delivery) == [10] * 25


def test_what_waits_from_the_warm_up_has_no_latency_when_it_is_measured(measurement: Measurement) -> None:
    measurement.clock.warm_ns = NOW_NS + 10_000 + 2_000
    reading = EventFields(measurement)
    for number in range(4):
        take(reading, events(number, 1), NOW_NS + 10_000 + 1000 * number)
    assert list(measurement.samples.delivery) == [10, 10]
    reading.finish()
    assert measurement.audits["id"].checked == 4


def test_a_stream_that_found_nothing_looks_again_later(measurement: Measurement) -> None:
    reading = EventFields(measurement)
    for _ in range(FIRST_LATER_SEARCH):
        take(reading, [Event("message", "row of a snapshot", "")], NOW_NS)
    for number in range(60):
        take(reading, events(number, 1), NOW_NS + 10_000 + 1000 * number)
    reading.finish()
    assert len(measurement.samples.delivery) > 30
    assert measurement.audits["id"].checked > 30


def test_a_sequence_that_is_refuted_makes_room_for_another(measurement: Measurement) -> None:
    reading = EventFields(measurement)
    # For four events, one counter of all users looks like the numbers of this stream.
    for number in range(60):
        event_id = number if number < 4 else number * 7
        take(reading, [Event("message", f'{{"seq": {number}}}', str(event_id))], NOW_NS)
    reading.finish()
    audit, candidates = judge(measurement.audits)
    assert audit is not None
    assert (audit.source, audit.lost) == ("data.seq", 0)
    assert [candidate.source for candidate in candidates] == ["id"]


def test_the_fields_that_were_found_are_told(measurement: Measurement) -> None:
    reading = EventFields(measurement)
    for number in range(4):
        take(reading, events(number, 1), NOW_NS + 10_000)
    assert measurement.undecided.known.timestamps() == {str(Field(("ts",)))}


def test_an_event_that_has_waited_is_judged_by_the_time_of_its_arrival(
    measurement: Measurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_undecided, "MAX_SEARCHING", 1)
    first, second = EventFields(measurement), EventFields(measurement)
    take(first, [Event("message", "hello", "")], NOW_NS)
    thirty_s = 30 * 10**9
    take(second, [Event("message", f'{{"expires": {NOW_NS + thirty_s}}}', "")], NOW_NS)
    first.finish()
    take(second, [Event("message", "later", "")], NOW_NS + 2 * thirty_s)
    second.finish()
    assert measurement.undecided.known.future == {Field(("expires",))}
