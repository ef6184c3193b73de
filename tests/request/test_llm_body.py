"""The bodies of requests to LLMs: the members that each API documents, and the headers that it requires."""

import json
from typing import Any

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.payload.llm_api import LlmApi
from sseclient_cli.request.llm_body import LlmBodies, api_of
from sseclient_cli.request.per_stream import with_values
from sseclient_cli.request.prompts import ListedPrompts, Prompt, SyntheticPrompts
from sseclient_cli.request.target import Target
from sseclient_cli.request.token_count import TokenCount
from sseclient_cli.request.urls_file import WeightedUrl
from sseclient_cli.request.values_file import Columns

HI = ListedPrompts((Prompt(("Hi",)),))
USAGE = {"stream": True, "stream_options": {"include_usage": True}}


def _body(api: LlmApi, number: int = 0, **parts: Any) -> dict[str, Any]:
    bodies = LlmBodies(api=api, **{"prompts": HI, **parts})
    body: dict[str, Any] = json.loads(bodies.body(bodies.conversation(number)))
    return body


@pytest.mark.parametrize(
    ("api", "expected"),
    [
        (
            LlmApi.OPENAI_CHAT,
            {
                "model": "m",
                "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
                "max_completion_tokens": 9,
                **USAGE,
            },
        ),
        (
            LlmApi.OPENAI_RESPONSES,
            {
                "model": "m",
                "instructions": "Be brief.",
                "input": [{"role": "user", "content": "Hi"}],
                "max_output_tokens": 9,
                "stream": True,
            },
        ),
        (
            LlmApi.ANTHROPIC,
            {
                "model": "m",
                "system": "Be brief.",
                "messages": [{"role": "user", "content": "Hi"}],
                "max_tokens": 9,
                "stream": True,
            },
        ),
    ],
)
def test_body_has_the_members_of_its_api(api: LlmApi, expected: dict[str, Any]) -> None:
    assert _body(api, model="m", system="Be brief.", output=TokenCount(9)) == expected


def test_completions_have_a_text_and_no_system_prompt() -> None:
    assert _body(LlmApi.OPENAI_COMPLETIONS, output=TokenCount(9)) == {"prompt": "Hi", "max_tokens": 9, **USAGE}
    with pytest.raises(UsageError, match="no `system` prompt"):
        LlmBodies(api=LlmApi.OPENAI_COMPLETIONS, prompts=HI, system="Be brief.").check()
    messages = ListedPrompts((Prompt(messages=({"role": "user", "content": "Hi"},)),))
    with pytest.raises(UsageError, match="takes a text, not messages"):
        LlmBodies(api=LlmApi.OPENAI_COMPLETIONS, prompts=messages).check()


def test_what_is_not_given_is_not_sent_except_where_the_api_requires_it() -> None:
    assert _body(LlmApi.OPENAI_CHAT) == {"messages": [{"role": "user", "content": "Hi"}], **USAGE}
    assert _body(LlmApi.ANTHROPIC) == {
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 1024,
        "stream": True,
    }


def test_limit_of_a_prompt_precedes_that_of_the_run_which_is_drawn_for_each_request() -> None:
    prompts = ListedPrompts((Prompt(("Hi",)), Prompt(("Hi",), max_tokens=3)))
    parts: dict[str, Any] = {"prompts": prompts, "output": TokenCount(100, 50)}
    limits = [_body(LlmApi.OPENAI_CHAT, number, **parts)["max_completion_tokens"] for number in range(40)]
    assert set(limits[1::2]) == {3}
    assert all(50 <= limit <= 150 for limit in limits[::2])
    assert len(set(limits[::2])) > 10
    assert limits[4] == _body(LlmApi.OPENAI_CHAT, 4, **parts)["max_completion_tokens"]


def test_extra_members_are_merged_and_null_removes_one() -> None:
    extra = {"ignore_eos": True, "stream_options": {"continuous_usage_stats": True}, "messages": None}
    assert _body(LlmApi.OPENAI_CHAT, extra=extra) == {
        "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        "ignore_eos": True,
    }


def test_text_beyond_ascii_and_half_a_surrogate_pair_are_sent_as_json() -> None:
    prompts = ListedPrompts((Prompt(('é "\ud83d',)),))
    assert _body(LlmApi.OPENAI_CHAT, prompts=prompts)["messages"][0]["content"] == 'é "\ud83d'


