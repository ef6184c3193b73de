"""Recognizes outages in the losses of all workers, and computes when the streams were back. Pure.

An outage is a storm of the plan, or the loss of many connections within a short time (docs/decisions). All times are
counted from its first loss. They are rounded up to a bin, so they are never too short by more than a bin.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import accumulate

from sseclient_cli.measure.recovery import ENDED, STORM, RecoveryTotals

LOST_SHARE = 0.2
"""An outage takes at least this share of the open streams: a process of a server with four or five has that many."""

LEAST_LOST = 5
"""... and at least this number. Fewer streams can end together by chance."""

WINDOW_MS = 1_000
"""... within this time. The kernel closes the sockets of a killed process at once; a server that shuts down takes
longer to end its responses, and the load generator to read the ends."""

STRAY_GAP_MS = 100
STRAY_SHARE = 0.1
"""Losses before the outage are not part of it if they are fewer than this share, and this long before the others."""

ONGOING_SHARE = 0.1
"""While more than this share of the missing streams is not back, further losses belong to the same outage."""

MAX_ENDS = 3
"""A server that ends more responses per stream has the habit, such as a long poll or a limit of a stream's life: then
an end is no loss. A server that shuts down ends each response once. The streams of a long poll are soon spread over
time, with many of them missing at any moment: that would look like one outage without an end."""


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage: the bins of its losses, and the streams that were open before."""

    start: int
    places: frozenset[int]
    open_before: int


@dataclass(frozen=True, slots=True)
class Course:
    """The course of an outage: at which bins the number of missing streams changed. Bins are counted from its start."""

    missing: tuple[tuple[int, int], ...]
    """The bins with a change, in order, and the number of missing streams after each. It begins with (-1, 0)."""
    most_missing: int
    """The largest number of streams that were missing at once."""

    def back_after(self, share: float) -> int | None:
        """Return the number of bins until this share of the missing streams was back for good; None if it never was."""
        most = self.most_missing - math.ceil(share * self.most_missing - 1e-9)
        found = None
        for place, missing in reversed(self.missing):
            if missing > most:
                break
            found = place
        return None if found is None else found + 1

    def share_back(self, place: int) -> float:
        """Return the share of the streams that was open at the end of a bin."""
        at = bisect_left(self.missing, (place + 1, 0)) - 1
        return 1 - self.missing[at][1] / self.most_missing if self.most_missing else 1.0


def outages(totals: RecoveryTotals, *, reconnects: bool) -> list[Outage]:
    """Return the outages in order. Without ``reconnects``, only a storm is one: lost streams do not return."""
    storms = totals.causes.get(STORM, Counter())
    change_at = sorted(totals.open_changes)
    open_after = [0, *accumulate(totals.open_changes[place] for place in change_at)]
    losses = totals.losses(without=[ENDED] if _ends_by_habit(totals, max(open_after)) else [])
    places, found = sorted(losses), []
    number, first_storm = 0, min(storms, default=math.inf)
    while number < len(places):
        start = places[number]
        open_before = open_after[bisect_left(change_at, start)]
        if start not in storms:
            window = [place for place in _window(places, number, totals) if not start < first_storm <= place]
            strays = _strays(window, losses, totals)
            is_enough = sum(losses[place] for place in window) >= max(LEAST_LOST, LOST_SHARE * open_before)
            if strays or not (reconnects and is_enough):
                number += max(strays, 1)
                continue
        joined = list(_joined(places[number:], totals))
        found.append(Outage(start, frozenset(joined), open_before))
        number += len(joined)
    return found


def course(outage: Outage, totals: RecoveryTotals) -> Course:
    """Return the course of an outage."""
    changes: Counter[int] = Counter()
    lost = {place: count for place, count in totals.losses().items() if place in outage.places}
    for place, count in lost.items():
        changes[place - outage.start] += count
    # A storm can be over in one bin, so its losses are counted first. A stream that came back and was lost again in one
    # bin would then count twice: more than were open cannot be missing.
    most = missing = 0
    returned = returns(outage, totals) + _of(outage, totals.completions)
    for place in sorted(changes.keys() | {place - outage.start for place in returned}):
        missing += changes[place]
        most = max(most, min(missing, outage.open_before))
        missing -= returned[place + outage.start]
        most = max(most, missing)
        changes[place] = missing
    return Course(((-1, 0), *sorted(changes.items())), most)


def returns(outage: Outage, totals: RecoveryTotals) -> Counter[int]:
    """Return the streams that came back after an outage, by bin."""
    return _of(outage, totals.returns)


def departed(outage: Outage, totals: RecoveryTotals) -> int:
    """Return how many streams an error ended for good."""
    return _of(outage, totals.departures).total()


def most_within(counts: Mapping[int, int], length: int) -> int:
    """Return the largest sum of the counts of ``length`` consecutive bins."""
    places = sorted(counts)
    most = together = first = 0
    for place in places:
        together += counts[place]
        while places[first] <= place - length:
            together -= counts[places[first]]
            first += 1
        most = max(most, together)
    return most


def _of(outage: Outage, counters: Mapping[int, Mapping[int, int]]) -> Counter[int]:
    together: Counter[int] = Counter()
    for place in outage.places & counters.keys():
        together.update(counters[place])
    return together


def _window(places: list[int], number: int, totals: RecoveryTotals) -> list[int]:
    end = places[number] + max(WINDOW_MS // totals.bin_ms, 1)
    return places[number : bisect_left(places, end)]


def _strays(window: list[int], losses: Mapping[int, int], totals: RecoveryTotals) -> int:
    """Return how many bins at the begin of the window have losses of their own, before the outage."""
    all_lost, before, strays = sum(losses[place] for place in window), 0, 0
    for number, place in enumerate(window[:-1]):
        before += losses[place]
        if before >= STRAY_SHARE * all_lost:
            break
        if (window[number + 1] - place) * totals.bin_ms > STRAY_GAP_MS:
            strays = number + 1
    return strays


def _ends_by_habit(totals: RecoveryTotals, most_open: int) -> bool:
    return totals.causes.get(ENDED, Counter()).total() > MAX_ENDS * most_open


def _joined(places: Iterable[int], totals: RecoveryTotals) -> Iterator[int]:
    """Yield the bins whose losses belong to an outage that begins with the first of them."""
    losses = totals.losses()
    resolved: list[tuple[int, int]] = []
    most = missing = 0
    end: int | None = None
    for place in places:
        while resolved and resolved[0][0] < place:
            missing -= heappop(resolved)[1]
        end = place + max(WINDOW_MS // totals.bin_ms, 1) if end is None else end
        if place >= end and missing <= ONGOING_SHARE * most:
            return
        missing += losses[place]
        most = max(most, missing)
        for counters in (totals.returns, totals.departures, totals.completions):
            for at, count in counters.get(place, {}).items():
                heappush(resolved, (at, count))
        yield place
