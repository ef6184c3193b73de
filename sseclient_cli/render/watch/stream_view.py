"""The views of ``sse watch``: plain lines for pipes and files, or a terminal with a status line at the bottom.

Events go to stdout, and messages about the connection to stderr; only a terminal shows both in one place. This file
must not know clocks or connections: times are arguments, ``time_s`` in seconds since the epoch and ``now_s`` in seconds
of a monotonic clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.escaping import visible
from sseclient_cli.render.standard_streams import Sink, Stdout, say
from sseclient_cli.render.watch.event_view import (
    Unwrapped,
    clock_time,
    comment_as_json,
    comment_as_line,
    event_as_json,
    event_as_line,
    is_huge,
    render_comment,
    render_event,
)
from sseclient_cli.render.watch.lag import Lag
from sseclient_cli.sse.event_stream import Event

RATE_WINDOW_S = 5.0
"""The window for events per second: long enough for a steady figure, short enough to follow a change."""


class Output(Enum):
    """The format of events."""

    TEXT = auto()
    JSON = auto()
    RAW = auto()


class StreamView(Protocol):
    """Shows events, comments and state changes; a context manager.

    ``time_s`` of an event or a comment is its arrival time.
    """

    @property
    def is_live(self) -> bool:
        """Whether ``refresh`` must be called often."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def event(self, event: Event, time_s: float) -> None:
        """Show an event."""

    def comment(self, comment: str, time_s: float) -> None:
        """Show a comment."""

    def state(self, change: StateChange, time_s: float, now_s: float, *, reopened: bool) -> None:
        """Show a state change of the connection; ``reopened``: a stream was open before."""

    def note(self, line: str) -> None:
        """Show a line about the connection."""

    def behind(self, behind_s: float, time_s: float) -> bool:
        """Take the lag: the time since the arrival of the next event; 0 when none is queued. Show it if it is long.

        Return whether that is news.
        """

    def refresh(self, now_s: float) -> None:
        """Update what depends on the time."""

    def flush(self) -> None:
        """Write all output that is still buffered."""


def state_as_line(change: StateChange, reopened: bool) -> str:
    """Return the line for a state change; empty for those that need no line."""
    if change.state is ConnectionState.WAITING:
        reason = f"{change.reason}; {change.diagnosis}" if change.diagnosis else change.reason
        return f"reconnecting in {change.delay_s or 0:.1f} s because {visible(reason, keep_lines=False)}"
    if change.state is ConnectionState.OPEN and reopened:
        return "reconnected"
    return ""


class PlainView:
    """Lines without escape codes, written by ``flush``. ``verbatim``: raw data is written unescaped, for a program.

    A burst of small events is one write. With a write per event, it was 3 times slower while another thread reads.
    """

    def __init__(self, output: Output, *, verbatim: bool, sink: Sink | None = None) -> None:
        self._output = output
        self._verbatim = verbatim
        self._sink = Stdout() if sink is None else sink
        self._lag = Lag()
        self._unwritten: list[bytes] = []
        self.is_live = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def event(self, event: Event, time_s: float) -> None:
        """Write an event."""
        if self._output is Output.JSON:
            self._write(event_as_json(event, time_s))
        elif self._output is Output.TEXT:
            self._write(event_as_line(event, time_s))
        elif self._verbatim:
            # Event streams are UTF-8, regardless of the locale.
            self._unwritten.append(event.data.encode("utf-8", "surrogatepass") + b"\n")
        else:
            self._write(visible(event.data))

    def comment(self, comment: str, time_s: float) -> None:
        """Write a comment."""
        self._write((comment_as_json if self._output is Output.JSON else comment_as_line)(comment, time_s))

    def state(self, change: StateChange, time_s: float, now_s: float, *, reopened: bool) -> None:
        """Write a state change to stderr. An error there does not stop the events."""
        if change.state is ConnectionState.OPEN:
            self._sink.begin()
        line = state_as_line(change, reopened)
        if line:
            self.flush()
            say(f"{clock_time(time_s)} {line}")

    def note(self, line: str) -> None:
        """Write a line to stderr."""
        self.flush()
        say(line)

    def behind(self, behind_s: float, time_s: float) -> bool:
        """Write to stderr when the output falls behind, and when it has caught up."""
        is_news = self._lag.changes(behind_s)
        if is_news:
            self.flush()
            long = f"{behind_s:.1f} s behind: the output is read more slowly than events arrive"
            say(f"{clock_time(time_s)} {long if self._lag.is_long else 'caught up'}")
        return is_news

    def refresh(self, now_s: float) -> None:
        """Do nothing: written lines do not change."""

    def flush(self) -> None:
        """Write the lines."""
        data = b"".join(self._unwritten)
        self._unwritten.clear()
        if data:
            self._sink.write(data)

    def _write(self, line: str) -> None:
        self._unwritten.append((line + "\n").encode(self._sink.encoding, "backslashreplace"))


@dataclass(frozen=True, slots=True)
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


def status_line(status: Status) -> Text:
    """Return one line that never wraps; a narrow terminal cuts its end, which matters least."""
    line = Text(no_wrap=True, overflow="ellipsis")
    if status.state is ConnectionState.OPEN:
        line.append("● connected", "green")
    elif status.state is ConnectionState.WAITING:
        line.append(f"● reconnecting in {status.wait_s:.1f} s", "yellow")
    else:
        line.append(f"● {status.state.value}", "yellow")
    if status.behind_s:
        line.append(f" │ {status.behind_s:.1f} s behind", "yellow")
    line.append(f" │ {status.events:,} event{'' if status.events == 1 else 's'}")
    if status.state is ConnectionState.WAITING:
        line.append(f" │ because {visible(status.reason, keep_lines=False)}")
    else:
        line.append(f" │ {status.events_per_s:,.1f}/s")
        if status.last_event_id:
            line.append(f" │ last id {visible(status.last_event_id[:40], keep_lines=False)}")
    line.append(f" │ {visible(status.url, keep_lines=False)}", "dim")
    return line


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

    def event(self, event: Event, time_s: float) -> None:
        """Show an event."""
        self._events += 1
        self._last_event_id = event.id
        if self._output is Output.TEXT:
            what = render_event(event, time_s, self._console.width)
            self._console.print(what, soft_wrap=is_huge(event.data))
        else:
            line = event_as_json(event, time_s) if self._output is Output.JSON else visible(event.data)
            self._console.print(Unwrapped(line), soft_wrap=True)

    def comment(self, comment: str, time_s: float) -> None:
        """Show a comment."""
        if self._output is Output.JSON:
            self._console.print(Unwrapped(comment_as_json(comment, time_s)), soft_wrap=True)
        else:
            self._console.print(render_comment(comment, time_s))

    def state(self, change: StateChange, time_s: float, now_s: float, *, reopened: bool) -> None:
        """Show a state change in the status line, and the important ones among the events too."""
        line = state_as_line(change, reopened)
        self._change, self._changed_s = change, now_s
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
        )
        self._live.update(status_line(status), refresh=True)
