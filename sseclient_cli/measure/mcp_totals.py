"""The figures of answers to MCP requests, in a form that merges. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sseclient_cli.measure.merging import Merging, mergeable, summed


@mergeable
@dataclass(slots=True)
class McpTotals(Merging):
    """The answers that succeeded."""

    sessions: int = summed()
    """The sessions that were opened for the run."""
    in_streams: int = summed()
    """Answers in an event stream."""
    in_bodies: int = summed()
    """Answers that were one body of JSON."""
    notifications: int = summed()
    """Notifications before these answers, such as progress."""
