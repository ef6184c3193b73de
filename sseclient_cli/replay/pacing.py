"""When to send an item of a recording. Pure: times and random numbers are arguments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """The timing of a replay. ``is_looping``: it starts again at its end. An infinite ``speed`` leaves out all gaps."""

    speed: float = 1.0
    is_looping: bool = False
    jitter_s: float = 0.0
    seed: int = 0

    def delay_s(self, elapsed_ns: int, random: float) -> float:
        """Return the time after the start of the replay at which an item is due. ``random`` is from 0 to 1."""
        return elapsed_ns / 1e9 / self.speed + self.jitter_s * random
