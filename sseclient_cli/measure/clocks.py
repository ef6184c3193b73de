"""Whether clocks can be trusted: steps of our own during a run, and how far the server's is from ours.

Pure: the moments come in. The server's clock is known from the Date header of its responses, to the second (RFC 9110
6.6.1). A timestamp in an event is by the server's clock, so a constant difference would be in every ``delivery``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from sseclient_cli.units import NS_PER_S

MAX_DRIFT_NS = 10_000_000
"""A larger change of the offset between two clocks within a tick is a step: NTP slews by 0.05 ms in that time."""

LEAST_DIFFERENCE_S = 2
"""A Date has whole seconds, and may be a second old when it is sent (uvicorn makes one a second)."""

MAX_STEPS = 20
MAX_DIFFERENCES = 100


@dataclass(slots=True)
class ClockWatch:
    """What one worker has seen of the clocks."""

    steps: dict[int, int] = field(default_factory=dict)
    """Steps of this machine's wall clock in ns, by the monotonic moment of each."""
    differences: Counter[int] = field(default_factory=Counter)
    """Server's Date less arrival of the head, in whole seconds, with how often each came."""

    def note_step(self, at_ns: int, step_ns: int) -> None:
        """Note that the wall clock was set by so much."""
        if len(self.steps) < MAX_STEPS:
            self.steps[at_ns] = step_ns

    def note_date(self, date: str, arrival_ns: int, waited_ns: int = 0) -> int:
        """Take the Date of a response head that arrived then (ns since 1970); return ``server_less_client_ns``.

        The head was waited for so long: a server may have made it at any moment of that time.
        """
        date_s = _seconds(date)
        if date_s is not None:
            # On average, half a second of the Date is cut off.
            after_request_s = date_s + 0.5 - (arrival_ns - waited_ns) / NS_PER_S
            after_arrival_s = date_s + 0.5 - arrival_ns / NS_PER_S
            difference_s = round(max(after_arrival_s, 0) or min(after_request_s, 0))
            if difference_s in self.differences or len(self.differences) < MAX_DIFFERENCES:
                self.differences[difference_s] += 1
        return usual_difference_s(self.differences) * NS_PER_S


def usual_difference_s(differences: Counter[int]) -> int:
    """Return by how many seconds a server's clock is ahead by most of its Dates; 0 if no more than Dates can tell."""
    if not differences:
        return 0
    (difference_s, _), *_ = differences.most_common(1)
    return difference_s if abs(difference_s) >= LEAST_DIFFERENCE_S else 0


@lru_cache(maxsize=64)
def _seconds(date: str) -> int | None:
    """Return a Date in seconds since 1970; thousands of responses have the same one."""
    from email.utils import parsedate_to_datetime  # loads much of the library

    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    return None if moment.tzinfo is None else round(moment.timestamp())