def test_next_request_of_a_conversation_has_its_answers_and_a_limit_of_its_own() -> None:
    prompts = ListedPrompts((Prompt(("a", "b")),))
    bodies = LlmBodies(api=LlmApi.ANTHROPIC, prompts=prompts, output=TokenCount(1000, 999))
    begun = bodies.conversation(0)
    first, second = (json.loads(bodies.body(each)) for each in (begun, begun.answered("A")))
    assert [message["content"] for message in second["messages"]] == ["a", "A", "b"]
    assert first["max_tokens"] != second["max_tokens"]


def test_preflight_has_another_prompt_than_the_first_request() -> None:
    bodies = LlmBodies(api=LlmApi.OPENAI_CHAT, prompts=SyntheticPrompts(TokenCount(9), "1"))
    target = with_values([Target.parse("http://h/")], [WeightedUrl("http://h/")], llm=bodies)
    assert target.per_stream is not None
    before = target.per_stream.preflight_of(target)
    assert before.body not in (None, target.of_stream(0).body)
    assert len(json.loads(before.body or b"")["messages"][0]["content"].split()) == 9


@pytest.mark.parametrize(
    ("url", "given", "api"),
    [
        ("http://h/v1/chat/completions", LlmApi.AUTO, LlmApi.OPENAI_CHAT),
        ("http://h/openai/v1/completions/?a=b", LlmApi.AUTO, LlmApi.OPENAI_COMPLETIONS),
        ("http://h/v1/responses", LlmApi.AUTO, LlmApi.OPENAI_RESPONSES),
        ("http://h/v1/messages", LlmApi.AUTO, LlmApi.ANTHROPIC),
        ("http://h/generate", LlmApi.AUTO, LlmApi.OPENAI_CHAT),
        ("http://h/v1/messages", LlmApi.OPENAI_RESPONSES, LlmApi.OPENAI_RESPONSES),
    ],
)
def test_api_is_the_given_one_or_that_of_the_path(url: str, given: LlmApi, api: LlmApi) -> None:
    assert api_of(url, given) is api


def test_each_request_has_its_own_body_beside_its_placeholders() -> None:
    prompts = ListedPrompts((Prompt(("first prompt",)), Prompt(("second prompt",))))
    bodies = LlmBodies(api=LlmApi.OPENAI_CHAT, prompts=prompts)
    url = "http://h/?n={n}"
    target = with_values([Target.parse(url, method="POST")], [WeightedUrl(url)], llm=bodies)
    made = [target.of_stream(number) for number in range(2)]
    assert [each.url for each in made] == ["http://h/?n=0", "http://h/?n=1"]
    assert [json.loads(each.body or b"")["messages"][0]["content"] for each in made] == [
        "first prompt",
        "second prompt",
    ]
    assert made[1].masked("no: second prompt") == "no: REDACTED"


def test_all_requests_of_a_conversation_have_the_values_of_its_row() -> None:
    bodies = LlmBodies(api=LlmApi.OPENAI_CHAT, prompts=ListedPrompts((Prompt(("a", "b")), Prompt(("c",)))))
    columns: Columns = {"turns": ("", ""), "token": ("t0", "t1")}
    target = with_values(
        [Target.parse("http://h/{n}", headers=["X-Token: {token}"])],
        [WeightedUrl("http://h/{n}")],
        columns,
        values_file="f",
        llm=bodies,
    )
    made = target.of_stream(7, conversation=bodies.conversation(0).answered("A"))
    assert (made.url, dict(made.headers)["X-Token"]) == ("http://h/7", "t0")
    assert [message["content"] for message in json.loads(made.body or b"")["messages"]] == ["a", "A", "b"]


def test_column_with_prompts_is_used_without_a_placeholder() -> None:
    bodies = LlmBodies(api=LlmApi.OPENAI_CHAT, prompts=HI)
    columns: Columns = {"prompt": ("Hi",), "token": ("t",)}
    target = with_values([Target.parse("http://h/")], [WeightedUrl("http://h/")], columns, values_file="f", llm=bodies)
    assert target.per_stream is not None
    with pytest.raises(UsageError, match="nothing uses the values of f"):
        with_values([Target.parse("http://h/")], [WeightedUrl("http://h/")], columns, values_file="f")
