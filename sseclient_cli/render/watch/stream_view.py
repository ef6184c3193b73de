"""The interface of the plain views of ``sse watch``.

Events go to stdout, and messages about the connection to stderr; only a terminal shows both in one place. Views must
not know clocks or connections: times are arguments, ``time_s`` in seconds since the epoch and ``now_s`` in seconds of a
monotonic clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from types import TracebackType
from typing import Protocol, Self

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.escaping import visible
from sseclient_cli.sse.event_stream import Event


class Output(Enum):
    """The format of events."""

    TEXT = auto()
    JSON = auto()
    RAW = auto()


class StreamView(Protocol):
    """Shows events, comments and state changes; a context manager.

    ``time_s`` of a comment is its arrival time. ``label`` names the stream if there are several.
    """

    @property
    def is_live(self) -> bool:
        """Whether it is a ``TerminalView``, which ``LiveDisplay`` draws."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def events(self, events: Sequence[Event], label: str = "") -> None:
        """Show events, which have their arrival times. ``label`` names their stream if there are several."""

    def comment(self, comment: str, time_s: float, label: str = "") -> None:
        """Show a comment."""

    def state(self, change: StateChange, time_s: float, now_s: float, label: str = "", *, reopened: bool) -> None:
        """Show a state change of the connection; ``reopened``: a stream was open before."""

    def note(self, line: str) -> None:
        """Show a line about the connection."""

    def behind(self, behind_s: float, time_s: float) -> None:
        """Take the lag: the time since the arrival of the next event; 0 when none is queued. Show it if it is long."""

    def flush(self) -> None:
        """Write all output that is still buffered."""


def state_as_line(change: StateChange, label: str = "", *, reopened: bool) -> str:
    """Return the line for a state change; empty for those that need no line."""
    prefix = f"{label}: " if label else ""
    if change.state is ConnectionState.WAITING:
        reason = f"{change.reason}; {change.diagnosis}" if change.diagnosis else change.reason
        return f"{prefix}reconnecting in {change.delay_s or 0:.1f} s because {visible(reason, keep_lines=False)}"
    if change.state is ConnectionState.OPEN and reopened:
        return f"{prefix}reconnected"
    return ""
