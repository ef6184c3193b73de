"""The bad clients of a plan: their slots, their kinds, and when they turn bad.

Pure. The roles follow from the number of streams alone, so that each worker knows those of its slots, and a repeated
run has the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.bad_kind import BadKind

MAX_CONNECTIONS = 1_000_000
"""With bad clients, a plan has at most this many streams: the choice of the bad ones looks at each."""

_GOLDEN_RATIO_32 = 2_654_435_769
"""2**32 divided by the golden ratio. Multiples of it, modulo 2**32, are evenly spread over any choice of every n-th
slot, which is the share of a worker (Knuth, The Art of Computer Programming, volume 3, section 6.4)."""


@dataclass(frozen=True, slots=True)
class Share:
    """A number of streams: a count, or a percentage of all, and then at least one."""

    amount: float
    is_percent: bool

    def of(self, connections: int) -> int:
        """Return the number of streams."""
        return max(round(self.amount * connections / 100), 1) if self.is_percent else int(self.amount)

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.is_percent else f"{self.amount:.0f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadClients:
    """The bad clients of a plan."""

    at_s: float
    """When they turn bad."""
    shares: tuple[tuple[BadKind, Share], ...]
    slow_bytes_per_s: int | None = None

    def roles(self, connections: int) -> dict[int, BadKind]:
        """Return the slots of the bad clients, with their kind."""
        return _roles(self.shares, connections)

    def check(self, connections: int, duration_s: float) -> None:
        """Raise UsageError if the bad clients do not fit into a plan."""
        for kind, share in self.shares:
            if not 0 < share.amount < (100 if share.is_percent else connections):
                raise _error(f"`{kind}` of {share} must be above 0 and below all {connections:,} streams", [kind.value])
        count = sum(share.of(connections) for _, share in self.shares)
        if count >= connections:
            names = [kind.value for kind, _ in self.shares]
            named = ", ".join(f"`{name}`" for name in names)
            raise _error(f"bad clients ({named}) would leave no good stream of {connections:,}", names)
        if connections > MAX_CONNECTIONS:
            raise _error(f"`connections` must be at most {MAX_CONNECTIONS:,} with bad clients", ["connections"])
        if not 0 < self.at_s < duration_s:
            raise _error(
                f"clients would turn bad at {self.at_s:g} s (`bad_at_s`), which is not within a run of "
                f"{duration_s:g} s: make the run longer",
                ["bad_at_s"],
            )


def default_bad_at_s(ramp_up_s: float, duration_s: float) -> float:
    """Return the default time at which clients turn bad: a third of the run after the ramp-up.

    It is a whole second if possible: then it does not divide a row of the timeline.
    """
    third_s = ramp_up_s + (duration_s - ramp_up_s) / 3
    whole_s = float(round(third_s))
    return whole_s if ramp_up_s < whole_s < duration_s else round(third_s, 3)


@lru_cache(maxsize=2)
def _roles(shares: tuple[tuple[BadKind, Share], ...], connections: int) -> dict[int, BadKind]:
    kinds = [kind for kind, share in shares for _ in range(share.of(connections))]
    slots = sorted(range(connections), key=lambda slot: slot * _GOLDEN_RATIO_32 % 2**32)
    return dict(zip(slots, kinds, strict=False))


def _error(message: str, arguments: list[str]) -> UsageError:
    return UsageError(message, code="plan", arguments=arguments)
