"""How far a view lags behind the arrival of the events that it shows, and when to say so."""

from __future__ import annotations

BEHIND_S = 1.0
"""A longer lag is shown; a shorter one is a burst, or a busy machine."""

CAUGHT_UP_S = 0.1
"""A shorter lag counts as caught up. The gap between the two thresholds avoids flapping."""


class Lag:
    """The current lag of a view."""

    def __init__(self) -> None:
        self.is_long = False
        self.behind_s = 0.0

    def changes(self, behind_s: float) -> bool:
        """Set the lag in seconds; return whether the view has fallen behind or caught up with it."""
        self.behind_s = behind_s
        was_long = self.is_long
        self.is_long = behind_s > (CAUGHT_UP_S if was_long else BEHIND_S)
        return self.is_long != was_long

    def news(self, behind_s: float) -> str:
        """Set the lag; return a message when the output has fallen behind or caught up, else an empty text."""
        if not self.changes(behind_s):
            return ""
        return (
            f"{behind_s:.1f} s behind: the output is read more slowly than events arrive"
            if self.is_long
            else "caught up"
        )
