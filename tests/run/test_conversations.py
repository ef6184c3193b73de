"""Conversations of several turns: each request carries the answers so far, and a failure ends the conversation."""

import asyncio
import json
import socket
from typing import Any

from scripted_server import CHUNKED, LAST_CHUNK, SSE, Do, Script, ScriptedServer, chunk, head

from sseclient_cli.measure.answer_choice import LlmChoice
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.measure.totals import Totals
from sseclient_cli.payload.llm_api import LlmApi
from sseclient_cli.request.llm_body import LlmBodies
from sseclient_cli.request.per_stream import with_values
from sseclient_cli.request.prompts import ListedPrompts, Prompt
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.request.urls_file import WeightedUrl
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

TWO_OF_THREE_TURNS = ListedPrompts((Prompt(("a1", "a2", "a3")), Prompt(("b1", "b2", "b3"))))


def _said(text: str, *, reasoning: str = "") -> bytes:
    delta = {"content": text, **({"reasoning_content": reasoning} if reasoning else {})}
    return b"data: %b\n\n" % json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode()


def answer(*events: bytes, ends: bool = True) -> Script:
    chunks = [chunk(event) for event in (*events, b"data: [DONE]\n\n")]
    return [head(200, SSE + CHUNKED), 0.02, *chunks, LAST_CHUNK if ends else Do.HOLD]


async def ran(*scripts: Script, prompts: ListedPrompts = TWO_OF_THREE_TURNS, **plan: Any) -> tuple[Totals, list[str]]:
    """Run as many requests as there are scripts; return the totals, and the contents that each request carried."""
    async with ScriptedServer(*scripts) as server:
        url = f"http://127.0.0.1:{server.port}/"
        bodies = LlmBodies(api=LlmApi.OPENAI_CHAT, prompts=prompts)
        target = with_values([Target.parse(url, method="POST")], [WeightedUrl(url)], llm=bodies)
        resolved = ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", server.port)))
        fields: dict[str, Any] = {"timestamp": Choice.NONE, "sequence": Choice.NONE, "llm": LlmChoice()}
        made: dict[str, Any] = {"connections": 1, "duration_s": 30.0, "ramp_up_s": 0, "on_end": OnEnd.RESTART, **plan}
        shard = Shard(chain=(resolved,), plan=Plan(requests=len(scripts), **{**fields, **made}))
        totals = await asyncio.to_thread(Worker(shard).run)
        sent = [json.loads(request.body)["messages"] for request in server.requests]
    return totals, [" ".join(message["content"] for message in messages) for messages in sent]


async def test_slot_finishes_its_conversation_before_it_begins_the_next_one() -> None:
    scripts = [answer(_said(f"A{number}", reasoning="hm"), _said("!")) for number in range(5)]
    totals, sent = await ran(*scripts)
    assert sent == ["a1", "a1 A0! a2", "a1 A0! a2 A1! a3", "b1", "b1 A3! b2"]
    assert totals.requests is not None
    assert totals.requests.llm is not None
    assert totals.requests.llm.turns == {0: 2, 1: 2, 2: 1}
    by_turn = [each.count for each in totals.requests.llm.turn_first_token.values()]
    assert sum(by_turn) == totals.requests.llm.first_token.count  # a busy machine may not know a time


async def test_conversation_goes_on_after_an_answer_that_the_server_left_open() -> None:
    _, sent = await ran(answer(_said("A"), ends=False), answer(_said("B")))
    assert sent == ["a1", "a1 A a2"]


async def test_failure_and_answer_without_content_end_a_conversation() -> None:
    failed: Script = [head(200, SSE + CHUNKED), chunk(_said("A")), LAST_CHUNK]
    empty = answer(b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n')
    totals, sent = await ran(answer(_said("A")), failed, empty, answer(_said("B")))
    assert sent == ["a1", "a1 A a2", "b1", "a1"]
    assert totals.requests is not None
    assert (totals.requests.succeeded, totals.requests.failed) == (3, 1)


async def test_each_worker_has_its_own_conversations() -> None:
    _, sent = await ran(answer(_said("A")), answer(_said("B")), first_slot=0, stride=2, connections=2)
    assert sent == ["a1"]  # request 1 is of the other worker
    _, sent = await ran(answer(_said("A")), answer(_said("B")), first_slot=1, stride=2, connections=2)
    assert sent == ["b1"]


async def test_requests_that_stand_alone_have_no_turns() -> None:
    totals, sent = await ran(answer(_said("A")), answer(_said("B")), prompts=TWO_OF_THREE_TURNS.limited(1))
    assert sent == ["a1", "b1"]
    assert totals.requests is not None
    assert totals.requests.llm is not None
    assert not totals.requests.llm.turns
