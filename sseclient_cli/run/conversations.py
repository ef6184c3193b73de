"""The conversations of the slots of a worker: a slot finishes its conversation before it begins the next one."""

from __future__ import annotations

from itertools import count

from sseclient_cli.request.prompts import Conversation
from sseclient_cli.request.target import Target
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.pooled_stream import PooledStream


class Conversations:
    """Hands out the conversations, if those of the target have several turns."""

    def __init__(self, plan: Plan, target: Target) -> None:
        bodies = None if target.per_stream is None else target.per_stream.llm
        self._bodies = bodies if bodies is not None and bodies.has_turns else None
        self._numbers = count(plan.first_slot, plan.stride)
        self._begun: dict[int, Conversation] = {}
        """The conversations that go on, by slot."""

    def next_in(self, slot: int) -> Conversation | None:
        """Return the conversation of the next request in a slot; None if each request stands alone."""
        if self._bodies is None:
            return None
        begun = self._begun.pop(slot, None)
        return self._bodies.conversation(next(self._numbers)) if begun is None else begun

    def answered(self, stream: PooledStream) -> None:
        """Continue the conversation of a request that succeeded. An answer without content ends it."""
        probe, conversation = stream.probe, stream.conversation
        if conversation is None or probe is None or not probe.answer_text:
            return
        conversation = conversation.answered(probe.answer_text)
        if not conversation.is_over:
            self._begun[stream.slot] = conversation
