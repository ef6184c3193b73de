"""Merge rules, declared with each field of a dataclass.

Pure. Workers, machines and saved runs merge by these rules alone. A new counter cannot be forgotten: a field without a
rule is an error when its module is imported.

    @mergeable
    @dataclass(slots=True)
    class Totals(Merging):
        events: int = summed()
        peak_open: int = largest()
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import MISSING, field, fields
from functools import cache
from operator import add, or_
from types import MappingProxyType
from typing import Any, Self, TypeVar

Rule = Callable[[Any, Any], Any]
"""Takes our value and the other one, and returns the merged value. It may change ours in place, never the other."""

_RULE = "merge rule"

_Class = TypeVar("_Class", bound=type)


class Merging:
    """Base class of a dataclass whose fields all have a merge rule."""

    __slots__ = ()

    def merge(self, other: Self) -> None:
        """Add the values of another instance. Associative if the rules are."""
        made: type = type(self)
        for name, rule in _rules(made):
            setattr(self, name, rule(getattr(self, name), getattr(other, name)))


def mergeable(made: _Class) -> _Class:
    """Check that each field of a dataclass has a merge rule. Raises TypeError for a field without one."""
    for each in fields(made):
        if _RULE not in each.metadata:
            raise TypeError(f"{made.__name__}.{each.name} does not say how it merges: see measure/merging.py")
    return made


def by_rule(
    rule: Rule, *, default: Any = MISSING, factory: Any = MISSING, metadata: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    """Declare a field with its rule. Without a default or a factory, the caller must pass the value."""
    metadata = {_RULE: rule, **metadata}
    if factory is not MISSING:
        return field(default_factory=factory, metadata=metadata)
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def summed() -> Any:
    """Declare a number that adds up."""
    return by_rule(add, default=0)


def summed_if_known() -> Any:
    """Declare a number that adds up; None if it is unknown."""
    return by_rule(added, default=None)


def added(ours: int | None, theirs: int | None) -> int | None:
    """Return the sum of what is known; None if neither is."""
    return theirs if ours is None else ours if theirs is None else ours + theirs


def largest(default: Any = MISSING) -> Any:
    """Declare a number that merges to the larger one."""
    return by_rule(max, default=default)


def largest_known() -> Any:
    """Declare a number that merges to the larger one; None if it is unknown."""
    return by_rule(
        lambda ours, theirs: max((each for each in (ours, theirs) if each is not None), default=None), default=None
    )


def smallest_known() -> Any:
    """Declare a number that merges to the smaller one; None if it is unknown."""
    return by_rule(
        lambda ours, theirs: min((each for each in (ours, theirs) if each is not None), default=None), default=None
    )


def smallest(default: Any = MISSING) -> Any:
    """Declare a number that merges to the smaller one."""
    return by_rule(min, default=default)


def first_given(default: Any = MISSING) -> Any:
    """Declare a value that stays ours unless ours is empty: an empty text, False, None."""
    return by_rule(lambda ours, theirs: ours or theirs, default=default)


def joined() -> Any:
    """Declare a list that is extended by the other one."""
    return by_rule(add, factory=list)


def united() -> Any:
    """Declare a set that merges to the union."""
    return by_rule(or_, factory=set)


def counted() -> Any:
    """Declare a Counter whose counts add up. A key with the count 0 is kept."""
    return by_rule(_counts, factory=Counter)


def counted_by_name() -> Any:
    """Declare a dict of Counters whose counts add up."""
    return by_rule(_counters, factory=dict)


def same() -> Any:
    """Declare a dict of facts that are equal in all workers; on a conflict, keep ours."""
    return by_rule(lambda ours, theirs: {**theirs, **ours}, factory=dict)


def part(factory: Callable[[], Any]) -> Any:
    """Declare a value that has its own ``merge``."""
    return by_rule(_merged, factory=factory)


def part_if_any() -> Any:
    """Declare a value that has its own ``merge`` and a constructor without arguments; None if there is none."""
    return by_rule(_merged_if_any, default=None)


def parts(factory: Callable[[], Any] = dict) -> Any:
    """Declare a dict whose values have their own ``merge``."""
    return by_rule(_parts, factory=factory)


def own(factory: Callable[[], Any]) -> Any:
    """Declare a value that only its owner needs: merging leaves it unchanged."""
    return by_rule(lambda ours, _theirs: ours, factory=factory)


def _counts(ours: Counter[Any], theirs: Counter[Any]) -> Counter[Any]:
    ours.update(theirs)
    return ours


def _counters(ours: dict[Any, Counter[Any]], theirs: dict[Any, Counter[Any]]) -> dict[Any, Counter[Any]]:
    for name, counts in theirs.items():
        ours.setdefault(name, Counter()).update(counts)
    return ours


def _merged(ours: Any, theirs: Any) -> Any:
    ours.merge(theirs)
    return ours


def _merged_if_any(ours: Any, theirs: Any) -> Any:
    if theirs is None:
        return ours
    ours = type(theirs)() if ours is None else ours
    return _merged(ours, theirs)


def _parts(ours: dict[Any, Any], theirs: dict[Any, Any]) -> dict[Any, Any]:
    for key, value in theirs.items():
        if key in ours:
            ours[key].merge(value)
        else:
            ours[key] = deepcopy(value)
    return ours


@cache
def _rules(made: type) -> tuple[tuple[str, Rule], ...]:
    """Return the fields of a class with their rules. Cached: the totals of a worker have up to 2,000 small parts."""
    return tuple((each.name, each.metadata[_RULE]) for each in fields(made))
