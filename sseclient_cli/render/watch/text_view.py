"""The view of a text without lines of its own: the joined text of an LLM, or events in a format string.

Text goes to stdout as it arrives. Messages about the connection go to stderr, on a line of their own if stdout is a
terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from sseclient_cli.client.state import StateChange
from sseclient_cli.escaping import visible
from sseclient_cli.payload.llm_text import Chunk, ChunkKind
from sseclient_cli.payload.reading import TextEvent
from sseclient_cli.render.standard_streams import Sink, Stdout
from sseclient_cli.render.watch.lag import Lag
from sseclient_cli.render.watch.plain_view import PlainView
from sseclient_cli.render.watch.stream_view import Output, state_as_line
from sseclient_cli.render.watch.time_column import clock_time
from sseclient_cli.sse.event import Event

_DIM, _NOT_DIM = "\x1b[2m", "\x1b[22m"


class AnswerText:
    """The text of an answer; ``is_styled``: reasoning is dim, and a blank line separates it from the answer."""

    def __init__(self, *, is_escaped: bool, is_styled: bool) -> None:
        self._is_escaped = is_escaped
        self._is_styled = is_styled
        self._kind: ChunkKind | None = None

    def __call__(self, event: Event, label: str = "") -> str:
        """Return the text of the next event."""
        return "".join(map(self._text, event.chunks)) if isinstance(event, TextEvent) else ""

    def _text(self, chunk: Chunk) -> str:
        text = visible(chunk.text) if self._is_escaped else chunk.text
        if not self._is_styled:
            return text
        was_reasoning = self._kind is ChunkKind.REASONING
        is_reasoning = chunk.kind is ChunkKind.REASONING
        separator = "\n\n" if self._kind is not None and was_reasoning != is_reasoning else ""
        self._kind = chunk.kind
        return separator + (f"{_DIM}{text}{_NOT_DIM}" if is_reasoning else text)


class TextView:
    """Writes the text that ``text_of`` returns for each event. ``verbatim``: the output is for a program."""

    def __init__(
        self, text_of: Callable[[Event, str], str], *, verbatim: bool, ends_line: bool, sink: Sink | None = None
    ) -> None:
        self._text_of = text_of
        self._sink = Stdout() if sink is None else sink
        self._messages = PlainView(Output.RAW, verbatim=verbatim, sink=self._sink)
        self._lag = Lag()
        self._verbatim = verbatim
        self._ends_line = ends_line
        self._unwritten: list[str] = []
        self._is_in_line = False
        self.is_live = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self._end_line(self._ends_line)

    def events(self, events: Sequence[Event], label: str = "") -> None:
        """Write the text of events."""
        self._unwritten += [self._text_of(event, label) for event in events]

    def comment(self, comment: str, time_s: float, label: str = "") -> None:
        """Do nothing: a text has no comments."""

    def state(self, change: StateChange, time_s: float, now_s: float, label: str = "", *, reopened: bool) -> None:
        """Write a state change to stderr."""
        self._end_line(not self._verbatim and state_as_line(change, reopened=reopened) != "")
        self._messages.state(change, time_s, now_s, label, reopened=reopened)

    def note(self, line: str) -> None:
        """Write a line to stderr."""
        self._end_line(not self._verbatim)
        self._messages.note(line)

    def behind(self, behind_s: float, time_s: float) -> None:
        """Write to stderr when the output falls behind, and when it has caught up."""
        if news := self._lag.news(behind_s):
            self.note(f"{clock_time(time_s)} {news}")

    def flush(self) -> None:
        """Write the text."""
        text = "".join(self._unwritten)
        self._unwritten.clear()
        if not text:
            return
        self._is_in_line = not text.endswith("\n")
        # For a program, UTF-8 regardless of the locale, like event streams.
        is_utf_8 = self._verbatim
        self._sink.write(
            text.encode("utf-8", "surrogatepass") if is_utf_8 else text.encode(self._sink.encoding, "backslashreplace")
        )

    def _end_line(self, is_wanted: bool) -> None:
        self.flush()
        if is_wanted and self._is_in_line:
            self._is_in_line = False
            self._sink.write(b"\n")
