from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.measure.audit_totals import Audit, Candidate, FieldAudit, judge
from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.sequence_audit import SequenceCheck
from sseclient_cli.sse.event_stream import Event


def totals_of(*streams: list[int], trust: Trust | None = Trust.EVENT_ID) -> FieldAudit:
    totals = FieldAudit(trust)
    for numbers in streams:
        check = SequenceCheck(trust)
        for number in numbers:
            check.check(number, Event("message", f"content of {number}", str(number)))
        totals.add(check)
    return totals


def judged(*streams: list[int], trust: Trust | None = Trust.EVENT_ID) -> tuple[Audit | None, list[Candidate]]:
    return judge({"id": totals_of(*streams, trust=trust)})


def audited(*streams: list[int], trust: Trust | None = Trust.EVENT_ID) -> Audit:
    audit, _ = judged(*streams, trust=trust)
    assert audit is not None
    return audit


def without(numbers: range, *left_out: int) -> list[int]:
    return [number for number in numbers if number not in left_out]


def test_a_missing_number_is_lost_if_most_streams_received_it() -> None:
    audit = audited(without(range(50), 7), without(range(50), 8), *[list(range(50))] * 3)
    assert (audit.lost, audit.unconfirmed) == (2, 0)


def test_a_message_for_one_user_is_not_lost_on_other_streams() -> None:
    # One counter for all; every fifth number is for one stream alone.
    streams = [[number for number in range(200) if number % 5 or number // 5 % 10 == user] for user in range(10)]
    audit = audited(*streams)
    assert (audit.lost, audit.unconfirmed) == (0, 39)


def test_a_field_without_a_telling_name_needs_enough_numbers() -> None:
    audit, candidates = judged(*[list(range(10))] * 5, trust=Trust.ONLY_WITHOUT_FAULT)
    assert (audit, [candidate.source for candidate in candidates]) == (None, ["id"])


def test_a_number_that_no_stream_received_is_unconfirmed() -> None:
    audit = audited(without(range(50), 7), without(range(50), 7))
    assert (audit.lost, audit.unconfirmed) == (0, 1)


def test_a_number_of_a_named_field_is_lost_even_if_no_stream_received_it() -> None:
    audit = audited(without(range(50), 7), without(range(50), 7), trust=None)
    assert (audit.lost, audit.unconfirmed) == (2, 0)


def test_a_counter_shared_by_streams_is_not_a_sequence() -> None:
    # One stream receives nine of ten numbers: on its own it looks like a sequence with losses.
    audit, candidates = judged(without(range(200), *range(0, 200, 10)), list(range(0, 200, 10)))
    assert audit is None
    assert [candidate.source for candidate in candidates] == ["id"]


def test_one_refuting_stream_of_many_is_left_out() -> None:
    audit = audited(*[list(range(50))] * 9, [5, 90, 7, 7, 40, 3, 80, 1])
    assert (audit.lost, audit.checked, audit.refuting_streams) == (0, 450, 1)


def test_a_field_without_a_telling_name_is_refuted_by_one_stream() -> None:
    audit, candidates = judged(*[list(range(50))] * 9, without(range(50), 7), trust=Trust.ONLY_WITHOUT_FAULT)
    assert (audit, len(candidates)) == (None, 1)


def test_streams_of_a_broadcast_can_begin_and_end_at_any_number() -> None:
    audit = audited(list(range(100)), list(range(40, 160)), list(range(50, 200)), without(range(20, 150), 60, 61))
    assert (audit.lost, audit.unconfirmed) == (2, 0)


def test_two_fields_are_combined_in_one_audit() -> None:
    audit, _ = judge({"id": totals_of(list(range(9))), "data.seq": totals_of(list(range(20)), trust=Trust.POSITION)})
    assert audit is not None
    assert (audit.source, audit.checked) == ("data.seq, id", 29)


@given(st.lists(st.sets(st.integers(0, 60), min_size=1), min_size=1, max_size=5))
def test_losses_equal_a_count_of_each_number(streams: list[set[int]]) -> None:
    expected = sum(number not in stream for stream in streams for number in range(min(stream), max(stream) + 1))
    audit = audited(*map(sorted, streams), trust=None)
    assert audit.lost == expected
    confirmed = FieldAudit(Trust.EVENT_ID)
    confirmed.merge(totals_of(*map(sorted, streams), trust=None))
    confirmed.trust = Trust.EVENT_ID
    found, _ = judge({"id": confirmed})
    if found is not None:
        spans = [range(min(stream), max(stream) + 1) for stream in streams]
        missing = Counter(number for stream, span in zip(streams, spans, strict=True) for number in set(span) - stream)
        received = Counter(number for stream in streams for number in stream)
        assert found.lost == sum(gaps for number, gaps in missing.items() if received[number] > gaps)
        assert found.unconfirmed == sum(received[number] <= gaps for number, gaps in missing.items())


def test_streams_with_the_same_numbers_share_entries() -> None:
    totals = totals_of(*[list(range(20)) for _ in range(1000)], trust=None)
    assert len(totals.spanned) + len(totals.received) == 4
