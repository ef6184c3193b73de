"""The results of bad clients: clients that behave badly on purpose from a planned time on, to test the server.

Pure. Their streams are not part of any other figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.merging import Merging, mergeable, part, summed


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


def bad_totals(roles: Mapping[int, BadKind]) -> dict[BadKind, BadTotals]:
    """Return the totals of bad clients before a run, for the roles of their slots."""
    return {kind: BadTotals(planned=planned) for kind, planned in Counter(roles.values()).items()}
