import pytest

from sseclient_cli.load.audit import MAX_MISSING, AuditCounts, SequenceCheck


def checked(*numbers: int) -> AuditCounts:
    counts = AuditCounts()
    check = SequenceCheck(counts)
    for number in numbers:
        check.check(number)
    return counts


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
    ],
)
def test_a_sequence_is_judged(numbers: tuple[int, ...], lost: int, duplicated: int, out_of_order: int) -> None:
    assert checked(*numbers) == AuditCounts(len(numbers), lost, duplicated, out_of_order)


def test_a_gap_of_any_size_takes_bounded_memory_and_is_counted_whole() -> None:
    counts = AuditCounts()
    check = SequenceCheck(counts)
    for number in (1, 10**12, 10**12 - 1, 2):
        check.check(number)
    # The newest of the gap are remembered; the 2 is too far back to be known as late.
    assert counts == AuditCounts(checked=4, lost=10**12 - 3, duplicated=1, out_of_order=1)
    assert check._missing is not None
    assert len(check._missing) < MAX_MISSING


def test_late_numbers_below_the_first_take_bounded_memory() -> None:
    first = 10 * MAX_MISSING
    # Beyond what is remembered, a late one is no longer told from a duplicate.
    late = range(first - 1, first - 1 - 2 * MAX_MISSING, -1)
    assert checked(first, *late) == AuditCounts(1 + 2 * MAX_MISSING, 0, MAX_MISSING, MAX_MISSING)


def test_counts_of_two_workers_add_up() -> None:
    counts = checked(1, 2, 5)
    counts.merge(checked(1, 1))
    assert counts == AuditCounts(checked=5, lost=2, duplicated=1, out_of_order=0)
