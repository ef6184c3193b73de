"""OpenAI's older completions: a prompt instead of messages, and no roles.

https://developers.openai.com/api/reference/resources/completions
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, model_validator

from demo_server.llm.answer import Part, Prompt
from demo_server.llm.bodies import LlmBody, StreamOptions, TokenLimit
from demo_server.llm.chat import ChatEncoder
from demo_server.llm.events import Event
from demo_server.llm.parameters import LlmParameters


class LegacyParameters(LlmParameters):
    """The query of the older API."""

    @model_validator(mode="after")
    def check_api(self) -> LegacyParameters:
        """Refuse parameters for parts that this API does not have."""
        for name in ("reasoning", "role_at"):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} has no effect: this API has no reasoning and no roles")
        return self


class LegacyBody(LlmBody):
    """The fields of OpenAI's body that this server uses."""

    text: Annotated[
        str | list[str] | list[int] | list[list[int]],
        Field(alias="prompt", description="Only its words, or its tokens, are counted."),
    ] = ""
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[TokenLimit | None, Field(description="Maximum number of tokens.")] = None
    seed: Annotated[int | None, Field(description="Like seed in the query, which has precedence.")] = None

    def prompt(self) -> Prompt:
        """Return the part that has an effect."""
        parts = [self.text] if isinstance(self.text, str) else self.text
        include_usage = self.stream_options.include_usage if self.stream_options else None
        return Prompt(self.model, sum(map(count_tokens, parts)), self.max_tokens, self.seed, include_usage)


def count_tokens(part: str | int | list[int]) -> int:
    """Return the number of tokens of one prompt."""
    if isinstance(part, int):
        return 1
    return len(part.split()) if isinstance(part, str) else len(part)


class LegacyEncoder(ChatEncoder):
    """Encodes one answer as completion."""

    id_prefix = "cmpl"
    chunk_type = whole_type = "text_completion"

    def start(self) -> Iterable[Event]:
        """Return nothing: there is no role."""
        return ()

    def text_choice(self, _: Part, text: str) -> dict[str, object]:
        """Return the choice of a chunk with text."""
        return text_choice(text)

    def last_choice(self) -> dict[str, object]:
        """Return the choice of the last chunk."""
        return text_choice("", self.finish_reason)

    def whole_choice(self) -> dict[str, object]:
        """Return the choice with the complete answer."""
        return text_choice(self._answer.text(Part.ANSWER), self.finish_reason)


def text_choice(text: str, finish_reason: str | None = None) -> dict[str, object]:
    """Return a choice."""
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish_reason}
