"""Reads the events of an LLM's answer: which of them have text, and how the answer ends. Pure.

A chunk is an event with generated text: content, reasoning, a refusal, or the arguments of a tool call. The role chunk
of OpenAI's API, and the events of Anthropic's around the text, are none.
"""

from __future__ import annotations

from enum import Enum

from sseclient_cli.errors import AnswerError, IncompleteAnswerError, SseError
from sseclient_cli.payload.llm_api import USAGE_MEMBERS, Usage
from sseclient_cli.payload.llm_text import END_MARKS, Chunk, ChunkKind, LlmShape, LlmStream
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.redaction import shown_text
from sseclient_cli.sse.event_stream import Event


class Text(Enum):
    """The text of an event."""

    NONE = "none"
    REASONING = "reasoning"
    ANSWER = "answer"
    """Content, a refusal or tool arguments, perhaps besides reasoning."""


class LlmAnswer:
    """The answer so far."""

    __slots__ = ("_error", "_kept", "chunks", "events", "finish_reason", "is_complete", "stream", "usage")

    def __init__(self, shape: LlmShape | None, *, keeps_text: bool = False) -> None:
        self.stream = LlmStream(shape)
        self.usage = Usage()
        self.events = 0
        self.chunks = 0
        """Events with text."""
        self.finish_reason = ""
        self.is_complete = False
        """Whether the end mark, or an error, has arrived."""
        self._error: str | None = None
        self._kept: list[Chunk] | None = [] if keeps_text else None

    @property
    def content(self) -> str:
        """The content so far; empty unless it is kept."""
        return "".join(chunk.text for chunk in self._kept or () if chunk.kind is ChunkKind.CONTENT)

    @property
    def text(self) -> str:
        """The generated text of any kind so far; empty unless it is kept."""
        return "".join(chunk.text for chunk in self._kept or ())

    def read(self, event: Event) -> Text:
        """Read the next event, and return the kind of its text."""
        self.events += 1
        parsed = ParsedEvent(event)
        found = Text.NONE
        for chunk in self.stream.read(parsed):
            kind = chunk.kind
            if kind is ChunkKind.FINISH:
                self.finish_reason = chunk.text
            elif kind is ChunkKind.DONE:
                self.is_complete = True
            elif kind is ChunkKind.ERROR:
                self._error, self.is_complete = chunk.text, True
            else:
                if kind is not ChunkKind.REASONING:
                    found = Text.ANSWER
                elif found is Text.NONE:
                    found = Text.REASONING
                if self._kept is not None:
                    self._kept.append(chunk)
        value = parsed.value
        if isinstance(value, dict) and not value.keys().isdisjoint(USAGE_MEMBERS):
            self.usage = self.usage.updated(value)
        self.chunks += found is not Text.NONE
        return found

    def failure(self) -> SseError | None:
        """Return why the answer failed: an error in it, no API's form, no end mark, or nothing before it; else None."""
        if self._error is not None:
            return AnswerError(f"the answer has an error: {shown_text(self._error)}")
        if self.is_complete:
            if self.chunks or self.finish_reason:
                return None
            return IncompleteAnswerError("the answer has neither text nor a finish reason, only its end")
        shape = self.stream.shape
        if shape is None or not self.events:
            return IncompleteAnswerError("the response ended without an event of a known LLM API")
        if shape is LlmShape.GEMINI and self.finish_reason:
            return None
        after = f", after finish reason {shown_text(self.finish_reason)!r}" if self.finish_reason else ""
        mark = END_MARKS.get(shape, "a finish reason")
        if not self.chunks:
            found = f"no event has text in the form of {shape.value}"
        else:
            found = "1 chunk had arrived" if self.chunks == 1 else f"{self.chunks:,} chunks had arrived"
        return IncompleteAnswerError(f"the answer ended without {mark}{after}: {found}")
