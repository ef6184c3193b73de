"""The messages between the coordinator's machine and the agents of a cluster. Answers of several agents merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sseclient_cli.errors import SseError
from sseclient_cli.measure.merging import Merging, by_rule, mergeable, part, part_if_any, united
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.messages import Command
from sseclient_cli.run.progress import Progress

LEASE_S = 5.0
"""An agent without an exchange for this time ends its load: it has lost its coordinator."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill the process of a shard."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What the coordinator wants of all agents."""

    commands: Mapping[int, Command | Kill]
    """By shard."""
    wants_snapshot: bool = False


@mergeable
@dataclass(slots=True)
class Answer(Merging):
    """The state of the shards of the agents that answered. Shards are numbered over the whole run.

    The sets and dicts hold the state so far, so that a lost answer loses nothing.
    """

    agents: set[str] = united()
    """The agents that answered."""
    broken: set[str] = united()
    """The agents whose connection is refused or reset: their process has ended."""
    ready: set[int] = united()
    ended: set[int] = united()
    """Shards whose totals their agent holds."""
    errors: dict[int, SseError] = by_rule(lambda ours, theirs: {**ours, **theirs}, factory=dict)
    """Shards that failed."""
    deaths: dict[int, str] = by_rule(lambda ours, theirs: {**ours, **theirs}, factory=dict)
    """Shards whose process died, with the predicate of ``Handle.death``."""
    progress: Progress = part(Progress)
    progress_of: set[int] = united()
    """The shards in ``progress``."""
    snapshot: Totals | None = part_if_any()
    """The totals so far of the shards in ``snapshot_of``."""
    snapshot_of: set[int] = united()


@mergeable
@dataclass(slots=True)
class Collected(Merging):
    """The merged totals of shards."""

    totals: Totals = part(Totals)
    shards: set[int] = united()
    broken: set[str] = united()
    """The agents that did not answer, or only in part."""
