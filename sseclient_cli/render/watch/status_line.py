"""The lines at the bottom of the live view: the status, the filter that is being typed, and a silence that goes on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from rich.text import Text

from sseclient_cli.client.state import ConnectionState
from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import counted

RATE_WINDOW_S = 5.0
"""The window for events per second: long enough for a steady figure, short enough to follow a change."""

MAX_CHARS = 40
"""A longer ID or filter is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The content of the status line."""

    url: str
    state: ConnectionState
    reason: str
    wait_s: float
    events: int
    events_per_s: float
    last_event_id: str
    behind_s: float = 0.0
    """0 unless the view is behind."""
    is_paused: bool = False
    kept: int = 0
    dropped: int = 0
    """Events that a pause could not keep."""
    filter_text: str = ""
    hidden: int = 0
    typed: str | None = None
    """The filter that is being typed."""
    stall: str = ""
    """The silence that goes on, in words."""
    has_keys: bool = False
    open_of_all: tuple[int, int] = (1, 1)
    """The number of open streams, and of all."""


class RecentRate:
    """Events per second within the last RATE_WINDOW_S."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, int]] = deque()

    def at(self, now_s: float, events: int) -> float:
        """Return the rate now, with ``events`` so far."""
        self._counts.append((now_s, events))
        while self._counts[0][0] < now_s - RATE_WINDOW_S:
            self._counts.popleft()
        before_s, before = self._counts[0]
        elapsed_s = now_s - before_s
        return (events - before) / elapsed_s if elapsed_s > 0 else 0.0


def bottom_lines(status: Status) -> Text:
    """Return the status line, or the input line instead of it; above it a silence that goes on."""
    lines = Text(no_wrap=True, overflow="ellipsis")
    if status.stall:
        lines.append(f"─── {status.stall} ───\n", "dim")
    return lines.append_text(status_line(status) if status.typed is None else _input_line(status.typed))


def _input_line(typed: str) -> Text:
    return Text.assemble(
        ("filter: ", "bold"), visible(typed, keep_lines=False), ("█", "blink"), ("  Enter, or Esc to cancel", "dim")
    )


def status_line(status: Status) -> Text:
    """Return one line that never wraps; a narrow terminal cuts its end, which matters least."""
    line = Text(no_wrap=True, overflow="ellipsis")
    opened, streams = status.open_of_all
    if streams > 1:
        line.append(f"● {opened} of {streams} connected", "green" if opened == streams else "yellow")
    elif status.state is ConnectionState.OPEN:
        line.append("● connected", "green")
    elif status.state is ConnectionState.WAITING:
        line.append(f"● reconnecting in {status.wait_s:.1f} s", "yellow")
    else:
        line.append(f"● {status.state.value}", "yellow")
    _append_display(line, status)
    line.append(f" │ {counted(status.events, 'event')}")
    is_waiting = streams == 1 and status.state is ConnectionState.WAITING
    if is_waiting:
        line.append(f" │ because {visible(status.reason, keep_lines=False)}")
    else:
        line.append(f" │ {status.events_per_s:,.1f}/s")
    if status.has_keys:
        line.append(" │ ? for keys", "dim")
    if status.last_event_id and not is_waiting:
        # After the hint: a UUID as the ID would push it off a terminal of 80 columns.
        line.append(f" │ last id {visible(status.last_event_id[:MAX_CHARS], keep_lines=False)}")
    line.append(f" │ {visible(status.url, keep_lines=False)}", "dim")
    return line


def _append_display(line: Text, status: Status) -> None:
    """Append the parts of the stream that the display does not show now."""
    if status.is_paused:
        line.append(f" │ paused: {counted(status.kept, 'event')} kept", "yellow")
        if status.dropped:
            line.append(f", {status.dropped:,} older ones dropped", "yellow")
    if status.filter_text:
        text = visible(status.filter_text[:MAX_CHARS], keep_lines=False)
        line.append(f" │ filter {text}: {status.hidden:,} hidden", "yellow")
    if status.behind_s:
        line.append(f" │ {status.behind_s:.1f} s behind", "yellow")
