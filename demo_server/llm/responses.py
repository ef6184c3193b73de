"""OpenAI's responses: the body of a request, and the encoder of an answer.

https://developers.openai.com/api/reference/resources/responses
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, Field

from demo_server.llm.answer import Answer, Part, Prompt, Step
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

    def events(self, step: Step) -> Iterator[Event]:
        """Yield the events of a step."""
        if step.tokens:
            if step.part is not self._open:
                yield from self._begin_item(step.part)
            data = f"{self._before}{self._sent}{self._middle}{quote(step.text)}{self._after}"
            self._sent += 1
            yield Event(data.encode(), step.part, step.tokens)
        elif step.part is Part.START:
            yield self._event("response.created", {"response": self._response("in_progress")}, step.part)
            yield self._event("response.in_progress", {"response": self._response("in_progress")})
        elif step.part is Part.ERROR:
            error = ERRORS[500]
            fields = {"code": error["type"], "message": error["message"], "param": None}
            yield self._event("error", fields, step.part)
        else:
            yield from self._finish()

    def _begin_item(self, part: Part) -> Iterator[Event]:
        yield from self._end_item()
        self._open = part
        item = self._item(part, "in_progress", [])
        place = {"item_id": item["id"], "output_index": len(self._items), "content_index": 0}
        yield self._event("response.output_item.added", {"output_index": len(self._items), "item": item})
        yield self._event("response.content_part.added", {**place, "part": content_of(part, "")})
        # Encoded once: only the sequence number and the text of a token differ.
        template = named(
            f"{TEXT_EVENTS[part]}.delta", {"sequence_number": "N", **place, "delta": "TEXT", **LOGPROBS[part]}
        )
        self._before, rest = template.decode().split('"N"')
        self._middle, self._after = rest.split('"TEXT"')

    def _end_item(self) -> Iterator[Event]:
        part, index = self._open, len(self._items)
        if part is None:
            return
        text = self._answer.text(part)
        item = self._item(part, "completed", [content_of(part, text)])
        place = {"item_id": item["id"], "output_index": index, "content_index": 0}
        yield self._event(f"{TEXT_EVENTS[part]}.done", {**place, "text": text, **LOGPROBS[part]})
        yield self._event("response.content_part.done", {**place, "part": content_of(part, text)})
        yield self._event("response.output_item.done", {"output_index": index, "item": item})
        self._items.append(item)
        self._open = None

    def _finish(self) -> Iterator[Event]:
        """Yield the ends of the last item and of the response."""
        yield from self._end_item()
        status = "incomplete" if self._answer.is_cut_at_limit else "completed"
        yield self._event(f"response.{status}", {"response": self._response(status)}, Part.DONE)

    def _event(self, event_type: str, fields: dict[str, Any], part: Part = Part.OTHER) -> Event:
        event = Event(named(event_type, {"sequence_number": self._sent, **fields}), part)
        self._sent += 1
        return event

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
