"""The logs of runs, by name: the oldest are evicted, and the reports of all workers are merged.

All workers are told of every request in the same order, so they evict the same runs.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

MAX_RUNS = 32

Log = TypeVar("Log")


class RunLogs(Generic[Log]):
    """The runs that this worker knows."""

    def __init__(self, make: Callable[[], Log]) -> None:
        self._make = make
        self._runs: OrderedDict[str, Log] = OrderedDict()

    def entered(self, name: str) -> Log:
        """Return the log of a run that has a request now."""
        run = self._runs.setdefault(name, self._make())
        self._runs.move_to_end(name)
        if len(self._runs) > MAX_RUNS:
            self._runs.popitem(last=False)
        return run

    def known(self, name: str) -> Log:
        """Return the log of a run; an unknown one if it was deleted or evicted meanwhile.

        It is not restored: the other workers would not restore it.
        """
        return self._runs.get(name) or self._make()

    def get(self, name: str) -> Log | None:
        """Return the log of a run; None if it is unknown."""
        return self._runs.get(name)

    def forget(self, name: str) -> None:
        """Delete the log of a run."""
        self._runs.pop(name, None)


def merged(
    reports: Iterable[dict[str, Any] | None], counters: Iterable[str], listed: str, most: int
) -> dict[str, Any] | None:
    """Merge the reports of all workers on one run; None if no worker knows it.

    ``counters`` are the totals that add up, besides ``ended``. ``listed`` is the list of numbered entries;
    ``most`` of them are kept.
    """
    parts = [report for report in reports if report is not None]
    if not parts:
        return None
    totals = {key: sum(part["totals"][key] for part in parts) for key in counters if key != "ended"}
    ended = sum((Counter(part["totals"]["ended"]) for part in parts), Counter[str]())
    entries = sorted((entry for part in parts for entry in part[listed]), key=lambda entry: entry["number"])
    return {
        "run": parts[0]["run"],
        "totals": {**totals, "ended": dict(sorted(ended.items()))},
        listed: entries[:most],
        "is_cut": len(entries) > most or any(part["is_cut"] for part in parts),
    }
