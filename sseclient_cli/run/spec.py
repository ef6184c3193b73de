"""The specification of a run, and the shard of a run for one worker. Both can be pickled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sseclient_cli.errors import UsageError
from sseclient_cli.request.proxied import check_http2_route
from sseclient_cli.request.stream_requests import PerStream
from sseclient_cli.request.target import ResolvedTarget, Target
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.publish_plan import PublishPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """The request of each stream, the plan of the streams, and the number of workers."""

    target: Target
    plan: Plan
    workers: int = 1
    is_bundled_server: bool = False
    """Whether the target is the demo server, started for this run."""
    against: Target | None = None
    """A second target. The plan applies to each of the targets, in the same run."""
    is_against_bundled_server: bool = False
    publish: PublishPlan | None = None
    """The publisher of the events that the streams should receive."""

    def __post_init__(self) -> None:
        """Raise UsageError for what a stream of an HTTP/2 connection cannot do."""
        is_http2 = self.target.http2 or (self.against is not None and self.against.http2)
        if self.plan.streams_per_connection is not None and not is_http2:
            raise UsageError("`streams_per_connection` needs `http2`", arguments=["streams_per_connection", "http2"])
        if is_http2 and self.plan.bad_clients is not None:
            raise UsageError(
                "bad clients and `http2` exclude each other: a bad client needs a connection of its own",
                arguments=["http2"],
            )
        for target in filter(None, (self.target, self.against)):
            check_http2_route(target)

    def shard(
        self,
        chain: tuple[ResolvedTarget, ...],
        against: tuple[ResolvedTarget, ...] | None = None,
        *,
        others: tuple[ResolvedTarget, ...] = (),
    ) -> Shard:
        """Return the whole run as one shard, with the redirect chain that begins at the target, or at each of both.

        ``others`` are at the other origins that the streams of the target request.
        """
        publisher_id = "" if self.publish is None else self.publish.run_id
        return Shard(chain=chain, plan=self.plan, against=against, others=others, publisher_id=publisher_id)

    @property
    def sides(self) -> tuple[RunSpec, ...]:
        """The run as one specification per target."""
        alone = replace(self, against=None)
        if self.against is None:
            return (alone,)
        return (alone, replace(alone, target=self.against, is_bundled_server=self.is_against_bundled_server))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """The part of a run for one worker. ``chain`` is the resolved redirect chain from the target to the stream."""

    chain: tuple[ResolvedTarget, ...]
    plan: Plan
    against: tuple[ResolvedTarget, ...] | None = None
    """The chain of a second target, to which the plan applies too."""
    others: tuple[ResolvedTarget, ...] = ()
    """Requests at the other origins of a target whose streams have several URLs."""
    sends_snapshots: bool = False
    """Whether the worker sends its totals so far, once per second, besides its progress."""
    publisher_id: str = ""
    """The run ID in the tokens of published events; empty without a publisher."""
    clock_correction_ns: int = 0
    """The host's wall clock minus the coordinator's, to be removed from what is compared with other machines; 0 for no
    correction."""

    @property
    def chains(self) -> tuple[tuple[ResolvedTarget, ...], ...]:
        """The chain of each target."""
        return (self.chain,) if self.against is None else (self.chain, self.against)

    @property
    def values(self) -> tuple[PerStream | None, ...]:
        """What differs between the streams of each target."""
        return tuple(chain[0].target.per_stream for chain in self.chains)

    def with_values(self, values: Sequence[PerStream | None]) -> Shard:
        """Return this shard with other ``values``."""
        chain, *others = (
            (replace(first, target=replace(first.target, per_stream=each)), *redirected)
            for (first, *redirected), each in zip(self.chains, values, strict=True)
        )
        return replace(self, chain=chain, against=others[0] if others else None)

    def part(self, index: int, count: int) -> Shard:
        """Return the shard of worker ``index`` of ``count``."""
        return replace(self, plan=self.plan.shard(index, count))


def connections_for(streams: int, plan: Plan, target: Target) -> int:
    """Return the number of connections for these streams, if the server sets no lower limit for HTTP/2."""
    return -(-streams // plan.shared_by) if target.http2 else streams
