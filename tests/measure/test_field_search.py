import json

import pytest

from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.field_search import MAX_SEARCHED_EVENTS, FieldSearch, Now, Trust, trust_of
from sseclient_cli.sse.event_stream import Event

NOW_NS = 1_790_000_000_123_456_789
NOW = Now(NOW_NS, NOW_NS)
SECOND_NS = 10**9


def event(data: object, event_id: str = "", event_type: str = "message") -> Event:
    return Event(event_type, data if isinstance(data, str) else json.dumps(data), event_id)


def searched(*events: Event, now: Now = NOW) -> FieldSearch:
    """Return the search of a stream with these events."""
    search = FieldSearch(wants_timestamp=True, wants_sequence=True)
    for each in events:
        search.offer(each, now)
    return search


def test_a_time_and_a_number_are_found_after_three_steps() -> None:
    events = [event({"price": 3.5, "seq": 4 + k, "ts": NOW_NS + k}) for k in range(4)]
    found = searched(*events)
    assert (found.timestamp, found.sequence, found.is_over) == (Field(("ts",)), Field(("seq",)), True)
    before = searched(*events[:3])
    assert (before.timestamp, before.sequence, before.is_over) == (None, None, False)


def test_a_first_event_of_another_kind_is_ignored() -> None:
    events = [event("connected"), *(event({"ts": NOW_NS + k}, str(k)) for k in range(4))]
    found = searched(*events)
    assert (found.timestamp, found.sequence) == (Field(("ts",)), Field())


def test_the_event_id_is_preferred_to_a_number_in_the_data() -> None:
    assert searched(*(event({"seq": k}, str(100 + k)) for k in range(4))).sequence == Field()


def test_the_search_waits_for_a_field_named_as_a_position() -> None:
    # `step` has grown three times before `seq`, because `seq` has lost an event at the start.
    numbers = [1, 2, 4, 5, 6, 7]
    found = searched(*(event({"step": k, "seq": number}) for k, number in enumerate(numbers)))
    assert found.sequence == Field(("seq",))


def test_a_sequence_is_found_despite_losses() -> None:
    assert searched(*(event("x", str(number)) for number in (1, 2, 4, 5, 7, 8, 9, 10))).sequence == Field()


def test_a_numbering_per_event_type_is_found() -> None:
    events = [event({"seq": k // 2}, event_type="ab"[k % 2]) for k in range(8)]
    assert searched(*events).sequence == Field(("seq",))


def test_a_count_that_sometimes_grows_by_one_is_not_a_sequence() -> None:
    users = [41, 42, 57, 58, 59, 40, 41, 42, 90]
    assert searched(*(event({"users": count}) for count in users)).sequence is None


def test_milliseconds_are_not_a_sequence() -> None:
    found = searched(*(event({"ts": NOW_NS // 10**6 + k}) for k in range(6)))
    assert (found.timestamp, found.sequence) == (Field(("ts",)), None)


def test_the_time_closest_to_the_arrival_is_used() -> None:
    events = [event({"created_at": NOW_NS - 60 * SECOND_NS + k, "ts": NOW_NS - 5 + k}) for k in range(4)]
    assert searched(*events).timestamp == Field(("ts",))


def test_a_time_in_the_future_is_rejected_and_named() -> None:
    found = searched(*(event({"expiresAt": NOW_NS + 60 * SECOND_NS + k}) for k in range(6)))
    assert (found.timestamp, found.future) == (None, Field(("expiresAt",)))


def test_a_time_in_the_future_is_a_send_time_if_the_date_header_agrees() -> None:
    ahead = Now(NOW_NS, NOW_NS + 60 * SECOND_NS)
    events = [event({"ts": NOW_NS + 60 * SECOND_NS + k, "expires": NOW_NS + 90 * SECOND_NS + k}) for k in range(4)]
    found = searched(*events, now=ahead)
    assert (found.timestamp, found.future) == (Field(("ts",)), Field(("expires",)))


def test_an_old_date_of_a_cache_does_not_hide_a_send_time() -> None:
    stale = Now(NOW_NS, NOW_NS - 7200 * SECOND_NS)
    assert searched(*(event({"ts": NOW_NS - 5 + k}) for k in range(4)), now=stale).timestamp == Field(("ts",))


def test_a_time_that_falls_as_often_as_it_rises_is_not_a_send_time() -> None:
    ages_s = [9, 5, 12, 3, 30, 8, 7, 6, 5, 40, 3, 2, 1, 50]
    events = [event({"updated_at": NOW_NS - age_s * SECOND_NS + 1}) for age_s in ages_s]
    assert searched(*events).timestamp is None


def test_older_times_need_more_steps() -> None:
    events = [event({"changed": NOW_NS - 60 * SECOND_NS + k}) for k in range(13)]
    assert searched(*events[:12]).timestamp is None
    assert searched(*events).timestamp == Field(("changed",))


@pytest.mark.parametrize(
    "times_ns",
    [
        pytest.param([NOW_NS] * 6, id="always the same"),
        pytest.param([(NOW_NS // SECOND_NS + k) * SECOND_NS for k in range(6)], id="whole seconds"),
        pytest.param([NOW_NS - 86_400 * SECOND_NS + k for k in range(6)], id="another day"),
    ],
)
def test_a_time_that_cannot_measure_a_delivery_is_not_a_timestamp(times_ns: list[int]) -> None:
    assert searched(*(event({"at": time_ns}) for time_ns in times_ns)).timestamp is None


def test_events_sent_at_once_can_share_a_timestamp() -> None:
    times = [NOW_NS + k // 3 for k in range(12)]
    assert searched(*(event({"ts": time}) for time in times)).timestamp == Field(("ts",))


def test_a_search_ends_after_its_maximum_of_events() -> None:
    assert not searched(*[event("x")] * (MAX_SEARCHED_EVENTS - 1)).is_over
    found = searched(*[event("x")] * MAX_SEARCHED_EVENTS)
    assert (found.is_over, found.timestamp, found.sequence) == (True, None, None)


def test_a_refuted_field_is_not_found_again() -> None:
    search = FieldSearch(wants_timestamp=False, wants_sequence=True, refuted=(Field(),))
    for k in range(4):
        search.offer(event({"seq": k}, str(k)), NOW)
    assert search.sequence == Field(("seq",))


def test_chunks_of_an_llm_have_neither_timestamp_nor_sequence() -> None:
    def chunk(token: int) -> Event:
        choices = [{"index": 0, "delta": {"content": f"{token}"}, "finish_reason": None}]
        created = NOW_NS // SECOND_NS
        return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": created, "choices": choices})

    found = searched(*map(chunk, range(40)))
    assert (found.timestamp, found.sequence) == (None, None)


@pytest.mark.parametrize(
    ("path", "trust"),
    [
        ((), Trust.EVENT_ID),
        (("meta", "seq"), Trust.POSITION),
        (("sequence_number",), Trust.POSITION),
        (("messageId",), Trust.POSITION),
        (("offset",), Trust.POSITION),
        (("id",), Trust.ONLY_WITHOUT_FAULT),
        (("version",), Trust.ONLY_WITHOUT_FAULT),
        (("progress",), Trust.ONLY_WITHOUT_FAULT),
        (("sequel",), Trust.ONLY_WITHOUT_FAULT),
    ],
)
def test_the_name_of_a_field_determines_its_trust(path: tuple[str, ...], trust: Trust) -> None:
    assert trust_of(Field(path)) is trust
