"""Events wait until the timestamp and sequence fields of their stream are known."""

from collections.abc import Iterator

import pytest
from engines import engine_context, measurement_of

from sseclient_cli.engine.poller import Poller
from sseclient_cli.measure import undecided_events
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


def take(fields: EventFields, events: list[Event], at_ns: int, *, has_arrival: bool = True) -> None:
    """Take the events of one read. The arrival of the last one is known if ``has_arrival``."""
    fields.take(Read(events, at_ns, Arrival(at_ns, 0) if has_arrival else None, None))


def events(first: int, count: int) -> list[Event]:
    return [Event("message", f'{{"ts": {NOW_NS + 1000 * n}}}', str(n)) for n in range(first, first + count)]


def test_events_wait_for_the_decision_and_are_then_measured(measurement: Measurement) -> None:
    fields = EventFields(measurement)
    for number in range(3):
        take(fields, events(number, 1), NOW_NS + 10_000 + 1000 * number)
    assert not measurement.samples.delivery
    assert measurement.undecided.waiting_bytes > 0
    take(fields, events(3, 1), NOW_NS + 13_000)
    assert list(measurement.samples.delivery) == [10, 10, 10, 10]
    assert measurement.undecided.waiting_bytes == measurement.undecided.searching == 0
    fields.finish()
    assert measurement.audits["id"].checked == 4


def test_only_the_last_event_of_a_read_has_the_arrival_of_the_read(measurement: Measurement) -> None:
    fields = EventFields(measurement)
    take(fields, events(0, 6), NOW_NS + 10_000)
    assert len(measurement.samples.delivery) == 1
    fields.finish()
    assert measurement.audits["id"].checked == 6


def test_timestamps_in_events_show_how_long_these_were_held_back(measurement: Measurement) -> None:
    fields, at_ns = EventFields(measurement), NOW_NS + 50_000_000
    fields.take(Read(events(0, 6), at_ns, Arrival(at_ns, 0), Arrival(at_ns, 1000), is_burst=True))
    assert list(measurement.samples.held_back) == [5]
    assert len(measurement.samples.delivery) == 6


def test_events_of_two_streams_form_no_common_sequence(measurement: Measurement) -> None:
    fields_of_streams = [EventFields(measurement), EventFields(measurement)]
    for number in range(40):
        # The streams alternate: together they count by one, each on its own by two.
        take(fields_of_streams[number % 2], [Event("message", "x", str(number))], NOW_NS)
    for fields in fields_of_streams:
        fields.finish()
    assert judge(measurement.audits) == (None, [])


def test_a_new_connection_keeps_its_place_among_waiting_events(measurement: Measurement) -> None:
    fields = EventFields(measurement)
    take(fields, events(7, 2), NOW_NS)
    fields.resume()
    take(fields, events(20, 4), NOW_NS)
    fields.resume()
    take(fields, [Event("message", "another", "1")], NOW_NS)
    fields.finish()
    audit, _ = judge(measurement.audits)
    assert audit is not None
    assert (audit.renumbered_streams, audit.checked) == (1, 7)


def test_streams_stop_waiting_when_the_memory_budget_is_exceeded(
    measurement: Measurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undecided_events, "MAX_WAITING_BYTES", 100_000)
    fields_of_streams = [EventFields(measurement) for _ in range(10)]
    for number in range(3):
        for fields in fields_of_streams:
            # The id and the type count as memory, like the data.
            take(fields, [Event("t" * 5_000, "", f"{number} {'i' * 5_000}")], NOW_NS)
    assert measurement.undecided.waiting_bytes <= 100_000 + 11_000
    for fields in fields_of_streams:
        fields.finish()
    assert measurement.undecided.waiting_bytes == 0


def test_streams_without_a_search_use_the_results_of_others(
    measurement: Measurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undecided_events, "MAX_SEARCHING", 1)
    fields_of_streams = [EventFields(measurement) for _ in range(5)]
    for number in range(5):
        for fields in fields_of_streams:
            take(fields, events(number, 1), NOW_NS + 10_000 + 1000 * number)
    for fields in fields_of_streams:
        fields.finish()
    assert measurement.audits["id"].checked == 25
    assert list(measurement.samples.delivery) == [10] * 25


def test_waiting_events_of_the_warm_up_have_no_latency(measurement: Measurement) -> None:
    measurement.clock.warm_ns = NOW_NS + 10_000 + 2_000
    fields = EventFields(measurement)
    for number in range(4):
        take(fields, events(number, 1), NOW_NS + 10_000 + 1000 * number)
    assert list(measurement.samples.delivery) == [10, 10]
    fields.finish()
    assert measurement.audits["id"].checked == 4


def test_a_stream_without_fields_searches_again_later(measurement: Measurement) -> None:
    fields = EventFields(measurement)
    for _ in range(FIRST_LATER_SEARCH):
        take(fields, [Event("message", "row of a snapshot", "")], NOW_NS)
    for number in range(60):
        take(fields, events(number, 1), NOW_NS + 10_000 + 1000 * number)
    fields.finish()
    assert len(measurement.samples.delivery) > 30
    assert measurement.audits["id"].checked > 30


def test_another_sequence_replaces_a_refuted_one(measurement: Measurement) -> None:
    fields = EventFields(measurement)
    # For four events, the common counter of all users looks like a numbering of this stream.
    for number in range(60):
        event_id = number if number < 4 else number * 7
        take(fields, [Event("message", f'{{"seq": {number}}}', str(event_id))], NOW_NS)
    fields.finish()
    audit, candidates = judge(measurement.audits)
    assert audit is not None
    assert (audit.source, audit.lost) == ("data.seq", 0)
    assert [candidate.source for candidate in candidates] == ["id"]


def test_detected_timestamp_fields_are_reported(measurement: Measurement) -> None:
    fields = EventFields(measurement)
    for number in range(4):
        take(fields, events(number, 1), NOW_NS + 10_000)
    assert measurement.undecided.known.timestamps() == {str(Field(("ts",)))}


def test_a_waiting_event_is_searched_with_its_arrival_time(
    measurement: Measurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undecided_events, "MAX_SEARCHING", 1)
    first, second = EventFields(measurement), EventFields(measurement)
    take(first, [Event("message", "hello", "")], NOW_NS)
    thirty_s = 30 * 10**9
    take(second, [Event("message", f'{{"expires": {NOW_NS + thirty_s}}}', "")], NOW_NS)
    first.finish()
    take(second, [Event("message", "later", "")], NOW_NS + 2 * thirty_s)
    second.finish()
    assert measurement.undecided.known.future == {Field(("expires",))}
