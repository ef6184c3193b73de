import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.measure.audit_totals import Audit, FieldAudit, judge
from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.numbering import MAX_MISSING
from sseclient_cli.measure.sequence_audit import MAX_REMEMBERED_CHARS, SequenceCheck
from sseclient_cli.sse.event_stream import Event


def event(number: int, event_type: str = "message", data: str | None = None) -> Event:
    return Event(event_type, f"content of {number}" if data is None else data, str(number))


def audit_of(check: SequenceCheck) -> Audit:
    """Return the audit of one stream by a field that the user has named."""
    totals = FieldAudit()
    totals.add(check)
    audit, _ = judge({"id": totals})
    assert audit is not None
    return audit


def checked(*numbers: int) -> SequenceCheck:
    check = SequenceCheck()
    for number in numbers:
        check.check(number, event(number))
    return check


def counts(check: SequenceCheck) -> tuple[int, int, int, int]:
    audit = audit_of(check)
    return audit.checked, audit.lost_at_least, audit.duplicated, audit.out_of_order


@pytest.mark.parametrize(
    ("numbers", "lost", "duplicated", "out_of_order"),
    [
        ((1, 2, 3), 0, 0, 0),
        ((41, 42), 0, 0, 0),
        ((1, 2, 5), 2, 0, 0),
        ((1, 1, 2, 2), 0, 2, 0),
        ((1, 3, 2, 4), 0, 0, 1),
        ((1, 4, 2, 3, 5), 0, 0, 2),
        ((1, 4, 2, 2), 1, 1, 1),
        ((5, 3), 0, 0, 1),
        ((5, 3, 3, 4, 6), 0, 1, 2),
        ((-3, -2, 0), 1, 0, 0),
    ],
)
def test_losses_duplicates_and_late_events_are_counted(
    numbers: tuple[int, ...], lost: int, duplicated: int, out_of_order: int
) -> None:
    assert counts(checked(*numbers)) == (len(numbers), lost, duplicated, out_of_order)


@pytest.mark.parametrize("numbers", [(1, 2, 3, 4, 5, 6), (1, 2, 3, 7, 8, 8, 5), (3, 2, 1, 2), (9, 10, 11, 40)])
def test_check_all_gives_the_same_counts_as_check(numbers: tuple[int, ...]) -> None:
    for cut in range(len(numbers)):
        check = SequenceCheck()
        for part in (numbers[:cut], numbers[cut:]):
            if part:
                check.check_all(list(part), [event(number) for number in part], is_one_type=True)
        assert counts(check) == counts(checked(*numbers))


def test_a_huge_gap_is_counted_exactly_in_limited_memory() -> None:
    check = checked(1, 10**12, 10**12 - 1, 2)
    # Only the newest numbers of the gap are kept: the late 2 counts as a duplicate.
    assert counts(check) == (4, 10**12 - 3, 1, 1)
    assert check.whole.faults is not None
    assert len(check.whole.faults.missing) <= MAX_MISSING


def test_late_numbers_below_the_first_take_limited_memory() -> None:
    first = 10 * MAX_MISSING
    # Above the limit of kept numbers, a late number counts as a duplicate.
    late = range(first - 1, first - 1 - 2 * MAX_MISSING, -1)
    assert counts(checked(first, *late)) == (1 + 2 * MAX_MISSING, 0, MAX_MISSING, MAX_MISSING)


