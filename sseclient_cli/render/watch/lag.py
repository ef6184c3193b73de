"""How far a view is behind the arrival of what it shows, and when that is worth a word."""

from __future__ import annotations

BEHIND_S = 1.0
"""From here on the view says that it is behind: less is a burst, or a busy machine."""

CAUGHT_UP_S = 0.1
"""From here on it does not any more. Between the two nothing changes, so that it is said once."""


class Lag:
    """Whether a view is behind, and how long."""

    def __init__(self) -> None:
        self.is_long = False
        self.behind_s = 0.0

    def changes(self, behind_s: float) -> bool:
        """Take a new value; return whether there is something to say."""
        self.behind_s = behind_s
        was_long = self.is_long
        self.is_long = behind_s > (CAUGHT_UP_S if was_long else BEHIND_S)
        return self.is_long != was_long
