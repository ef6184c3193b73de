"""OpenAI's responses: the body of a request, and the encoder of an answer.

https://developers.openai.com/api/reference/resources/responses
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, Field

from demo_server.llm.answer import Answer, Part, Prompt
from demo_server.llm.bodies import ContentPart, LlmBody, Message, TokenLimit, prompt_words
from demo_server.llm.chat import ERRORS
from demo_server.llm.events import Event, named, quote

TEXT_EVENTS = {Part.REASONING: "response.reasoning_text", Part.ANSWER: "response.output_text"}
"""The names of events with text, without `.delta` and `.done`."""

LOGPROBS: dict[Part, dict[str, list[object]]] = {Part.REASONING: {}, Part.ANSWER: {"logprobs": []}}


class InputItem(BaseModel):
    """A message, or an item of another type, such as the result of a function."""

    role: str = ""
    content: str | list[ContentPart] | None = None


class ResponsesBody(LlmBody):
    """The fields of OpenAI's body that this server uses. Clients send many more, which are ignored."""

    input: Annotated[str | list[InputItem], Field(description="Only its words are counted.")] = ""
    instructions: Annotated[str | None, Field(description="Its words are counted as well.")] = None
    max_output_tokens: Annotated[TokenLimit | None, Field(description="Maximum number of tokens.")] = None

    def prompt(self) -> Prompt:
        """Return the part that has an effect."""
        items = [InputItem(content=self.input)] if isinstance(self.input, str) else self.input
        contents = [self.instructions, *(item.content for item in items)]
        words = prompt_words(Message(role="user", content=content) for content in contents)
        return Prompt(self.model, words, self.max_output_tokens)


class ResponsesEncoder:
    """Encodes one answer as response."""

    def __init__(self, answer: Answer, unique: str, created_s: int) -> None:
        self._answer = answer
        self._unique, self._created_s = unique, created_s
        self._sent = 0
        self._items: list[dict[str, Any]] = []
        self._open: Part | None = None
        self._before, self._middle, self._after = "", "", ""

    @property
    def finish_reason(self) -> str:
        """The status of a complete answer, or the reason why it is incomplete."""
        return "max_output_tokens" if self._answer.is_cut_at_limit else "completed"

    def start(self) -> Iterable[Event]:
        """Return the beginning of the response."""
        response = {"response": self._response("in_progress")}
        return [
            Event(self._numbered("response.created", response), Part.START),
            Event(self._numbered("response.in_progress", response)),
        ]

    def begin(self, part: Part) -> Iterable[Event]:
        """Yield the end of the last item and the beginning of the next one."""
        yield from self._end_item()
        self._open = part
        item = self._item(part, "in_progress", [])
        place = {"item_id": item["id"], "output_index": len(self._items), "content_index": 0}
        added = {"output_index": len(self._items), "item": item}
        yield Event(self._numbered("response.output_item.added", added))
        yield Event(self._numbered("response.content_part.added", {**place, "part": content_of(part, "")}))
        # Encoded once: only the sequence number and the text of a token differ.
        fields = {"sequence_number": "N", **place, "delta": "TEXT", **LOGPROBS[part]}
        self._before, rest = named(f"{TEXT_EVENTS[part]}.delta", fields).decode().split('"N"')
        self._middle, self._after = rest.split('"TEXT"')

    def delta(self, text: str) -> bytes:
        """Return the event with the next text."""
        self._sent += 1
        return f"{self._before}{self._sent - 1}{self._middle}{quote(text)}{self._after}".encode()

    def finish(self) -> Iterable[Event]:
        """Yield the ends of the last item and of the response."""
        yield from self._end_item()
        status = "incomplete" if self._answer.is_cut_at_limit else "completed"
        yield Event(self._numbered(f"response.{status}", {"response": self._response(status)}), Part.DONE)

    def failure(self) -> bytes:
        """Return the event with an error."""
        error = ERRORS[500]
        return self._numbered("error", {"code": error["type"], "message": error["message"], "param": None})

    def _numbered(self, event_type: str, fields: dict[str, Any]) -> bytes:
        self._sent += 1
        return named(event_type, {"sequence_number": self._sent - 1, **fields})

    def _end_item(self) -> Iterable[Event]:
        part, index = self._open, len(self._items)
        if part is None:
            return
        text = self._answer.text(part)
        item = self._item(part, "completed", [content_of(part, text)])
        place = {"item_id": item["id"], "output_index": index, "content_index": 0}
        done = {
            f"{TEXT_EVENTS[part]}.done": {**place, "text": text, **LOGPROBS[part]},
            "response.content_part.done": {**place, "part": content_of(part, text)},
            "response.output_item.done": {"output_index": index, "item": item},
        }
        yield from (Event(self._numbered(event_type, fields)) for event_type, fields in done.items())
        self._items.append(item)
        self._open = None

    def whole(self) -> dict[str, Any]:
        """Return the answer as one object."""
        answer = self._answer
        counts = {Part.REASONING: answer.reasoning_tokens, Part.ANSWER: answer.answer_tokens}
        self._items = [
            self._item(part, "completed", [content_of(part, answer.text(part))])
            for part, count in counts.items()
            if count
        ]
        return self._response("incomplete" if answer.is_cut_at_limit else "completed")

    def error(self, status: int) -> dict[str, Any]:
        """Return the body of an error response."""
        return {"error": ERRORS[status]}

    def _item(self, part: Part, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        if part is Part.REASONING:
            return {"id": f"rs_{self._unique}", "type": "reasoning", "summary": [], "content": content}
        head = {"id": f"msg_{self._unique}", "type": "message", "status": status, "role": "assistant"}
        return {**head, "content": content}

    def _response(self, status: str) -> dict[str, Any]:
        is_running = status == "in_progress"
        return {
            "id": f"resp_{self._unique}",
            "object": "response",
            "created_at": self._created_s,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": self.finish_reason} if status == "incomplete" else None,
            "instructions": None,
            "metadata": {},
            "model": self._answer.prompt.model,
            "output": [] if is_running else self._items,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": None if is_running else self._usage(),
        }

    def _usage(self) -> dict[str, Any]:
        given, made = self._answer.prompt.prompt_tokens, self._answer.token_count
        return {
            "input_tokens": given,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": self._answer.reasoning_tokens},
            "total_tokens": given + made,
        }


def content_of(part: Part, text: str) -> dict[str, Any]:
    """Return the content part with the text of an item."""
    if part is Part.REASONING:
        return {"type": "reasoning_text", "text": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
