"""Draws the live view on a terminal: entries scroll above the lines at the bottom, which are removed at the end.

Lines that scrolled away stay in the terminal: its own scrolling, search and copy work.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.control import Control
from rich.live import Live
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.watch.event_view import comment_as_json, events_as_json
from sseclient_cli.render.watch.live_entries import Arrived, Entry, Line, LineKind
from sseclient_cli.render.watch.live_stream import LiveStream
from sseclient_cli.render.watch.status_line import Status, bottom_lines
from sseclient_cli.render.watch.stream_view import Output
from sseclient_cli.render.watch.summary_view import stream_summary
from sseclient_cli.render.watch.terminal_event import MAX_SHAPED_CHARS, Unwrapped, cut, is_huge, render_event
from sseclient_cli.render.watch.time_column import TimeColumn


class TerminalView:
    """Draws entries of a stream, and its status. A context manager, which shows the cursor again at its end."""

    def __init__(
        self,
        stream: LiveStream,
        output: Output,
        console: Console,
        times: TimeColumn,
        *,
        is_full: bool = False,
    ) -> None:
        self.stream = stream
        self.is_live = True
        self._output = output
        self._console = console
        self._times = times
        self._is_full = is_full
        # No refresh thread: the thread of the view draws often enough.
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )

    @property
    def height(self) -> int:
        """The lines of the terminal now."""
        return self._console.height

    def __enter__(self) -> Self:
        self.show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.hide()

    def hide(self) -> None:
        """Remove the lines at the bottom, and show the cursor."""
        self._live.stop()

    def show(self) -> None:
        """Undo ``hide``."""
        self._live.start()

    def draw(self, entries: Sequence[Entry], status: Status) -> None:
        """Draw entries and then the status, in one write."""
        with self._console:
            group: list[RenderableType] = []
            for entry in entries:
                is_wrapped, rendered = self._rendered(entry)
                if is_wrapped:
                    group.append(rendered)
                    continue
                self._print(group)
                self._console.print(rendered, soft_wrap=True)
            self._print(group)
            self._live.update(bottom_lines(status), refresh=True)

    def summary(self, end_ns: int) -> str:
        """Return the figures of the streams at the end of the run."""
        with self._console.capture() as capture:
            for label, statistics in self.stream.statistics.items():
                if label:
                    self._console.print(Text(label))
                self._console.print(
                    stream_summary(statistics.summary(end_ns), not_drawn=self.stream.feed.not_drawn(label))
                )
        return capture.get().rstrip("\n")

    def clear(self) -> None:
        """Clear the screen. The terminal keeps lines that scrolled away before."""
        self._console.control(Control.home(), Control.clear())

    def _print(self, group: list[RenderableType]) -> None:
        if group:
            self._console.print(Group(*group))
            group.clear()

    def _rendered(self, entry: Entry) -> tuple[bool, RenderableType]:
        """Return an entry for rich, and whether rich must wrap it."""
        if isinstance(entry, Line):
            return self._rendered_line(entry)
        if self._output is Output.TEXT:
            is_wrapped = not (self._is_full and is_huge(entry.event.data))
            return is_wrapped, render_event(entry, self._times, self._console.width, is_full=self._is_full)
        return False, Unwrapped(self._as_text(entry))

    def _as_text(self, arrived: Arrived) -> str:
        is_json = self._output is Output.JSON
        return events_as_json([arrived.event], arrived.label)[0] if is_json else visible(arrived.event.data)

    def _rendered_line(self, line: Line) -> tuple[bool, RenderableType]:
        text = visible(line.text, keep_lines=False)
        if line.kind is LineKind.COMMENT:
            if self._output is Output.JSON:
                return False, Unwrapped(comment_as_json(line.text, line.time_s, line.label))
            prefix = self._times.text(line.time_s) + (f"{line.label} " if line.label else "")
            return True, Text(f"{prefix}:{cut(text, MAX_SHAPED_CHARS)}", "dim", overflow="fold")
        if line.kind is LineKind.CONNECTION:
            return True, Text(f"{self._times.text(line.time_s)}{text}", "yellow")
        if line.kind is LineKind.NOTE:
            return False, Text(text, "dim")
        if line.kind is LineKind.NOT_DRAWN:
            return True, Text(text, "dim")
        return True, Text(f"─── {text} ───", "bold" if line.kind is LineKind.RULE else "dim", overflow="fold")
