"""Service-level objectives of a request: ``first_token < 500ms, tpot < 50ms``. Pure.

Goodput is the share, and the rate, of the requests that met all objectives (DistServe, OSDI 2024).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sseclient_cli.errors import UsageError

_OBJECTIVE = re.compile(r"\s*([a-z_]+)\s*(<=?)\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(us|ms|s|m)\s*")
_US_OF = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}


class Objective(StrEnum):
    """The durations of a request that an objective can limit, named as in the report."""

    FIRST_CHUNK = "first_chunk"
    FIRST_TOKEN = "first_token"
    FIRST_ANSWER = "first_answer"
    TPOT = "tpot"
    TOKEN_GAP = "token_gap"
    """The longest gap of the answer."""
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class Limit:
    """One objective."""

    objective: Objective
    limit_us: int
    is_inclusive: bool = False

    def __str__(self) -> str:
        return f"{self.objective} {'<=' if self.is_inclusive else '<'} {self.limit_us / 1000:g}ms"

    def is_met_by(self, value_us: int) -> bool:
        """Return whether a duration meets the objective."""
        return value_us <= self.limit_us if self.is_inclusive else value_us < self.limit_us


def parse_slo(text: str) -> tuple[Limit, ...]:
    """Read ``first_token < 500ms, tpot < 50ms``. Raises UsageError."""
    limits = tuple(map(_limit, text.split(",")))
    names = [each.objective for each in limits]
    if len(set(names)) < len(names):
        raise UsageError(f"{text!r} has two limits for one duration: leave one out", arguments=["slo"])
    return limits


def _limit(text: str) -> Limit:
    match = _OBJECTIVE.fullmatch(text)
    if match is None:
        raise UsageError(f"{text.strip()!r} is no objective: write it like first_token < 500ms", arguments=["slo"])
    if match[1] not in set(Objective):
        names = ", ".join(Objective)
        raise UsageError(f"{match[1]!r} has no objective: it can be for {names}", arguments=["slo"])
    return Limit(Objective(match[1]), round(float(match[3]) * _US_OF[match[4]]), match[2] == "<=")


def judge(limits: tuple[Limit, ...], values_us: Mapping[Objective, int | None]) -> dict[Limit, bool | None]:
    """Return for each objective whether it is met; None if its duration is not known."""
    found = {limit: values_us.get(limit.objective) for limit in limits}
    return {limit: None if value_us is None else limit.is_met_by(value_us) for limit, value_us in found.items()}
