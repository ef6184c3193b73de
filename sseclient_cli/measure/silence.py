"""Detects a silent stream: no byte for much longer than the stream's earlier pauses.

Pure. Heartbeats are bytes too: a stream with a heartbeat every 15 s is not silent, however rare its events are.
"""

from __future__ import annotations

from sseclient_cli.units import NS_PER_S

LEAST_SILENCE_NS = NS_PER_S
"""A shorter silence cannot be distinguished from a busy moment."""

LEAST_ACTIVE_NS = NS_PER_S // 2
"""A stream that was active for less than this has shown no rhythm: its server sent a snapshot, then had no news."""

# The fewer pauses a stream has shown, the less its longest one proves. For events at random intervals (Poisson), the
# pause after k others is longer than f times the longest of them in one of C(f + k, k) cases: about one of 10^6 here.
_TIMES_BY_PAUSES = ((100, 4), (20, 7), (10, 13), (5, 40))


def is_silent(idle_ns: int, events: int, longest_pause_ns: int, active_ns: int) -> bool:
    """Return whether an open stream without a byte for ``idle_ns`` is silent.

    ``active_ns`` is the time from its opening to its last byte. ``longest_pause_ns`` is the longest time between two
    arrivals.
    """
    pauses = events - 1
    times = next((times for least, times in _TIMES_BY_PAUSES if pauses >= least), None)
    if times is None or active_ns < LEAST_ACTIVE_NS:
        return False  # visible as a stream without an event, or in the open gap
    return idle_ns > max(LEAST_SILENCE_NS, times * longest_pause_ns)
