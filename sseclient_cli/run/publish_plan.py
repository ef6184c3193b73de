"""The plan of a publisher: what to publish, where, how often, and in which part of the run.

This module is pure. Times are offsets from the start of the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.fanout_token import MAX_NUMBER, token_of
from sseclient_cli.measure.fanout_totals import PublisherFacts
from sseclient_cli.request.target import Target
from sseclient_cli.run.plan import Plan
from sseclient_cli.units import NS_PER_S

TOKEN = "{token}"
NUMBER = "{n}"

DEFAULT_TEMPLATE = '{"n": {n}, "token": "{token}"}'

SETTLE_S = 0.5
"""Time between the last planned start of a stream and the first event, so that all streams are open."""

SETTLE_SHARE = 0.1
"""The same as a share of the rest of the run, at most."""

GRACE_S = 1.0
"""Time in which an event may arrive, so that events of the last second of a run are not expected on any stream.
Publishing goes on until the end: streams without events would look silent."""

GRACE_SHARE = 0.1
"""The same as a share of the rest of the run, at most."""

MAX_RECEIPT_BYTES = 1 << 30
"""Limit of the bits that all workers keep: one per stream and event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPlan:
    """Publishes an event per period to ``target``, or as a line on the stdin of ``command``."""

    run_id: str
    template: str
    rate_per_s: float
    first_s: float
    last_s: float
    grace_s: float
    target: Target | None = None
    """Its body is ignored."""
    command: tuple[str, ...] = ()

    @property
    def planned(self) -> int:
        """The number of events before ``last_s``."""
        return ceil((self.last_s - self.first_s) * self.rate_per_s - 1e-9)

    def due_ns(self, number: int) -> int:
        """Return when event ``number`` is due; the first has the number 1."""
        return round((self.first_s + (number - 1) / self.rate_per_s) * NS_PER_S)

    def body(self, number: int, sent_ns: int) -> bytes:
        """Return the body of an event, whose size does not depend on ``sent_ns``."""
        token = token_of(self.run_id, number, sent_ns)
        text = self.template.replace(TOKEN, token).replace(NUMBER, str(number))
        # Python decodes command-line bytes that are not UTF-8 as surrogates; this restores the bytes.
        return text.encode("utf-8", "surrogateescape")

    def facts(self) -> PublisherFacts:
        """Return what the report says about the plan: no arguments of a command, which may be secrets."""
        return PublisherFacts(
            command=self.command[0] if self.command else "",
            url="" if self.target is None else self.target.redacted_url,
            method="" if self.target is None else self.target.method,
            rate_per_s=self.rate_per_s,
            first_s=round(self.first_s, 3),
            last_s=round(self.last_s, 3),
            grace_s=round(self.grace_s, 3),
        )


def publish_plan(
    plan: Plan,
    *,
    run_id: str,
    template: str,
    rate_per_s: float,
    target: Target | None = None,
    command: tuple[str, ...] = (),
) -> PublishPlan:
    """Return the plan of the publisher of a run. Raises UsageError if the run has no time for it.

    The first event follows the ramp-up and the warm-up. With an arrival rate or a lifetime, streams open during the
    whole run, and the first event follows the warm-up.
    """
    is_growing = plan.rate_per_s is not None or plan.lifetime_s is not None
    opened_s = max(0.0 if is_growing else plan.ramp_up_s, plan.warmup_s)
    left_s = plan.duration_s - opened_s
    first_s = opened_s + min(SETTLE_S, SETTLE_SHARE * left_s)
    if left_s <= 0:
        raise UsageError(
            f"a run of {plan.duration_s:g} s has no time to publish after {opened_s:g} s of ramp-up and warm-up",
            code="publish-time",
            arguments=["duration_s"],
        )
    made = PublishPlan(
        run_id=run_id,
        template=template,
        rate_per_s=rate_per_s,
        first_s=first_s,
        last_s=plan.duration_s,
        grace_s=min(GRACE_S, GRACE_SHARE * left_s),
        target=target,
        command=command,
    )
    if made.planned > MAX_NUMBER or made.planned * plan.planned > 8 * MAX_RECEIPT_BYTES:
        raise UsageError(
            f"{made.planned:,} events to {plan.planned:,} streams are too many to follow",
            code="publish-events",
            arguments=["connections"],
        )
    return made
