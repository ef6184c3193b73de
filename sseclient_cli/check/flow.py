"""Judge when bytes arrive: heartbeats, silence, and bursts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from sseclient_cli.check.catalogue import Check, Result
from sseclient_cli.check.recording import End, Recording
from sseclient_cli.check.words import counted, time_words
from sseclient_cli.units import NS_PER_S

SILENT_S = 55.0
"""nginx closes a connection to a server after 60 s without a byte (proxy_read_timeout), others earlier."""

BUSY_S = 5.0
"""A stream that is never silent for longer sends no heartbeat that could be seen: servers wait 10 to 30 s."""

PAUSE_S = 0.1
"""Events this far apart are not in one group."""

AT_ONCE_S = 0.03
"""The events of one burst: one flush of a buffer, possibly in several reads."""

CONTINUOUS = 20
"""Arrival times without pauses between them: the events flow."""

EVENTS_PER_BURST = 3
"""On average: a busy server sends two events at once now and then."""

ENOUGH_BURSTS = 3
"""One or two bursts may be chance."""


def judge_heartbeat(recording: Recording) -> Result:
    """Judge the longest silence, and the time between comments."""
    check, silence_s = Check.HEARTBEAT, recording.longest_silence_s(recording.ended_ns)
    silence = f"longest silence {time_words(silence_s)}"
    seen = f"{counted(len(recording.heartbeats_ns), 'heartbeat')}, {silence}"
    if silence_s >= SILENT_S:
        return check.warning(f"{seen}: nginx closes a connection after 60 s of silence")
    interval_s = heartbeat_interval_s(recording)
    if interval_s is not None:
        heartbeat = f"a heartbeat every {time_words(interval_s)}"
        return (
            check.warning(f"{heartbeat}, {silence}") if interval_s >= SILENT_S else check.ok(f"{heartbeat}, {silence}")
        )
    if recording.end is not End.OPEN:
        return check.not_checked("the stream is never silent" if recording.end is End.FULL else f"{seen}: it ended")
    if silence_s < BUSY_S <= recording.watched_s:
        return check.not_checked(
            f"{seen}: too busy for a heartbeat", "Check the stream while no events are published, for a longer time."
        )
    return check.not_checked(
        f"{seen} in {time_words(recording.watched_s)}",
        "Check for 65 s to see whether a heartbeat comes before the timeout of a proxy.",
    )


def heartbeat_interval_s(recording: Recording) -> float | None:
    """Return the usual time between two heartbeats, or the silence before the only one; None without either."""
    gaps_ns = [later - earlier for earlier, later in pairwise(recording.heartbeats_ns) if later > earlier]
    if not gaps_ns:
        gaps_ns = [silence_ns for silence_ns in recording.silences_before_heartbeats_ns if silence_ns >= NS_PER_S]
    return median(gaps_ns) / NS_PER_S if gaps_ns else None


def judge_bursts(recording: Recording) -> Result:
    """Judge whether events arrive several at once, again and again."""
    check, groups = Check.BURSTS, groups_of(recording)
    events = sum(group.size for group in groups)
    times = {event.arrived_ns for event in recording.events}
    if len(groups) < ENOUGH_BURSTS and len(times) >= CONTINUOUS:
        return check.ok(f"{len(recording.events):,} events arrived at {len(times):,} times")
    if len(groups) < ENOUGH_BURSTS:
        return check.not_checked(f"{counted(len(recording.events), 'event')}: too few")
    if is_bursty(groups):
        return check.warning(f"{events:,} events in {len(groups):,} bursts: a buffer or the server holds them back")
    return check.ok(f"{events:,} events arrived in {len(groups):,} groups")


@dataclass(frozen=True, slots=True)
class Group:
    """Events without a pause between them, and the time from the first to the last."""

    size: int
    spread_ns: int


def is_bursty(groups: list[Group]) -> bool:
    """Return whether all groups are bursts, and there are enough of them."""
    is_burst = [group.size > 1 and group.spread_ns <= AT_ONCE_S * NS_PER_S for group in groups]
    events = sum(group.size for group in groups)
    return len(groups) >= ENOUGH_BURSTS and all(is_burst) and events >= EVENTS_PER_BURST * len(groups)


def groups_of(recording: Recording) -> list[Group]:
    """Return the groups of events.

    The first one is left out, which may be a history or the current state, and the last one, which is unfinished.
    """
    groups: list[list[int]] = [[]]
    latest_ns = recording.head.arrived_ns
    for event in recording.events:
        if event.arrived_ns - latest_ns >= PAUSE_S * NS_PER_S:
            groups.append([])
        groups[-1].append(event.arrived_ns)
        latest_ns = event.arrived_ns
    return [Group(len(group), group[-1] - group[0]) for group in groups[1:-1]]
