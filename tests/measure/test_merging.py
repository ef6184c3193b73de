"""Dataclass fields with a merge rule in their declaration."""

from collections import Counter
from dataclasses import dataclass

import pytest

from sseclient_cli.measure.merging import (
    Merging,
    counted,
    first_given,
    joined,
    largest,
    mergeable,
    own,
    part,
    parts,
    same,
    smallest,
    summed,
    united,
)  # fmt: skip


@mergeable
@dataclass(slots=True)
class Inner(Merging):
    count: int = summed()


@mergeable
@dataclass(slots=True)
class Outer(Merging):
    count: int = summed()
    latest: int = largest(0)
    earliest: int = smallest(9)
    note: str = first_given("")
    rows: list[int] = joined()
    names: set[str] = united()
    types: Counter[str] = counted()
    facts: dict[int, str] = same()
    inner: Inner = part(Inner)
    inners: dict[str, Inner] = parts()
    secret: list[int] = own(list)


def test_each_field_merges_by_its_rule() -> None:
    ours = Outer(1, 5, 5, "", [1], {"a"}, Counter(x=1), {1: "ours"}, Inner(1), {"a": Inner(1)}, [1])
    theirs = Outer(
        2, 3, 3, "theirs", [2], {"b"}, Counter(x=1, y=0), {1: "no", 2: "theirs"}, Inner(2),
        {"a": Inner(1), "b": Inner(7)}, [2],
    )  # fmt: skip
    ours.merge(theirs)
    assert ours == Outer(
        3, 5, 3, "theirs", [1, 2], {"a", "b"}, Counter(x=2, y=0), {1: "ours", 2: "theirs"}, Inner(3),
        {"a": Inner(2), "b": Inner(7)}, [1],
    )  # fmt: skip
    assert "y" in ours.types


def test_merged_values_are_copied() -> None:
    ours, theirs = Outer(), Outer(inners={"a": Inner(1)})
    ours.merge(theirs)
    ours.merge(Outer(inners={"a": Inner(1)}))
    assert (ours.inners["a"].count, theirs.inners["a"].count) == (2, 1)


def test_a_field_without_a_rule_is_an_error_at_import() -> None:
    @dataclass(slots=True)
    class Incomplete(Merging):
        counted: int = summed()
        without_rule: int = 0

    with pytest.raises(TypeError, match=r"Incomplete\.without_rule does not say how it merges"):
        mergeable(Incomplete)
