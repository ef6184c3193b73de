"""The figures of the answers of an LLM, in a form that merges. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.merging import Merging, added, counted, mergeable, part, parts, summed, summed_if_known
from sseclient_cli.measure.slo import Limit
from sseclient_cli.payload.llm_api import Usage

MAX_NAMES = 20
"""Finish reasons that are counted by name; the rest share one entry. A server could invent one for each answer."""

MAX_NAME_CHARS = 100

OTHER = "(other)"

MAX_TURNS = 20
"""Turns of a conversation with figures of their own."""


@mergeable
@dataclass(slots=True)
class LlmTotals(Merging):
    """The answers that succeeded. A chunk is an event with generated text; it may hold several tokens."""

    first_token: Histogram = part(Histogram)
    first_answer: Histogram = part(Histogram)
    token_gap: Histogram = part(Histogram)
    tpot: Histogram = part(Histogram)
    chunks: int = summed()
    chunks_together: int = summed()
    """Chunks that arrived in one read with an earlier one of the same answer: they have no gap."""
    chunks_estimated: int = summed()
    """Chunks whose arrival is an estimate: several were read late, with one arrival time (``chunk_times.py``)."""
    empty: int = summed()
    """Answers without generated text."""
    counted_answers: int = summed()
    """Answers whose tokens the server counted."""
    tokenized_answers: int = summed()
    """Answers whose tokens a tokenizer of ours counted, because the server did not."""
    input_tokens: int | None = summed_if_known()
    output_tokens: int | None = summed_if_known()
    reasoning_tokens: int | None = summed_if_known()
    burst_chunks: Histogram = part(Histogram)
    """Chunks, not us: of each burst (``chunk_bursts.py``)."""
    burst_pause: Histogram = part(Histogram)
    """From the previous chunk, or the sending of the request, until each burst."""
    finish_reasons: Counter[str] = counted()
    apis: Counter[str] = counted()
    """Answers by API, as ``LlmShape`` names it."""
    good: int = summed()
    """Requests that met all objectives."""
    unjudged: int = summed()
    """Requests that met no limit for certain, and missed none: a duration is not known."""
    met: Counter[str] = counted()
    """Requests that met an objective, by the objective."""
    missed: Counter[str] = counted()
    """Successful requests that missed an objective, by the objective."""

    turns: Counter[int] = counted()
    """Answers by their number in a conversation, from 0."""
    turn_first_token: dict[int, Histogram] = parts()

    def count_turn(self, turn: int, first_token_us: int | None) -> None:
        """Count an answer in a conversation. The turns after the first MAX_TURNS are in no figure of their own."""
        if turn < MAX_TURNS:
            self.turns[turn] += 1
            if first_token_us is not None:
                self.turn_first_token.setdefault(turn, Histogram()).record({first_token_us: 1})

    def count_finish(self, reason: str) -> None:
        """Count an answer by its finish reason."""
        name = reason[:MAX_NAME_CHARS]
        known = name in self.finish_reasons or len(self.finish_reasons) < MAX_NAMES
        self.finish_reasons[name if known else OTHER] += 1

    def count_tokens(self, usage: Usage) -> None:
        """Add the server's counts of one answer."""
        self.counted_answers += usage.output_tokens is not None
        self.input_tokens = added(self.input_tokens, usage.input_tokens)
        self.output_tokens = added(self.output_tokens, usage.output_tokens)
        self.reasoning_tokens = added(self.reasoning_tokens, usage.reasoning_tokens)

    def judge(self, found: Mapping[Limit, bool | None]) -> None:
        """Count an answer by its objectives: whether each is met, or None if its duration is not known."""
        for limit, is_met in found.items():
            if is_met is not None:
                (self.met if is_met else self.missed)[str(limit)] += 1
        if all(found.values()):
            self.good += 1
        elif False not in found.values():
            self.unjudged += 1
