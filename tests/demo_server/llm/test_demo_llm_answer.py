"""The pure answer of the demo's language model: tokens, due times, faults."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from demo_server.llm.answer import Answer, Ending, Part, Prompt
from demo_server.llm.parameters import LlmParameters
from demo_server.llm.sentences import words


def answer(max_tokens: int | None = None, **parameters: Any) -> Answer:
    given = {"ttft": 0.5, "rate": 10, "tokens": 4, **parameters}
    return Answer(LlmParameters.model_validate(given), Prompt("m", 3, max_tokens), 1)


def parts(of: Answer) -> list[tuple[float, str, int]]:
    return [(round(step.due_s, 6), step.part.value, step.tokens) for step in of.steps()]


def test_role_is_due_with_the_first_token_by_default() -> None:
    assert parts(answer(tokens=2)) == [(0.5, "start", 0), (0.5, "answer", 1), (0.6, "answer", 1), (0.6, "finish", 0)]


def test_role_is_sent_early_when_requested() -> None:
    assert parts(answer(role_at=0.1))[:2] == [(0.1, "start", 0), (0.5, "answer", 1)]


def test_chunk_of_several_tokens_is_due_with_its_first_token() -> None:
    assert parts(answer(tokens=5, tokens_per_chunk=2))[1:] == [
        (0.5, "answer", 2),
        (0.7, "answer", 2),
        (0.9, "answer", 1),
        (0.9, "finish", 0),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_size_of_chunks_does_not_change_the_text(size: int) -> None:
    texts = [step.text for step in answer(tokens=7, reasoning=3, tokens_per_chunk=size).steps() if step.tokens]
    reasoning, spoken = (list(islice(words(seed), count)) for seed, count in (("reasoning 1", 3), (1, 7)))
    assert "".join(texts) == "".join([*reasoning, *spoken])


def test_reasoning_precedes_the_answer_at_the_same_rate() -> None:
    reasoned = answer(tokens=2, reasoning=3, tokens_per_chunk=2)
    assert parts(reasoned)[1:] == [
        (0.5, "reasoning", 2),
        (0.7, "reasoning", 1),
        (0.8, "answer", 2),
        (0.8, "finish", 0),
    ]
    assert reasoned.whole_due_s() == pytest.approx(0.9)


@pytest.mark.parametrize(("limit", "counts"), [(None, (3, 4)), (5, (3, 2)), (3, (3, 0)), (2, (2, 0)), (99, (3, 4))])
def test_token_limit_includes_reasoning(limit: int | None, counts: tuple[int, int]) -> None:
    limited = answer(limit, reasoning=3)
    assert (limited.reasoning_tokens, limited.answer_tokens) == counts
    assert limited.is_cut_at_limit == (sum(counts) < 7)
    sent = [step for step in limited.steps() if step.tokens]
    assert tuple(sum(step.tokens for step in sent if step.part is part) for part in (Part.REASONING, Part.ANSWER)) == (
        counts
    )


@pytest.mark.parametrize("after", [0, 1, 3, 4])
def test_error_follows_the_given_tokens_when_the_next_one_is_due(after: int) -> None:
    failing = answer(error_after=after, reasoning=1, tokens=3)
    *others, last = parts(failing)
    assert sum(tokens for _, _, tokens in others) == after
    assert last == (round(0.5 + after / 10, 6), "error", 0)
    assert failing.ending is Ending.ERROR
    assert failing.whole_due_s() == pytest.approx(0.5 + after / 10)


def test_cut_answer_has_no_last_events() -> None:
    cut = answer(cut_after=3, tokens_per_chunk=2)
    assert parts(cut)[1:] == [(0.5, "answer", 2), (0.7, "answer", 1)]
    assert cut.ending is Ending.CUT


@pytest.mark.parametrize("fault", ["error_after", "cut_after"])
def test_fault_after_more_tokens_than_there_are_does_not_happen(fault: str) -> None:
    assert parts(answer(**{fault: 5})) == parts(answer())
    assert answer(**{fault: 5}).ending is Ending.DONE


@pytest.mark.parametrize(
    ("share", "count"), [(0.1, 100), (0.25, 250), (1 / 3, 333), (0.29, 290), (0.7, 700), (0, 0), (1, 1000)]
)
def test_refused_share_is_exact_and_spread_evenly(share: float, count: int) -> None:
    refuses = LlmParameters(refuse=share).refuses
    refused = [number for number in range(1, 1001) if refuses(number)]
    assert len(refused) == count
    gaps = {later - earlier for earlier, later in pairwise(refused)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_every_tenth_request_is_refused() -> None:
    refuses = LlmParameters(refuse=0.1).refuses
    assert [number for number in range(1, 41) if refuses(number)] == [10, 20, 30, 40]


@pytest.mark.parametrize(
    ("given", "words_of_it"),
    [
        ({"error_after": 1, "cut_after": 2}, "give error_after or cut_after"),
        ({"role_at": 0.6, "ttft": 0.5}, "role_at is later than ttft"),
        ({"retry_after": 3}, "retry_after has no effect without refuse"),
        ({"refuse": 1.5}, "less than or equal to 1"),
        ({"hold_chunks": 1}, "greater than or equal to 2"),
        ({"run": "a/b"}, "pattern"),
        ({"tokens_per_chunk": 0}, "greater than or equal to 1"),
    ],
)
def test_contradictions_are_refused(given: dict[str, Any], words_of_it: str) -> None:
    with pytest.raises(ValidationError, match=words_of_it):
        LlmParameters.model_validate(given)
