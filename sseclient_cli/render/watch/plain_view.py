"""The view of ``sse watch`` for pipes and files: plain lines, and messages on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.escaping import visible
from sseclient_cli.render.standard_streams import Sink, Stdout, say
from sseclient_cli.render.watch.event_view import (
    comment_as_json,
    comment_as_line,
    event_as_line,
    events_as_json,
)
from sseclient_cli.render.watch.lag import Lag
from sseclient_cli.render.watch.stream_view import Output, state_as_line
from sseclient_cli.render.watch.time_column import clock_time
from sseclient_cli.sse.event_stream import Event


class PlainView:
    """Lines without escape codes, written by ``flush``. ``verbatim``: raw data is written unescaped, for a program.

    A burst of small events is one write. With a write per event, it was 3 times slower while another thread reads.
    """

    def __init__(self, output: Output, *, verbatim: bool, sink: Sink | None = None) -> None:
        self._output = output
        self._verbatim = verbatim
        self._sink = Stdout() if sink is None else sink
        self._lag = Lag()
        self._unwritten: list[str] = []
        self.is_live = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def events(self, events: Sequence[Event], label: str = "") -> None:
        """Write events."""
        if self._output is Output.JSON:
            self._unwritten += events_as_json(events, label)
        elif self._output is Output.TEXT:
            self._unwritten += [event_as_line(event, event.arrived_ns / 1e9, label) for event in events]
        elif self._verbatim:
            self._unwritten += [event.data for event in events]
        else:
            self._unwritten += [visible(event.data) for event in events]

    def comment(self, comment: str, time_s: float, label: str = "") -> None:
        """Write a comment."""
        self._write((comment_as_json if self._output is Output.JSON else comment_as_line)(comment, time_s, label))

    def state(self, change: StateChange, time_s: float, now_s: float, label: str = "", *, reopened: bool) -> None:
        """Write a state change to stderr. An error there does not stop the events."""
        if change.state is ConnectionState.OPEN:
            self._sink.begin()
        line = state_as_line(change, label, reopened=reopened)
        if line:
            self.flush()
            say(f"{clock_time(time_s)} {line}")

    def note(self, line: str) -> None:
        """Write a line to stderr."""
        self.flush()
        say(line)

    def behind(self, behind_s: float, time_s: float) -> None:
        """Write to stderr when the output falls behind, and when it has caught up."""
        if news := self._lag.news(behind_s):
            self.note(f"{clock_time(time_s)} {news}")

    def flush(self) -> None:
        """Write the lines."""
        lines = self._unwritten
        if not lines:
            return
        lines.append("")
        text = "\n".join(lines)
        lines.clear()
        if self._output is Output.RAW and self._verbatim:
            # Event streams are UTF-8, regardless of the locale.
            self._sink.write(text.encode("utf-8", "surrogatepass"))
        else:
            self._sink.write(text.encode(self._sink.encoding, "backslashreplace"))

    def _write(self, line: str) -> None:
        self._unwritten.append(line)
