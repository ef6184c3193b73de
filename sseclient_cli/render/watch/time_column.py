"""The time in front of an event: of day, or since the start. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from functools import lru_cache

GAP_CHARS = 7
"""The width of a gap: ``+0.102s``, ``+12.35s``, ``+1,234s``."""


class TimeStyle(Enum):
    """Which time to show with an event."""

    CLOCK = "clock"
    START = "start"
    NONE = "none"


@lru_cache(maxsize=64)  # the events of one read have the same arrival time
def clock_time(time_s: float) -> str:
    """Return the local time of day, HH:MM:SS.mmm; ``time_s`` is seconds since the epoch."""
    return datetime.fromtimestamp(time_s).astimezone().strftime("%H:%M:%S.%f")[:-3]


class TimeColumn:
    """Formats times. Those since the start count from the first time that it gets, usually that of the response."""

    def __init__(self, style: TimeStyle = TimeStyle.CLOCK) -> None:
        self._style = style
        self._start_s: float | None = None

    @property
    def has_gaps(self) -> bool:
        """Whether gaps are shown beside times."""
        return self._style is not TimeStyle.NONE

    def begin(self, time_s: float) -> None:
        """Set the start, unless it is set."""
        if self._start_s is None:
            self._start_s = time_s

    def text(self, time_s: float) -> str:
        """Return a time with a space after it; empty without times."""
        if self._style is TimeStyle.NONE:
            return ""
        if self._style is TimeStyle.CLOCK:
            return clock_time(time_s) + " "
        self.begin(time_s)
        return f"{time_s - (self._start_s or 0.0):8.3f}s "


def gap_text(gap_s: float | None) -> str:
    """Return the time since the previous event in GAP_CHARS characters; spaces for the first event."""
    if gap_s is None:
        return " " * GAP_CHARS
    digits = 3 if gap_s < 9.9995 else 2 if gap_s < 99.995 else 1 if gap_s < 999.95 else 0
    return f"+{gap_s:,.{digits}f}s".rjust(GAP_CHARS)
