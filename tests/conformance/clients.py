"""The three clients that run the same cases, and their results."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest
from browser import PAGE_PATH, Browser, event_of

from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import SseError
from sseclient_cli.measure.event_sampler import EventSampler
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.stream_pool import StreamPool
from sseclient_cli.run.worker import Worker
from sseclient_cli.sse.event_stream import Event

OPEN = "open"
"""An entry of ``heard``: the response of a connection is an event stream."""

LONGEST_S = 30.0


class Client(Enum):
    """The clients that run a case, by their name in the table."""

    EVENT_SOURCE = "EventSource"
    ENGINE = "sse bench"
    CHROMIUM = "Chromium"


OURS = (Client.EVENT_SOURCE, Client.ENGINE)


@dataclass(slots=True)
class Seen:
    """The events and errors of a program until the stream was closed."""

    heard: list[str | Event] = field(default_factory=list)
    """OPEN and the events, in their order."""
    errors: Counter[str] = field(default_factory=Counter)
    """Kinds of errors. EventSource: the final one. The engine: all. Chromium: none, because it does not report them."""
    comments: int = 0
    """The number of comments that the engine has counted."""


async def read(
    client: Client,
    url: str,
    fixtures: pytest.FixtureRequest,
    *,
    headers: tuple[str, ...] = (),
    types: Collection[str] = ("message",),
    enough: int | None = None,
    for_s: float | None = None,
    retry_statuses: Collection[int] = (),
    http2: bool = False,
    **plan: Any,
) -> Seen:
    """Let a client read a stream until the stream is closed.

    The program closes it after ``enough`` entries of ``heard``, or after ``for_s``. The origin of the URL must serve
    PAGE at PAGE_PATH. ``types`` are the event types that a page listens for. ``http2`` is for our clients, ``plan`` for
    the engine only.
    """
    if client is Client.CHROMIUM:
        browser: Browser = fixtures.getfixturevalue("browser")
        await asyncio.to_thread(browser.go_to, f"{url}{PAGE_PATH}")
        log = await asyncio.to_thread(browser.watch, f"{url}/", sorted(types), enough=enough, for_s=for_s)
        return Seen([OPEN if entry[0] == "open" else event_of(entry) for entry in log if entry[0] in ("open", "event")])
    target = Target.parse(url, headers=headers, http2=http2)
    if client is Client.ENGINE:
        return await _read_as_engine(target, enough, for_s, {"retry_statuses": frozenset(retry_statuses), **plan})
    return await _read_as_event_source(target, enough, for_s, retry_statuses)


async def _read_as_event_source(
    target: Target, enough: int | None, for_s: float | None, retry_statuses: Collection[int]
) -> Seen:
    seen = Seen()

    def note(entry: str | Event) -> None:
        seen.heard.append(entry)
        if len(seen.heard) == enough:
            source.close()

    def on_state(change: StateChange) -> None:
        if change.state is ConnectionState.OPEN:
            note(OPEN)

    source = EventSource(target, on_state=on_state, retry_statuses=retry_statuses)
    if for_s is not None:
        asyncio.get_running_loop().call_later(for_s, source.close)
    try:
        async with source:
            async for event in source:
                note(event)
    except SseError as exc:
        seen.errors[exc.kind] += 1
    return seen


async def _read_as_engine(target: Target, enough: int | None, for_s: float | None, plan: dict[str, Any]) -> Seen:
    """Run one stream with ``--on-end reconnect``. ``for_s`` is the duration of the run; ``enough`` is a Ctrl-C."""
    seen = Seen()
    options = {"connections": 1, "ramp_up_s": 0, "duration_s": for_s or LONGEST_S, "on_end": OnEnd.RECONNECT, **plan}
    worker = Worker(Shard(chain=(resolved(target),), plan=Plan(**options)))

    def note(*entries: str | Event) -> None:
        seen.heard.extend(entries)
        if enough is not None and len(seen.heard) >= enough:
            worker.interrupt()

    with _overheard(note):
        totals = await asyncio.to_thread(worker.run)
    assert totals.events == sum(entry != OPEN for entry in seen.heard)
    seen.errors.update({kind: error.count for kind, error in totals.errors.items()})
    seen.comments = totals.comments
    return seen


def resolved(target: Target) -> ResolvedTarget:
    """Return the result of a preflight for a server at a numeric address."""
    url = target.parsed_url
    return ResolvedTarget(target, Address(socket.AF_INET, (url.host, url.port or 80)))


@contextlib.contextmanager
def _overheard(note: Callable[..., None]) -> Iterator[None]:
    """Pass on the events that the engine counts: it does not keep the events themselves."""
    sample, opened = EventSampler._sample, StreamPool.opened

    def sample_and_tell(sampler: EventSampler, events: list[Event], *rest: Any, **others: Any) -> None:
        note(*events)
        sample(sampler, events, *rest, **others)

    def open_and_tell(pool: StreamPool, stream: Any) -> None:
        note(OPEN)
        opened(pool, stream)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventSampler, "_sample", sample_and_tell)
        patch.setattr(StreamPool, "opened", open_and_tell)
        yield
