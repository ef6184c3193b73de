"""Values that merge: each field of a dataclass says how, where it is declared.

Pure. Workers, machines and saved runs add up by these rules alone, so a counter that is added cannot be forgotten: a
field without a rule is an error when its module is imported.

    @mergeable
    @dataclass(slots=True)
    class Totals(Merging):
        events: int = summed()
        peak_open: int = largest()
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import MISSING, Field, field, fields
from operator import add, or_
from typing import Any, Self, TypeVar

Rule = Callable[[Any, Any], Any]
"""Takes our value and the other one, and returns what both amount to; may change ours in place, never the other."""

_RULE = "merge rule"

_Class = TypeVar("_Class", bound=type)


class Merging:
    """A dataclass whose fields all have a rule."""

    __slots__ = ()

    def merge(self, other: Self) -> None:
        """Add the values of another one. Associative, if the rules are."""
        for each in _fields(type(self)):
            setattr(self, each.name, each.metadata[_RULE](getattr(self, each.name), getattr(other, each.name)))


def mergeable(made: _Class) -> _Class:
    """Check that each field of a dataclass says how it merges. Raises TypeError for one that does not."""
    for each in _fields(made):
        if _RULE not in each.metadata:
            raise TypeError(f"{made.__name__}.{each.name} does not say how it merges: see measure/merging.py")
    return made


def by_rule(rule: Rule, *, default: Any = MISSING, factory: Any = MISSING) -> Any:
    """Declare a field with its rule; without a default or a factory of defaults, the caller gives the value."""
    metadata = {_RULE: rule}
    if factory is not MISSING:
        return field(default_factory=factory, metadata=metadata)
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def summed() -> Any:
    """Declare a number that adds up."""
    return by_rule(add, default=0)


def largest(default: Any = MISSING) -> Any:
    """Declare a number of which the larger one stays."""
    return by_rule(max, default=default)


def smallest(default: Any = MISSING) -> Any:
    """Declare a number of which the smaller one stays."""
    return by_rule(min, default=default)


def first_given(default: Any = MISSING) -> Any:
    """Declare a value of which ours stays, unless it says nothing: an empty text, False, None."""
    return by_rule(lambda ours, theirs: ours or theirs, default=default)


def joined() -> Any:
    """Declare a list to which the other one is added."""
    return by_rule(add, factory=list)


def united() -> Any:
    """Declare a set of what either one holds."""
    return by_rule(or_, factory=set)


def counted() -> Any:
    """Declare a Counter whose counts add up; a name that was counted 0 times stays known."""
    return by_rule(_counts, factory=Counter)


def same() -> Any:
    """Declare a dict of facts that all know alike: where both have one, ours stays."""
    return by_rule(lambda ours, theirs: {**theirs, **ours}, factory=dict)


def part(factory: Callable[[], Any]) -> Any:
    """Declare a value that merges by itself."""
    return by_rule(_merged, factory=factory)


def parts(factory: Callable[[], Any] = dict) -> Any:
    """Declare a dict whose values merge by themselves."""
    return by_rule(_parts, factory=factory)


def own(factory: Callable[[], Any]) -> Any:
    """Declare what means nothing to others, and stays as it is."""
    return by_rule(lambda ours, _theirs: ours, factory=factory)


def _counts(ours: Counter[Any], theirs: Counter[Any]) -> Counter[Any]:
    ours.update(theirs)
    return ours


def _merged(ours: Any, theirs: Any) -> Any:
    ours.merge(theirs)
    return ours


def _parts(ours: dict[Any, Any], theirs: dict[Any, Any]) -> dict[Any, Any]:
    for key, value in theirs.items():
        if key in ours:
            ours[key].merge(value)
        else:
            ours[key] = deepcopy(value)
    return ours


def _fields(made: type) -> tuple[Field[Any], ...]:
    return fields(made)
