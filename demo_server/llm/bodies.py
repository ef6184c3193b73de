"""The parts that the bodies of all LLM requests share. Clients send many more fields, which are ignored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from demo_server.llm.answer import Prompt

TokenLimit = Annotated[int, Field(ge=1)]


class ContentPart(BaseModel):
    """A part of a message. Only text is counted."""

    type: str
    text: str | None = None


class Message(BaseModel):
    """A message of the conversation."""

    role: str
    content: str | list[ContentPart] | None = None

    @property
    def text(self) -> str:
        """All text of the message."""
        if isinstance(self.content, list):
            return " ".join(part.text or "" for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    """OpenAI's options of a stream."""

    include_usage: bool | None = None


class LlmBody(BaseModel):
    """The body of a request."""

    model: Annotated[str, Field(description="Returned in the answer.")] = "demo"
    stream: Annotated[bool | None, Field(description="Whether to stream the answer or send one JSON object.")] = False

    @model_validator(mode="before")
    @classmethod
    def check_content_type(cls, body: object) -> object:
        """Explain the error of `curl -d` without a Content-Type: FastAPI passes such a body on as bytes."""
        if isinstance(body, bytes):
            raise ValueError("not JSON: a JSON body needs the header Content-Type: application/json")  # noqa: TRY004
        return body

    def prompt(self) -> Prompt:
        """Return the part that has an effect."""
        raise NotImplementedError


def prompt_words(messages: Iterable[Message]) -> int:
    """Return the number of words in messages."""
    return sum(len(message.text.split()) for message in messages)
