"""One answer of the language model: its tokens, their due times, and how it ends. All APIs send this.

Pure: no clock, no connection. A token is a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import NamedTuple

from demo_server.llm.parameters import LlmParameters
from demo_server.llm.sentences import due_s, words


@dataclass(frozen=True, slots=True)
class Prompt:
    """The part of a request that has an effect, in any API."""

    model: str
    prompt_tokens: int
    max_tokens: int | None = None
    seed: int | None = None
    include_usage: bool | None = None


class Part(Enum):
    """What an event carries."""

    START = "start"
    """The role of the answer, and no text yet."""
    REASONING = "reasoning"
    ANSWER = "answer"
    FINISH = "finish"
    """The finish reason."""
    DONE = "done"
    """The last event of a complete answer."""
    ERROR = "error"
    OTHER = "other"


class Ending(Enum):
    """How a request ended."""

    DONE = "done"
    ERROR = "error"
    CUT = "cut"
    REFUSED = "refused"
    CLIENT = "client"
    SHUTDOWN = "shutdown"


class Step(NamedTuple):
    """A part of the answer, due some seconds after the request."""

    due_s: float
    part: Part
    text: str = ""
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Its words and times depend only on these fields."""

    parameters: LlmParameters
    prompt: Prompt
    seed: int

    @property
    def wanted_tokens(self) -> int:
        """Number of tokens of an answer without a limit."""
        return self.parameters.reasoning + self.parameters.tokens

    @property
    def token_count(self) -> int:
        """Number of tokens, reasoning included."""
        limit = self.prompt.max_tokens
        return self.wanted_tokens if limit is None else min(self.wanted_tokens, limit)

    @property
    def reasoning_tokens(self) -> int:
        """Number of tokens before the answer."""
        return min(self.parameters.reasoning, self.token_count)

    @property
    def answer_tokens(self) -> int:
        """Number of tokens after the reasoning."""
        return self.token_count - self.reasoning_tokens

    @property
    def is_cut_at_limit(self) -> bool:
        """Whether the limit of the request ends the answer."""
        return self.token_count < self.wanted_tokens

    @property
    def ending(self) -> Ending:
        """How this answer ends, if its client and the server stay."""
        fault_after = self.parameters.fault_after
        if fault_after is None or fault_after > self.token_count:
            return Ending.DONE
        return Ending.CUT if self.parameters.error_after is None else Ending.ERROR

    @property
    def sent_tokens(self) -> int:
        """Number of tokens before the end or the fault."""
        fault_after = self.parameters.fault_after
        return self.token_count if fault_after is None else min(self.token_count, fault_after)

    def words(self, part: Part) -> Iterator[str]:
        """Yield the words of the reasoning or of the answer without end, each with a leading space except the first."""
        return words(f"reasoning {self.seed}" if part is Part.REASONING else self.seed)

    def text(self, part: Part) -> str:
        """Return the complete reasoning or answer."""
        count = self.reasoning_tokens if part is Part.REASONING else self.answer_tokens
        return "".join(islice(self.words(part), count))

    def due_s(self) -> Iterator[float]:
        """Yield for each token the seconds from the request until it is due, without end."""
        parameters = self.parameters
        return due_s(parameters.ttft, parameters.interval_s, parameters.jitter, self.seed)

    def whole_due_s(self) -> float:
        """Return the seconds from the request until all tokens, or the fault, are due."""
        count = self.sent_tokens + (self.ending is Ending.ERROR)
        return next(islice(self.due_s(), max(count - 1, 0), None))

    def steps(self) -> Iterator[Step]:
        """Yield the parts of the answer in order. A cut answer has no last one."""
        parameters = self.parameters
        yield Step(parameters.ttft if parameters.role_at is None else parameters.role_at, Part.START)
        dues_s = self.due_s()
        due_s = parameters.ttft
        for step in self.chunks(dues_s):
            due_s = step.due_s
            yield step
        if self.ending is Ending.ERROR:
            yield Step(next(dues_s), Part.ERROR)
        elif self.ending is Ending.DONE:
            yield Step(due_s, Part.FINISH)

    def chunks(self, dues_s: Iterator[float]) -> Iterator[Step]:
        """Yield the chunks with text. Each is due with its first token, like a step of speculative decoding."""
        size, sent = self.parameters.tokens_per_chunk, self.sent_tokens
        reasoning = min(self.reasoning_tokens, sent)
        for part, total in ((Part.REASONING, reasoning), (Part.ANSWER, sent - reasoning)):
            part_words = islice(self.words(part), total)
            if size == 1:  # the common case, at a third of the cost
                yield from (Step(due_s, part, word, 1) for word, due_s in zip(part_words, dues_s, strict=False))
                continue
            for begin in range(0, total, size):
                count = min(size, total - begin)
                due_s, *_ = islice(dues_s, count)
                yield Step(due_s, part, "".join(islice(part_words, count)), count)
