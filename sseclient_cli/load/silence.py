"""When a stream has gone silent: no byte for longer than it has ever been quiet before.

Pure. Heartbeats are bytes, too: a stream whose server sends one every 15 s may be without events for any time.
"""

from __future__ import annotations

from sseclient_cli.load.plan import NS_PER_S

LEAST_SILENCE_NS = NS_PER_S
"""A shorter silence is not told from a busy moment."""

PAUSES = 4
"""Times its own longest pause so far. A stream of events at random intervals exceeds that once in thousands of runs."""

LEAST_EVENTS = 3
"""With fewer events a stream has shown no pause of its own: then that of the other streams counts."""


def is_silent(idle_ns: int, events: int, longest_pause_ns: int, usual_gap_ns: int | None) -> bool:
    """Say whether a stream without a byte for ``idle_ns`` has gone silent.

    ``usual_gap_ns`` is a gap that few events of all streams exceed; None where too few came to say.
    """
    if events < LEAST_EVENTS:
        if not events or usual_gap_ns is None:
            return False  # it is counted as a stream without an event, or there is nothing to compare with
        longest_pause_ns = max(longest_pause_ns, usual_gap_ns)
    return idle_ns > max(LEAST_SILENCE_NS, PAUSES * longest_pause_ns)
