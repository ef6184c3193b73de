"""The prompts of a run, by the number of the request: a text, the rows of a file, or synthetic text. Pure.

A prompt is made when its request begins, not before the run: 100,000 requests need no memory for their bodies.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any

from sseclient_cli.redaction import LONG_CHARS
from sseclient_cli.request.prompt_words import WORDS
from sseclient_cli.request.token_count import TokenCount


class PromptSource(Enum):
    """Where the prompts of a run come from."""

    DEFAULT = "default"
    TEXT = "text"
    FILE = "file"
    SYNTHETIC = "synthetic"


Message = dict[str, Any]
"""A message of a conversation as the APIs have it: ``role`` and ``content``."""

MORE_TURNS = "conversations with more turns than are sent"

BEGINNING_WORDS = 32
"""A prompt begins with this many words drawn one by one: two blocks of a usual prefix cache, so that none is shared."""

PHRASE_WORDS = 16
"""The rest are phrases of this many words, which takes a tenth of the time: 0.1 ms for 8,192 words."""

PHRASES = 1024

DEFAULT_PROMPT = "Tell me a short story about a river."


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one conversation asks: messages that are sent as they are, and the texts of the user, one in each turn."""

    turns: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A prompt with the answers of the server so far, which its next request carries."""

    number: int
    prompt: Prompt
    answers: tuple[str, ...] = ()

    @property
    def turn(self) -> int:
        """The number of the next turn, from 0."""
        return len(self.answers)

    @property
    def is_over(self) -> bool:
        """Whether each turn has its answer."""
        return self.turn >= max(len(self.prompt.turns), 1)

    @property
    def messages(self) -> list[Message]:
        """The messages of the next request."""
        messages = [*self.prompt.messages]
        for number, text in enumerate(self.prompt.turns[: self.turn + 1]):
            messages.append({"role": "user", "content": text})
            messages += ({"role": "assistant", "content": answer} for answer in self.answers[number : number + 1])
        return messages

    def answered(self, answer: str) -> Conversation:
        """Return the conversation after one more answer."""
        return replace(self, answers=(*self.answers, answer))


class Prompts(ABC):
    """The prompts of a run."""

    source: PromptSource
    length: TokenCount | None
    """The length of synthetic prompts."""
    notes: tuple[str, ...]
    """What was left out of a file."""

    @property
    @abstractmethod
    def most_turns(self) -> int:
        """The number of turns of the longest conversation."""

    @abstractmethod
    def prompt(self, number: int) -> Prompt:
        """Return the prompt of a conversation, numbered from 0."""

    @property
    def have_messages(self) -> bool:
        """Whether a prompt has messages of its own, instead of a text."""
        return False

    def reseeded(self, seed: str) -> Prompts:
        """Return prompts with other random numbers; prompts without any are the same."""
        return self

    def own_texts(self, number: int) -> tuple[str, ...]:
        """Return the texts of a request that no output shows: those of the user's own data."""
        return ()


@dataclass(frozen=True, slots=True)
class ListedPrompts(Prompts):
    """Prompts that are taken in turn."""

    listed: tuple[Prompt, ...]
    source: PromptSource = PromptSource.FILE
    notes: tuple[str, ...] = ()
    length: None = None

    def prompt(self, number: int) -> Prompt:
        """Return the prompt of a conversation; after the last one, the first follows."""
        return self.listed[number % len(self.listed)]

    @property
    def most_turns(self) -> int:
        """The number of turns of the longest conversation."""
        return max(max(len(prompt.turns), 1) for prompt in self.listed)

    def limited(self, turns: int) -> ListedPrompts:
        """Return the prompts with at most this many turns each."""
        longer = sum(len(prompt.turns) > turns for prompt in self.listed)
        if not longer:
            return self
        note = f"{MORE_TURNS}: {longer:,} of {len(self.listed):,}"
        listed = tuple(replace(prompt, turns=prompt.turns[:turns]) for prompt in self.listed)
        return replace(self, listed=listed, notes=(*self.notes, note))

    @property
    def have_messages(self) -> bool:
        """Whether a prompt has messages of its own, instead of a text."""
        return any(prompt.messages for prompt in self.listed)

    def own_texts(self, number: int) -> tuple[str, ...]:
        """Return the texts of a prompt, unless they are too short to tell from other words."""
        prompt = self.prompt(number)
        contents = (message.get("content") for message in prompt.messages)
        texts = (*prompt.turns, *(content for content in contents if isinstance(content, str)))
        return tuple(text for text in texts if len(text) >= LONG_CHARS)


@dataclass(frozen=True, slots=True)
class SyntheticPrompts(Prompts):
    """Random words, different from the first word on, so that a server's prefix cache does not know them.

    The same seed and number give the same words.
    """

    length: TokenCount
    seed: str
    turns: int = 1
    words: tuple[str, ...] = WORDS
    source: PromptSource = PromptSource.SYNTHETIC
    notes: tuple[str, ...] = ()

    def prompt(self, number: int) -> Prompt:
        """Return the prompt of a conversation."""
        drawing = drawing_of(self.seed, "prompt", number)
        return Prompt(tuple(self._text(drawing) for _ in range(self.turns)))

    @property
    def most_turns(self) -> int:
        """The number of turns of each conversation."""
        return self.turns

    def reseeded(self, seed: str) -> Prompts:
        """Return other prompts of the same kind."""
        return replace(self, seed=seed)

    def _text(self, drawing: random.Random) -> str:
        length = self.length.drawn(drawing)
        phrases = max(length - BEGINNING_WORDS, 0) // PHRASE_WORDS
        words = drawing.choices(self.words, k=length - phrases * PHRASE_WORDS)
        return " ".join([*words, *drawing.choices(_phrases(self.words), k=phrases)])


@lru_cache(maxsize=4)
def _phrases(words: tuple[str, ...]) -> list[str]:
    drawing = random.Random("phrases")
    return [" ".join(drawing.choices(words, k=PHRASE_WORDS)) for _ in range(PHRASES)]


def drawing_of(seed: str, purpose: str, *numbers: int) -> random.Random:
    """Return the random numbers for one purpose of one request."""
    return random.Random(f"{seed}/{purpose}/{numbers}")
