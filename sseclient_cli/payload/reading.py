"""The part of each selected event to show: all of it, a value of its data, or the pieces of a text.

A reading gets each event once, in order. It returns the event to show; None means that this event shows nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol, Self

from sseclient_cli.payload.llm_text import Chunk, ChunkKind, LlmShape, LlmStream
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.payload.query import Query, text_of
from sseclient_cli.sse.event import Event

PATIENCE_EVENTS = 5
"""A stream that has shown no known shape by then is reported. Known APIs show theirs in the first event or two."""


class Reading(Protocol):
    """Reads the selected events of one stream."""

    is_ended: bool
    """Whether the stream has said that nothing follows."""

    def read(self, parsed: ParsedEvent) -> Event | None:
        """Return the next event as it is shown."""


class WholeEvents:
    """Shows events as they are."""

    is_ended = False

    def read(self, parsed: ParsedEvent) -> Event | None:
        """Return the event."""
        return parsed.event


class SelectedValues:
    """Shows the value that a query finds instead of the data: a text as it is, other values as JSON."""

    is_ended = False

    def __init__(self, query: Query) -> None:
        self._query = query
        self.shown = 0
        self.skipped = 0
        """Events without a value."""

    def read(self, parsed: ParsedEvent) -> Event | None:
        """Return the event with the value as its data."""
        text = text_of(self._query.find(parsed))
        if text is None:
            self.skipped += 1
            return None
        self.shown += 1
        return parsed.event._replace(data=text)


class TextEvent(Event):
    """An event with the pieces of text to show of it."""

    chunks: tuple[Chunk, ...] = ()

    @classmethod
    def of(cls, event: Event, chunks: list[Chunk]) -> Self:
        """Return the event with these pieces."""
        made = cls(*event)
        made.chunks = tuple(chunks)
        return made


class JoinedText:
    """Shows the text of an LLM's answer, or the texts that a query picks, until the end of the answer.

    Shown are content and refusals, and reasoning if ``with_reasoning``. Of several choices, only the first is read.
    """

    def __init__(self, pick: Query | None = None, *, with_reasoning: bool = False) -> None:
        self._pick = pick
        self._stream = LlmStream()
        self._shown_kinds = {ChunkKind.CONTENT, ChunkKind.REFUSAL} | (
            {ChunkKind.REASONING} if with_reasoning else set()
        )
        self._half = ""
        self.is_ended = False
        self.events = 0
        self.shown = 0
        self.left_out: Counter[ChunkKind] = Counter()
        self.has_other_choices = False
        self.finish_reason = ""
        self.error: str | None = None

    @property
    def shape(self) -> LlmShape | None:
        """The API that the stream speaks, if an event has shown it."""
        return self._stream.shape

    @property
    def is_picked(self) -> bool:
        """Whether a query picks the text."""
        return self._pick is not None

    @property
    def finds_nothing(self) -> bool:
        """Whether no event so far had a known shape. With a query, the shape does not matter."""
        return self._pick is None and self.shape is None and not self.is_ended

    def read(self, parsed: ParsedEvent) -> TextEvent | None:
        """Return the event with its text; None if it has no text to show."""
        self.events += 1
        chunks = [chunk for chunk in self._stream.read(parsed) if self._is_text(chunk)]
        if self._pick is not None:
            text = _joined(self._pick.find(parsed))
            chunks = [Chunk(ChunkKind.CONTENT, text)] if text else []
        chunks = self._with_whole_characters(chunks)
        self.shown += bool(chunks)
        return TextEvent.of(parsed.event, chunks) if chunks else None

    def _is_text(self, chunk: Chunk) -> bool:
        """Take the facts about the answer from a chunk; return whether it is text to show."""
        if chunk.choice != 0:
            self.has_other_choices = True
        elif chunk.kind is ChunkKind.FINISH:
            self.finish_reason = chunk.text
        elif chunk.kind is ChunkKind.ERROR:
            self.error = chunk.text
            self.is_ended = True
        elif chunk.kind is ChunkKind.DONE:
            self.is_ended = True
        elif chunk.kind in self._shown_kinds:
            return True
        else:
            self.left_out[chunk.kind] += 1
        return False

    def _with_whole_characters(self, chunks: list[Chunk]) -> list[Chunk]:
        r"""Join a character that a server has cut in two: JavaScript cuts an emoji into \ud83d and \ude00."""
        whole = []
        for chunk in chunks:
            text = (self._half + chunk.text).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
            self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
            if text := text.removesuffix(self._half):
                whole.append(chunk._replace(text=text))
        return whole


def _joined(value: object) -> str:
    """Return the text of a picked value; of a list, the texts of its elements."""
    values = value if isinstance(value, list) else [value]
    return "".join(filter(None, map(text_of, values)))
