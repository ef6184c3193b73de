"""The kinds of bad clients. Pure, and without imports: the command line reads it at its start."""

from __future__ import annotations

from enum import StrEnum


class BadKind(StrEnum):
    """What a bad client does."""

    SLOW = "slow"
    """Reads a few bytes per second, so that the server's send buffer fills."""
    VANISH = "vanish"
    """Stops to answer without closing the connection, like a machine without power."""
    ABRUPT = "abrupt"
    """Resets the connection (RST)."""
    HALF_REQUEST = "half_request"
    """Sends the first half of a request head, then nothing."""
