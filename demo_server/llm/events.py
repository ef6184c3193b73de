"""The events of an answer as bytes: what an encoder of an API returns, and which events one write sends.

Pure: no I/O, no clock. Encoders are in chat.py, legacy.py, responses.py and messages.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from json import dumps
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple, Protocol

from demo_server.llm.answer import Answer, Part

REFUSAL = "injected by `refuse`: too many requests"
FAILURE = "injected by `error_after`: the model has failed"

quote = encode_basestring_ascii
"""Return a string as JSON. `json.dumps` does the same at three times the cost."""


class Mark(NamedTuple):
    """What an event carries, for the log."""

    part: Part
    tokens: int = 0


class Event(NamedTuple):
    """One event without tokens."""

    data: bytes
    part: Part = Part.OTHER


class Write(NamedTuple):
    """The bytes of one event, or of several that are sent together."""

    due_s: float
    data: bytes
    marks: tuple[Mark, ...]


class Encoder(Protocol):
    """Encodes one answer for one API. The methods are called in this order."""

    @property
    def finish_reason(self) -> str:
        """The reason for the end of a complete answer, in the words of the API."""
        ...

    def start(self) -> Iterable[Event]:
        """Return the events with the role."""
        ...

    def begin(self, part: Part) -> Iterable[Event]:
        """Begin the reasoning or the answer, and return the events before its text."""
        ...

    def delta(self, text: str) -> bytes:
        """Return the event with the next text."""
        ...

    def finish(self) -> Iterable[Event]:
        """Return the events after the text of a complete answer."""
        ...

    def failure(self) -> bytes:
        """Return the event that replaces the rest with an error."""
        ...

    def whole(self) -> dict[str, Any]:
        """Return the answer as one object, for requests without `stream`."""
        ...

    def error(self, status: int) -> dict[str, Any]:
        """Return the body of a 429 or 500."""
        ...


def compact(value: object) -> str:
    """Return compact JSON, like the servers of these APIs."""
    return dumps(value, separators=(",", ":"))


def named(event_type: str, fields: dict[str, Any]) -> bytes:
    """Return an event with a type, which its data repeats: OpenAI's responses and Anthropic's messages."""
    return f"event: {event_type}\ndata: {compact({'type': event_type, **fields})}\n\n".encode()


def writes(answer: Answer, encoder: Encoder) -> Iterator[Write]:
    """Yield the writes of an answer: one event each, or groups of `hold_chunks` at the time of the last one."""
    size = answer.parameters.hold_chunks
    return single_writes(answer, encoder) if size is None else held(single_writes(answer, encoder), size)


def single_writes(answer: Answer, encoder: Encoder) -> Iterator[Write]:
    """Yield one write per event."""
    part: Part | None = None
    marks: tuple[Mark, ...] = ()
    for step in answer.steps():
        if not step.tokens:
            yield from (Write(step.due_s, event.data, (Mark(event.part),)) for event in events_of(step.part, encoder))
            continue
        if step.part is not part:
            part = step.part
            yield from (Write(step.due_s, event.data, (Mark(event.part),)) for event in encoder.begin(part))
        if not marks or marks[0] != (part, step.tokens):
            marks = (Mark(part, step.tokens),)  # the same object for equal events
        yield Write(step.due_s, encoder.delta(step.text), marks)


def events_of(part: Part, encoder: Encoder) -> Iterable[Event]:
    """Return the events of a step without tokens."""
    if part is Part.START:
        return encoder.start()
    return encoder.finish() if part is Part.FINISH else [Event(encoder.failure(), part)]


def held(writes: Iterator[Write], size: int) -> Iterator[Write]:
    """Yield groups of writes as one, each at the time of its last one."""
    while group := list(islice(writes, size)):
        data = b"".join(write.data for write in group)
        yield Write(group[-1].due_s, data, tuple(mark for write in group for mark in write.marks))
