"""The interface of objects that a worker's loop calls at planned times."""

from __future__ import annotations

from typing import Protocol

NEVER_NS = 2**63 - 1
"""The time of an action that is not planned."""


class Actor(Protocol):
    """Acts at planned times of a run, for example a stream pool."""

    @property
    def next_due_ns(self) -> int:
        """When to call ``do_due`` next (monotonic)."""

    @property
    def is_over(self) -> bool:
        """Whether it has no more work in this run."""

    def begin(self, started_ns: int) -> None:
        """Set the start of the run (monotonic), to which the times of the plan are relative."""

    def do_due(self) -> None:
        """Do the due actions, at most a bounded number per call."""
