"""The view of ``sse watch`` for a terminal: events scroll above a status line, which is removed at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.escaping import visible
from sseclient_cli.render.watch.event_view import clock_time, comment_as_json, events_as_json
from sseclient_cli.render.watch.lag import Lag
from sseclient_cli.render.watch.status_line import Status, status_line
from sseclient_cli.render.watch.stream_view import Output, state_as_line
from sseclient_cli.render.watch.terminal_event import Unwrapped, is_huge, render_comment, render_event
from sseclient_cli.sse.event_stream import Event

RATE_WINDOW_S = 5.0
"""The window for events per second: long enough for a steady figure, short enough to follow a change."""


class TerminalView:
    """Events scroll above a status line, which is removed at the end."""

    def __init__(self, output: Output, url: str, console: Console) -> None:
        self._output = output
        self._url = url
        self._console = console
        # No refresh thread: the thread of the view calls ``refresh`` often enough.
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._change = StateChange(ConnectionState.CONNECTING, "connecting")
        self._changed_s = 0.0
        self._states: dict[str, ConnectionState] = {}
        self._events = 0
        self._last_event_id = ""
        self._counts: deque[tuple[float, int]] = deque()
        self._lag = Lag()
        self.is_live = True

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def events(self, events: Sequence[Event], label: str = "") -> None:
        """Show events."""
        for event in events:
            self._event(event, event.arrived_ns / 1e9, label)

    def _event(self, event: Event, time_s: float, label: str) -> None:
        self._events += 1
        self._last_event_id = event.id
        if self._output is Output.TEXT:
            what = render_event(event, time_s, self._console.width, label)
            self._console.print(what, soft_wrap=is_huge(event.data))
        else:
            line = events_as_json([event], label)[0] if self._output is Output.JSON else visible(event.data)
            self._console.print(Unwrapped(line), soft_wrap=True)

    def comment(self, comment: str, time_s: float, label: str = "") -> None:
        """Show a comment."""
        if self._output is Output.JSON:
            self._console.print(Unwrapped(comment_as_json(comment, time_s, label)), soft_wrap=True)
        else:
            self._console.print(render_comment(comment, time_s, label))

    def state(self, change: StateChange, time_s: float, now_s: float, label: str = "", *, reopened: bool) -> None:
        """Show a state change in the status line, and the important ones among the events too."""
        line = state_as_line(change, label, reopened=reopened)
        self._change, self._changed_s = change, now_s
        self._states[label] = change.state
        if line:
            self._console.print(Text(f"{clock_time(time_s)} {line}", "yellow"))
        self.refresh(now_s)

    def note(self, line: str) -> None:
        """Show a line among the events."""
        self._console.print(Text(line, "dim"), soft_wrap=True)

    def behind(self, behind_s: float, time_s: float) -> bool:
        """Show in the status line, from the next refresh on, that the terminal is behind."""
        return self._lag.changes(behind_s)

    def flush(self) -> None:
        """Do nothing: the console does not buffer."""

    def refresh(self, now_s: float) -> None:
        """Update the status line."""
        self._counts.append((now_s, self._events))
        while self._counts[0][0] < now_s - RATE_WINDOW_S:
            self._counts.popleft()
        before_s, before = self._counts[0]
        elapsed_s = now_s - before_s
        waited_s = now_s - self._changed_s
        status = Status(
            url=self._url,
            state=self._change.state,
            reason=self._change.reason,
            wait_s=max((self._change.delay_s or 0.0) - waited_s, 0.0),
            events=self._events,
            events_per_s=(self._events - before) / elapsed_s if elapsed_s > 0 else 0.0,
            last_event_id=self._last_event_id,
            behind_s=self._lag.behind_s if self._lag.is_long else 0.0,
            open_of_all=(list(self._states.values()).count(ConnectionState.OPEN), max(len(self._states), 1)),
        )
        self._live.update(status_line(status), refresh=True)
