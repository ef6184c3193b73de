"""A run as a value: what was asked for, and the part of it that one worker does. Both pickle."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sseclient_cli.request.target import ResolvedTarget, Target
from sseclient_cli.run.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """What to run: the request of each stream, and when how many of them are made."""

    target: Target
    plan: Plan
    workers: int = 1
    is_bundled_server: bool = False
    """Whether the target is the demo server, started for this run."""

    def shard(self, chain: tuple[ResolvedTarget, ...]) -> Shard:
        """Return the whole run as a shard, along this redirect chain from the target."""
        return Shard(chain=chain, plan=self.plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """What one worker does. ``chain`` is the redirect chain from the target to the stream, with its addresses."""

    chain: tuple[ResolvedTarget, ...]
    plan: Plan

    def part(self, index: int, count: int) -> Shard:
        """Return the shard of worker ``index`` of ``count``."""
        return replace(self, plan=self.plan.shard(index, count))
