"""Messages between the coordinator and its workers. They can be pickled.

Workers also send ``Progress``, ``Totals``, and the ``SseError`` of a worker that failed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sseclient_cli.measure.totals import Totals


@dataclass(frozen=True, slots=True)
class Ready:
    """First message of a worker: it has opened nothing yet, and can begin at a given moment."""


@dataclass(frozen=True, slots=True)
class Start:
    """Begin the run at this time of the worker's monotonic clock."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class Interrupt:
    """End the run now and send the totals so far."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The worker has ended. Its totals follow, perhaps merged with those of other workers."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The totals of a worker so far, without its timeline. A worker sends it if ``Shard.sends_snapshots``."""

    totals: Totals


Command = Start | Interrupt
