"""The body of a request to an LLM, in the form of each API. Pure.

Field names are those of the providers' references:

- OpenAI, chat completions: ``max_completion_tokens`` ("max_tokens is deprecated"); ``stream_options.include_usage``.
- OpenAI, completions: ``prompt``, ``max_tokens``; it has no messages.
- OpenAI, responses: ``input``, ``instructions``, ``max_output_tokens``; the last event always has the usage.
- Anthropic, messages: ``system``, ``max_tokens`` (required); the events always have the usage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from sseclient_cli.errors import UsageError
from sseclient_cli.payload.llm_api import LlmApi
from sseclient_cli.request.prompts import Conversation, Prompts, drawing_of
from sseclient_cli.request.token_count import TokenCount

ANTHROPIC_HEADER = ("anthropic-version", "2023-06-01")
"""Required in each request; the only version whose streams are named events (Anthropic's "Versions")."""

ANTHROPIC_MAX_TOKENS = 1024
"""``max_tokens`` where none is given: the API requires one."""

PATHS = {
    "/chat/completions": LlmApi.OPENAI_CHAT,
    "/completions": LlmApi.OPENAI_COMPLETIONS,
    "/responses": LlmApi.OPENAI_RESPONSES,
    "/messages": LlmApi.ANTHROPIC,
}

_MAX_TOKENS = {
    LlmApi.OPENAI_CHAT: "max_completion_tokens",
    LlmApi.OPENAI_COMPLETIONS: "max_tokens",
    LlmApi.OPENAI_RESPONSES: "max_output_tokens",
    LlmApi.ANTHROPIC: "max_tokens",
}


def api_of(url: str, given: LlmApi) -> LlmApi:
    """Return the API of a URL: the given one, else by the end of its path, else chat completions."""
    if given is not LlmApi.AUTO:
        return given
    path = httpx.URL(url).path.rstrip("/")
    return next((api for end, api in PATHS.items() if path.endswith(end)), LlmApi.OPENAI_CHAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmBodies:
    """Makes the body of each request. ``extra`` is merged into it (RFC 7396): null removes a member."""

    api: LlmApi
    prompts: Prompts
    model: str | None = None
    system: str | None = None
    output: TokenCount | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    seed: str = ""

    @property
    def has_turns(self) -> bool:
        """Whether a request may carry the answers of earlier ones."""
        return self.prompts.most_turns > 1

    def own_texts(self, number: int) -> tuple[str, ...]:
        """Return the texts of a conversation that may be secret: they are in no message and no report."""
        return (*self.prompts.own_texts(number), *(() if self.system is None else (self.system,)))

    def conversation(self, number: int) -> Conversation:
        """Return a conversation that has not begun, numbered from 0."""
        return Conversation(number, self.prompts.prompt(number))

    def body(self, conversation: Conversation) -> bytes:
        """Return the body of the next request of a conversation."""
        members = {
            **({} if self.model is None else {"model": self.model}),
            **self._prompted(conversation),
            **self._limited(conversation),
            "stream": True,
        }
        if self.api in (LlmApi.OPENAI_CHAT, LlmApi.OPENAI_COMPLETIONS):
            members["stream_options"] = {"include_usage": True}
        # In ASCII: a text may have half a surrogate pair, which UTF-8 cannot express.
        return json.dumps(_merged(members, self.extra), separators=(",", ":")).encode()

    def check(self) -> None:
        """Raise UsageError for prompts that the API cannot express."""
        if self.api is LlmApi.OPENAI_COMPLETIONS:
            if self.has_turns:
                raise UsageError("openai-completions has no `turns`: use openai-chat", arguments=["turns"])
            if self.system is not None:
                raise UsageError(
                    "openai-completions has no `system` prompt: write it into the prompt", arguments=["system"]
                )
            if self.prompts.have_messages:
                raise UsageError("openai-completions takes a text, not messages: use openai-chat, or a column prompt")

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers that the API requires."""
        own = (ANTHROPIC_HEADER,) if self.api is LlmApi.ANTHROPIC else ()
        return (("Content-Type", "application/json"), *own)

    def reseeded(self, seed: str) -> LlmBodies:
        """Return bodies with other random numbers."""
        return replace(self, seed=seed, prompts=self.prompts.reseeded(seed))

    def _prompted(self, conversation: Conversation) -> dict[str, Any]:
        messages, system = conversation.messages, self.system
        match self.api:
            case LlmApi.OPENAI_COMPLETIONS:
                return {"prompt": conversation.prompt.turns[0]}
            case LlmApi.OPENAI_RESPONSES:
                return {**({} if system is None else {"instructions": system}), "input": messages}
            case LlmApi.ANTHROPIC:
                return {**({} if system is None else {"system": system}), "messages": messages}
        first = [] if system is None else [{"role": "system", "content": system}]
        return {"messages": [*first, *messages]}

    def _limited(self, conversation: Conversation) -> dict[str, int]:
        most = conversation.prompt.max_tokens
        if most is None and self.output is not None:
            most = self.output.drawn(drawing_of(self.seed, "output", conversation.number, conversation.turn))
        if most is None and self.api is LlmApi.ANTHROPIC:
            most = ANTHROPIC_MAX_TOKENS
        return {} if most is None else {_MAX_TOKENS[self.api]: most}


def _merged(members: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(members)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            known = merged.get(name)
            merged[name] = (
                _merged(known if isinstance(known, dict) else {}, value) if isinstance(value, dict) else value
            )
    return merged
