"""The results of bad clients: clients that behave badly on purpose from a planned time on, to test the server.

Pure. Their streams are not part of any other figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.merging import Merging, mergeable, part, summed


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


@mergeable
@dataclass(slots=True)
class BadTotals(Merging):
    """The results of the bad clients of one kind."""

    planned: int = summed()
    turned: int = summed()
    """Clients that had an open connection, and turned bad."""
    dropped: int = summed()
    """Connections that the server closed after the client had turned bad."""
    held: int = summed()
    """Connections that the server still held at the end of the run."""
    unknown: int = summed()
    """Connections for which neither is known."""
    dropped_after: Histogram = part(Histogram)
    """From the moment at which a client turned bad until its connection was closed, where that moment is known."""