def test_each_event_type_can_have_its_own_numbering() -> None:
    check = SequenceCheck(Trust.POSITION)
    for number in range(20):
        check.check(number, event(number, "a"))
        if number % 3 == 0:
            check.check(number // 3, event(number // 3, "b"))
    assert not check.is_refuted
    assert (audit_of(check).by_type, *counts(check)) == (True, 27, 0, 0, 0)


def test_one_numbering_over_several_types_is_one_numbering() -> None:
    check = SequenceCheck()
    for number in (1, 2, 3, 5, 6):
        check.check(number, event(number, "ab"[number % 2]))
    assert (audit_of(check).by_type, *counts(check)) == (False, 5, 1, 0, 0)


def test_a_loss_is_counted_in_the_numbering_of_a_type() -> None:
    check = SequenceCheck()
    for number in (1, 2, 3, 5):
        check.check(number, event(number, "a"))
        check.check(number, event(number, "b"))
    assert (audit_of(check).by_type, *counts(check)) == (True, 8, 2, 0, 0)


def test_an_event_with_an_inherited_id_is_not_a_duplicate() -> None:
    check = SequenceCheck(Trust.EVENT_ID)
    for number in (1, 2, 3):
        check.check(number, event(number))
        # Blocks without an id keep the last one (WHATWG HTML 9.2.6). The heartbeat arrives twice.
        for _ in range(2):
            check.check(number, Event("ping", "", str(number)))
    assert not check.is_refuted
    assert (*counts(check), audit_of(check).carried) == (3, 0, 0, 0, 6)


def test_a_number_missing_between_two_types_of_one_numbering_is_lost() -> None:
    check = SequenceCheck()
    check.check(100, event(100, "snapshot"))
    for number in range(120, 130):
        check.check(number, event(number, "update"))
    assert (audit_of(check).by_type, *counts(check)) == (False, 11, 19, 0, 0)


def test_two_types_with_their_own_ids_can_reach_the_same_id() -> None:
    check = SequenceCheck(Trust.EVENT_ID)
    for number in range(40):
        for name in ("a", "b"):
            check.check(number, event(number, name))
    assert not check.is_refuted
    assert counts(check)[1:] == (0, 0, 0)


def test_events_without_an_id_are_not_losses_if_the_user_has_named_the_id() -> None:
    check = SequenceCheck(reads_ids=True)
    for number in range(1, 20, 1):
        check.check(number, event(number))
        check.check(number, Event("status", "busy", str(number)))
    assert counts(check)[1] == 0


def test_a_field_without_a_telling_name_that_restarts_is_refuted() -> None:
    check = SequenceCheck(Trust.ONLY_WITHOUT_FAULT, remembers=True)
    for _ in range(3):
        for number in range(30):
            check.check(number, event(number, data=f"{number} of an answer"))
        check.resume()
    check.check(0, event(0, data="another answer"))
    assert check.is_refuted


def test_an_event_that_arrives_twice_is_a_duplicate() -> None:
    check = SequenceCheck(Trust.EVENT_ID)
    for number in (1, 2, 2, 3, 4, 5, 6):
        check.check(number, event(number))
    assert counts(check) == (7, 0, 1, 0)


# A named field is always a sequence. A detected field can be refuted.


@pytest.mark.parametrize(
    ("trust", "numbers", "is_refuted"),
    [
        (None, (1, 9, 4, 4, 70, 2, 2, 1), False),
        (Trust.POSITION, (1, 2, 3, 4, 6, 7, 8, 9), False),
        (Trust.POSITION, (1, 2, 3, 4, 9, 14, 21, 27), True),
        (Trust.EVENT_ID, (1, 2, 3, 4, 9, 14, 21, 27), True),
        (Trust.ONLY_WITHOUT_FAULT, (1, 2, 3, 4, 5, 6, 7, 8), False),
        (Trust.ONLY_WITHOUT_FAULT, (1, 2, 3, 4, 5, 6, 7, 9), True),
    ],
)
def test_faults_refute_a_detected_sequence(trust: Trust | None, numbers: tuple[int, ...], is_refuted: bool) -> None:
    check = SequenceCheck(trust)
    for number in numbers:
        check.check(number, event(number))
    assert check.is_refuted is is_refuted


def test_repeated_numbers_with_other_content_refute_a_sequence() -> None:
    check = SequenceCheck(Trust.POSITION)
    for number in range(40):
        check.check(number, event(number, data="one part"))
        if number % 8 == 0:
            check.check(number, event(number, data="another part"))
    assert check.is_refuted


# Connections.


def reconnected(before: list[Event], after: list[Event], *, remembers: bool = True) -> Audit:
    check = SequenceCheck(remembers=remembers)
    for each in before:
        check.check(int(each.id), each)
    check.resume()
    for each in after:
        check.check(int(each.id), each)
    return audit_of(check)


def events(first: int, last: int, what: str = "content") -> list[Event]:
    return [Event("message", f"{what} {number}", str(number)) for number in range(first, last + 1)]


def test_a_gap_across_a_reconnection_is_lost() -> None:
    audit = reconnected(events(1, 5), events(8, 9))
    assert (audit.lost, audit.renumbered_streams) == (2, 0)
    assert reconnected(events(1, 5), events(6, 9)).lost == 0


def test_a_new_numbering_makes_the_loss_unknown() -> None:
    audit = reconnected(events(1, 5), events(1, 5, "other"))
    assert (audit.lost, audit.lost_at_least, audit.duplicated, audit.renumbered_streams) == (None, 0, 0, 1)


def test_content_identifies_a_new_numbering_above_the_first_number() -> None:
    audit = reconnected(events(1, 50), events(20, 60, "other"))
    assert (audit.lost, audit.duplicated, audit.renumbered_streams) == (None, 0, 1)


def test_content_distinguishes_a_replay_from_a_new_numbering() -> None:
    audit = reconnected(events(1, 50), events(1, 60))
    assert (audit.lost, audit.duplicated, audit.renumbered_streams) == (0, 50, 0)
    audit = reconnected(events(1, 50), events(41, 60))
    assert (audit.lost, audit.duplicated, audit.renumbered_streams) == (0, 10, 0)


def test_identical_content_does_not_prove_a_replay() -> None:
    same = [Event("message", "x", str(number)) for number in range(1, 6)]
    audit = reconnected(same, same)
    assert (audit.lost, audit.duplicated, audit.renumbered_streams) == (None, 0, 1)


def test_a_long_replay_is_recognized_when_it_reaches_kept_content() -> None:
    audit = reconnected(events(1, 300), events(1, 320))
    assert (audit.lost, audit.duplicated, audit.renumbered_streams) == (0, 300, 0)
    audit = reconnected(events(1, 300), events(150, 320))
    assert (audit.lost, audit.duplicated, audit.renumbered_streams) == (0, 151, 0)


def test_a_replay_fills_earlier_gaps() -> None:
    audit = reconnected([*events(1, 99), *events(101, 300)], events(50, 310))
    assert (audit.lost, audit.out_of_order, audit.renumbered_streams) == (0, 1, 0)


def test_a_new_numbering_is_recognized_when_it_reaches_kept_content() -> None:
    audit = reconnected(events(1, 300), events(150, 310, "other"))
    assert (audit.lost, audit.duplicated, audit.renumbered_streams) == (None, 0, 1)


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 200)), max_size=5),
    st.integers(0, 500),
)
def test_replays_from_any_position_are_not_losses(replays: list[tuple[int, int]], first: int) -> None:
    check, position = SequenceCheck(remembers=True), first + 100
    for each in events(first, position):
        check.check(int(each.id), each)
    for back, count in replays:
        check.resume()
        begin = max(first, position - back)
        for each in events(begin, begin + count):
            check.check(int(each.id), each)
        position = max(position, begin + count)
    assert audit_of(check).lost_at_least == 0


