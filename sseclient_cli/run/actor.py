"""What a worker's loop calls when the clock says so."""

from __future__ import annotations

from typing import Protocol


class Actor(Protocol):
    """Has things to do at moments of a run, for example a stream pool."""

    @property
    def next_due_ns(self) -> int:
        """When ``do_due`` must be called next (monotonic)."""

    @property
    def is_over(self) -> bool:
        """Whether it has nothing left to do in this run."""

    def begin(self, started_ns: int) -> None:
        """Count the moments of the plan from here (monotonic)."""

    def do_due(self) -> None:
        """Do what is due, a bounded number of things at a time."""
