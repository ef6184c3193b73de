"""The prompts of a run: texts in turn, synthetic text of a length, and the spread of a length."""

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.request.prompt_words import WORDS
from sseclient_cli.request.prompts import Conversation, ListedPrompts, Prompt, SyntheticPrompts
from sseclient_cli.request.token_count import TokenCount


def _words(prompt: Prompt) -> list[str]:
    [text] = prompt.turns
    return text.split(" ")


def test_synthetic_prompt_has_a_word_per_token_and_depends_only_on_seed_and_number() -> None:
    prompts = SyntheticPrompts(TokenCount(200), seed="7")
    assert len(_words(prompts.prompt(3))) == 200
    for length in (1, 31, 32, 33, 47, 48, 49):
        assert len(_words(SyntheticPrompts(TokenCount(length), seed="7").prompt(3))) == length
    assert set(_words(prompts.prompt(3))) <= set(WORDS)
    assert prompts.prompt(3) == SyntheticPrompts(TokenCount(200), seed="7").prompt(3)
    assert prompts.prompt(3) != SyntheticPrompts(TokenCount(200), seed="8").prompt(3)


def test_synthetic_prompts_differ_within_their_first_words() -> None:
    prompts = SyntheticPrompts(TokenCount(1000), seed="7")
    beginnings = {tuple(_words(prompts.prompt(number))[:4]) for number in range(500)}
    assert len(beginnings) == 500


def test_length_spreads_evenly_up_to_both_limits() -> None:
    prompts = SyntheticPrompts(TokenCount(10, 2), seed="1")
    assert {len(_words(prompts.prompt(number))) for number in range(200)} == {8, 9, 10, 11, 12}


def test_spread_leaves_at_least_one_token() -> None:
    assert str(TokenCount(2, 1)) == "2:1"
    with pytest.raises(UsageError, match=r"^2:2 tokens: the spread must be less"):
        TokenCount(2, 2)


def test_listed_prompts_are_taken_in_turn() -> None:
    prompts = ListedPrompts((Prompt(("a",)), Prompt(("b",))))
    assert [prompts.prompt(number).turns for number in range(3)] == [("a",), ("b",), ("a",)]


def test_own_texts_are_those_of_texts_and_messages_that_are_long_enough() -> None:
    messages = ({"role": "user", "content": "a long text"}, {"role": "user", "content": [{"type": "text"}]})
    prompts = ListedPrompts((Prompt(("short", "the second one")), Prompt(messages=messages)))
    assert prompts.own_texts(0) == ("the second one",)
    assert prompts.own_texts(1) == ("a long text",)
    assert SyntheticPrompts(TokenCount(20), seed="1").own_texts(0) == ()


def test_words_of_synthetic_prompts_are_different() -> None:
    assert len(WORDS) == len(set(WORDS)) == 512


def test_conversation_carries_each_answer_before_the_next_text() -> None:
    first = {"role": "system", "content": "Be brief."}
    conversation = Conversation(0, Prompt(("a", "b"), messages=(first,)))
    assert conversation.messages == [first, {"role": "user", "content": "a"}]
    conversation = conversation.answered("A")
    assert (conversation.turn, conversation.is_over) == (1, False)
    assert [message["content"] for message in conversation.messages] == ["Be brief.", "a", "A", "b"]
    assert [message["role"] for message in conversation.messages] == ["system", "user", "assistant", "user"]
    assert conversation.answered("B").is_over


def test_messages_alone_are_a_conversation_of_one_request() -> None:
    assert Conversation(0, Prompt(messages=({"role": "user", "content": "a"},))).answered("A").is_over


def test_each_turn_of_a_synthetic_conversation_has_its_own_words() -> None:
    turns = SyntheticPrompts(TokenCount(20), seed="7", turns=3).prompt(0).turns
    assert len(turns) == len(set(turns)) == 3


def test_other_seed_makes_other_prompts_of_the_same_kind() -> None:
    prompts = SyntheticPrompts(TokenCount(20), seed="7")
    assert prompts.reseeded("7/1").prompt(0) == SyntheticPrompts(TokenCount(20), seed="7/1").prompt(0)
    listed = ListedPrompts((Prompt(("a",)),))
    assert listed.reseeded("7/1") is listed


def test_turns_that_are_not_sent_are_noted() -> None:
    prompts = ListedPrompts((Prompt(("a", "b", "c")), Prompt(("d",))))
    assert prompts.most_turns == 3
    assert prompts.limited(3) is prompts
    limited = prompts.limited(2)
    assert [prompt.turns for prompt in limited.listed] == [("a", "b"), ("d",)]
    assert limited.notes == ("conversations with more turns than are sent: 1 of 2",)
