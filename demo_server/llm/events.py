"""The events of an answer as bytes: what an encoder of an API returns, and which events one write sends.

Pure: no I/O, no clock. Encoders are in chat.py, legacy.py, responses.py and messages.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from json import dumps
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple, Protocol

from demo_server.llm.answer import Answer, Part, Step

REFUSAL = "injected by `refuse`: too many requests"
FAILURE = "injected by `error_after`: the model has failed"

quote = encode_basestring_ascii
"""Return a string as JSON. `json.dumps` does the same at three times the cost."""


class Event(NamedTuple):
    """One event of the stream."""

    data: bytes
    part: Part
    tokens: int = 0


class Write(NamedTuple):
    """Events that are sent together."""

    due_s: float
    data: bytes
    events: tuple[Event, ...]


class Encoder(Protocol):
    """Encodes one answer for one API."""

    @property
    def finish_reason(self) -> str:
        """The reason for the end of a complete answer, in the words of the API."""
        ...

    def events(self, step: Step) -> Iterable[Event]:
        """Return the events for the next step of the answer."""
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
    size = answer.parameters.hold_chunks or 1
    held: list[Event] = []
    due_s = 0.0
    for step in answer.steps():
        due_s = step.due_s
        for event in encoder.events(step):
            if size == 1:
                yield Write(due_s, event.data, (event,))
                continue
            held.append(event)
            if len(held) == size:
                yield joined(due_s, held)
                held = []
    if held:
        yield joined(due_s, held)


def joined(due_s: float, events: list[Event]) -> Write:
    """Return one write of several events."""
    return Write(due_s, b"".join(event.data for event in events), tuple(events))
