"""What a coordinator and its workers tell each other, besides progress, totals, and the error of a worker that failed.

All of it pickles.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker's first message: its machine holds the shard, and it waits for ``Start``."""


@dataclass(frozen=True, slots=True)
class Start:
    """Begin the run at this moment of the worker's monotonic clock."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class Interrupt:
    """End the run now, and send what was measured."""


Command = Start | Interrupt