def test_losses_in_a_new_numbering_are_counted() -> None:
    audit = reconnected(events(1, 300), [*events(150, 160, "other"), *events(164, 310, "other")])
    assert (audit.lost, audit.lost_at_least, audit.duplicated, audit.renumbered_streams) == (None, 3, 0, 1)


def test_numbers_that_end_before_a_replay_is_recognized_make_the_loss_unknown() -> None:
    audit = reconnected(events(1, 300), events(150, 160))
    assert (audit.lost, audit.duplicated, audit.renumbered_streams) == (None, 0, 1)


@pytest.mark.parametrize("remembers", [True, False])
def test_a_numbering_can_restart_within_a_connection(*, remembers: bool) -> None:
    check = SequenceCheck(remembers=remembers)
    for each in [*events(500, 600), *events(0, 700, "other")]:
        check.check(int(each.id), each)
    audit = audit_of(check)
    assert (audit.lost, audit.lost_at_least, audit.duplicated, audit.out_of_order) == (None, 0, 0, 0)
    assert audit.renumbered_streams == 1


@pytest.mark.parametrize("remembers", [True, False])
def test_one_repeated_event_within_a_connection_is_not_a_new_numbering(*, remembers: bool) -> None:
    check = SequenceCheck(remembers=remembers)
    for each in [*events(1, 100), *events(1, 1), *events(101, 110)]:
        check.check(int(each.id), each)
    audit = audit_of(check)
    assert (audit.lost, audit.duplicated, audit.renumbered_streams) == (0, 1, 0)


def test_a_restart_within_a_connection_refutes_a_detected_sequence() -> None:
    check = SequenceCheck(Trust.POSITION)
    for each in [*events(0, 100), *events(0, 100, "other")]:
        check.check(int(each.id), each)
    assert check.is_refuted


def test_a_large_event_is_compared_with_the_next_one() -> None:
    large, other = "x" * MAX_REMEMBERED_CHARS, "y" * MAX_REMEMBERED_CHARS
    check = SequenceCheck(Trust.EVENT_ID)
    for data in (large, other, "without an id of its own"):
        check.check(7, event(7, data=data))
    audit = audit_of(check)
    assert (audit.carried, audit.duplicated) == (2, 0)
    check.check(7, event(7, data=large))
    assert audit_of(check).duplicated == 1
