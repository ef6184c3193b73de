"""The recovery after a storm: how soon the streams were open again and the events flowed as before. Pure.

The timeline has one row for each second (or more in a long run), so the times are as exact as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from sseclient_cli.report.model import Report

ROWS_BEFORE = 5
"""The rows before the storm whose median is the usual level."""

OPEN_AGAIN_SHARE = 0.99
FLOWING_SHARE = 0.9
"""Events of a steady stream vary by a few percent from second to second."""

ROUNDING_S = 0.1
"""A run of 10 s takes a few milliseconds more or less."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """The recovery of a run after its storm."""

    storm_s: float
    open_before: int
    reconnected: int | None
    """Reconnections from the storm to the end; None in a report of an older version."""
    open_again_s: float | None
    """The time from the storm to the end of the row with nearly all streams open; None if there is no such row."""
    flowing_again_s: float | None
    observed_s: float
    """How long the run went on after the storm."""


def recovery(report: Report) -> Recovery | None:
    """Return the recovery; None without a storm, or without a whole row on both sides of it."""
    storm_s, interval_s = report.run.plan.storm_s, report.run.interval_s
    if storm_s is None:
        return None
    # The row that ends with the storm may already count the streams that it closed.
    before = [row for row in report.timeline if row.t_s + interval_s < storm_s][-ROWS_BEFORE:]
    since = [row for row in report.timeline if row.t_s + interval_s >= storm_s]
    whole = [row for row in since if storm_s < row.t_s + interval_s <= report.run.duration_s + ROUNDING_S]
    if not before or not whole:
        return None
    opened = median(row.open for row in before)
    events = median(row.events for row in before)
    again = next((row for row in whole if row.open >= OPEN_AGAIN_SHARE * opened), None)
    # The row of the storm has events from before it.
    flowing = next((row for row in whole if row.t_s >= storm_s and row.events >= FLOWING_SHARE * events), None)
    return Recovery(
        storm_s=storm_s,
        open_before=round(opened),
        reconnected=None if since[0].reconnected is None else sum(row.reconnected or 0 for row in since),
        open_again_s=None if again is None else again.t_s + interval_s - storm_s,
        flowing_again_s=None if flowing is None else flowing.t_s + interval_s - storm_s,
        observed_s=report.run.duration_s - storm_s,
    )
