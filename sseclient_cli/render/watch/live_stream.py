"""The content of the live view: entries and status of the streams, their figures, and the actions of keys.

Pure: times are arguments. ``cli/live_display.py`` reads clocks and keys, and runs the view in a thread.
"""

from __future__ import annotations

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.measure.stream_statistics import StreamStatistics
from sseclient_cli.render.quantities import counted
from sseclient_cli.render.watch.controls import HELP, Action, Controls
from sseclient_cli.render.watch.lag import Lag
from sseclient_cli.render.watch.live_entries import Line, LineKind
from sseclient_cli.render.watch.live_feed import LiveFeed
from sseclient_cli.render.watch.status_line import RecentRate, Status
from sseclient_cli.render.watch.stream_view import state_as_line
from sseclient_cli.sse.event import Event
from sseclient_cli.units import NS_PER_S

DEFAULT_STALL_S = 10.0


class LiveStream:
    """Takes the events and states of one or more streams, and keys. ``statistics`` has the figures of each, by label.

    A silence of ``stall_s`` is marked; 0 marks none.
    """

    def __init__(self, url: str, *, stall_s: float = DEFAULT_STALL_S, shows_comments: bool = True) -> None:
        self._url = url
        self._stall_s = stall_s
        self._shows_comments = shows_comments
        self._change = StateChange(ConnectionState.CONNECTING, "connecting")
        self._changed_s = 0.0
        self._states: dict[str, ConnectionState] = {}
        self._last_event_id = ""
        self._controls = Controls()
        self._lag = Lag()
        self._rate = RecentRate()
        self.feed = LiveFeed()
        self.statistics: dict[str, StreamStatistics] = {}

    def event(self, event: Event, label: str = "") -> None:
        """Add an event."""
        statistics = self.statistics.get(label) or self._of(label)
        before_ns, now_ns = statistics.last_event_ns, event.arrived_ns
        gap_s: float | None = 0.0
        if now_ns != before_ns:
            gap_s = None if before_ns is None else max(now_ns - before_ns, 0) / NS_PER_S
            if stall := self._stall(label, now_ns):
                self.feed.line(Line(LineKind.STALL, stall, now_ns / NS_PER_S))
        statistics.event(event)
        self._last_event_id = event.id
        self.feed.event(event, now_ns / NS_PER_S, gap_s, label)

    def not_selected(self, latest: Event, count: int, label: str = "") -> None:
        """Add events that the options leave out."""
        self._of(label).not_selected(latest, count)

    def comment(self, comment: str, time_ns: int, label: str = "") -> None:
        """Add a comment."""
        self._of(label).comment(time_ns)
        if self._shows_comments:
            self.feed.line(Line(LineKind.COMMENT, comment, time_ns / NS_PER_S, label))

    def state(self, change: StateChange, time_ns: int, now_s: float, label: str = "", *, reopened: bool) -> None:
        """Take a state change: for the status line, and an important one among the events too."""
        self._change, self._changed_s = change, now_s
        self._states[label] = change.state
        if change.state is ConnectionState.OPEN:
            self._of(label).opened(time_ns)
        if line := state_as_line(change, label, reopened=reopened):
            self.feed.line(Line(LineKind.CONNECTION, line, time_ns / NS_PER_S))

    def note(self, line: str) -> None:
        """Add a line about the connection."""
        self.feed.line(Line(LineKind.NOTE, line))

    def press(self, text: str) -> list[Action]:
        """Take keys, and return the actions that are left for the view: CLEAR and QUIT."""
        left: list[Action] = []
        for action in self._controls.press(text):
            if action is Action.PAUSE_OR_CONTINUE:
                (self.feed.resume if self.feed.is_paused else self.feed.pause)()
            elif action is Action.FILTER:
                self.feed.apply_filter(self._controls.filter_text)
            elif action is Action.HELP:
                for key, meaning in HELP:
                    self.feed.line_at_once(LineKind.NOTE, f"  {key:<6} {meaning}")
            elif action is not Action.TYPE:
                left.append(action)
        return left

    def status(self, time_ns: int, now_s: float, oldest_s: float | None = None, *, has_keys: bool) -> Status:
        """Return the content of the status line now. ``oldest_s``: the arrival of the next event to draw."""
        feed = self.feed
        self._lag.changes(0.0 if oldest_s is None else time_ns / NS_PER_S - oldest_s)
        return Status(
            url=self._url,
            state=self._change.state,
            reason=self._change.reason,
            wait_s=max((self._change.delay_s or 0.0) - (now_s - self._changed_s), 0.0),
            events=feed.events,
            events_per_s=self._rate.at(now_s, feed.events),
            last_event_id=self._last_event_id,
            behind_s=self._lag.behind_s if self._lag.is_long else 0.0,
            is_paused=feed.is_paused,
            kept=feed.kept,
            dropped=feed.skipped,
            filter_text=feed.filter.text,
            hidden=feed.hidden,
            typed=self._controls.typed,
            stall="; ".join(filter(None, (self._stall(label, time_ns) for label in self.statistics))),
            has_keys=has_keys,
            open_of_all=(list(self._states.values()).count(ConnectionState.OPEN), max(len(self._states), 1)),
        )

    def _of(self, label: str) -> StreamStatistics:
        found = self.statistics.get(label)
        if found is None:
            found = self.statistics[label] = StreamStatistics()
        return found

    def _stall(self, label: str, time_ns: int) -> str:
        """Return how long a stream has had no event since the last one, or since it opened; empty if not for long."""
        statistics = self.statistics[label]
        since_ns = statistics.began_ns if statistics.last_event_ns is None else statistics.last_event_ns
        if since_ns is None or not 0 < self._stall_s <= (time_ns - since_ns) / NS_PER_S:
            return ""
        words = f"{label}: " if label else ""
        words += f"{(time_ns - since_ns) / NS_PER_S:,.1f} s without an event"
        if others := statistics.not_selected_since_event:
            words += f" of the selected ones, {counted(others, 'other')}"
        comments = statistics.comments_since_event
        return f"{words}, {counted(comments, 'comment')}" if comments else words
