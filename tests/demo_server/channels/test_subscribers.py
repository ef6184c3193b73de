"""The order of events to a subscriber, at moments that a real client cannot choose, and the history of channels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import cast

import pytest
from starlette.types import Message

from demo_server.channels import backlog as backlogs
from demo_server.channels import channels
from demo_server.channels.backlog import Backlog
from demo_server.channels.channels import Channels
from demo_server.channels.events import PublishedEvent
from demo_server.channels.history import EVENT_OVERHEAD_BYTES, History
from demo_server.channels.subscriber import MAX_BEHIND_EVENTS, Subscriber
from demo_server.streams.messages import body
from demo_server.streams.stream import Stats, Stream
from demo_server.workers.counters import Number


class Client:
    """The server's end of a connection. While the client does not read, the buffer is full, and `send` waits."""

    def __init__(self, backlog: Backlog | None = None) -> None:
        backlog = backlog or Backlog()
        self.sent: list[bytes] = []
        self.is_waited_for = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.stream = Stream(Stats(), cast("asyncio.WriteTransport", self))
        self.subscriber = Subscriber(self.stream, self.send, backlog)

    def get_write_buffer_size(self) -> int:
        return 0 if self.reads.is_set() else 1

    def is_closing(self) -> bool:
        return False

    async def send(self, message: Message) -> None:
        if not self.reads.is_set():
            self.is_waited_for.set()
            await self.reads.wait()
        if message["body"]:
            self.sent.append(message["body"])

    async def deliver(self, *values: int) -> None:
        for value in values:
            await self.subscriber.deliver(event(value))

    @asynccontextmanager
    async def subscribed(self, heartbeat_s: float = 0) -> AsyncIterator[asyncio.Task[None]]:
        running = asyncio.create_task(self.subscriber.run(heartbeat_s))
        await asyncio.sleep(0)
        yield running
        for _ in range(10):  # turns of the loop, much shorter than the times of this test
            await asyncio.sleep(0)
        running.cancel()


def event(value: int, epoch: str = "a") -> PublishedEvent:
    return PublishedEvent(Number(epoch, value), body(b"%d" % value))


async def test_queued_events_keep_their_order_when_the_client_reads_again() -> None:
    client = Client()
    async with client.subscribed():
        client.reads.clear()
        await client.deliver(1, 2)
        await client.is_waited_for.wait()
        client.reads.set()
        await client.deliver(3)  # the subscriber's task still sends the first one
    assert client.sent == [b"1", b"2", b"3"]


async def test_new_event_does_not_overtake_the_event_being_sent() -> None:
    client = Client()
    async with client.subscribed():
        client.reads.clear()
        await client.deliver(1)
        await client.is_waited_for.wait()
        client.reads.set()
        await client.deliver(2)
    assert client.sent == [b"1", b"2"]


async def test_events_queued_during_a_blocked_heartbeat_are_sent_directly_after_it() -> None:
    client = Client()
    client.reads.clear()
    async with client.subscribed(heartbeat_s=0.3):
        await client.is_waited_for.wait()
        await client.deliver(1)
        client.reads.set()
        await client.deliver(2)
    assert client.sent == [b": heartbeat\n\n", b"1", b"2"]


async def test_heartbeat_is_sent_only_after_silence() -> None:
    client = Client()
    async with client.subscribed(heartbeat_s=0.4):
        for value in range(12):
            await asyncio.sleep(0.05)
            await client.deliver(value)
    assert client.sent == [b"%d" % value for value in range(12)]


async def test_events_that_a_reconnecting_client_has_are_not_sent_again() -> None:
    client = Client()
    client.subscriber.begin([body(b"3")], Number("a", 3))
    async with client.subscribed():
        await client.deliver(2, 3, 4)
        await client.subscriber.deliver(event(1, epoch="b"))
    assert client.sent == [b"3", b"4", b"1"]


async def test_subscriber_too_many_events_behind_is_dropped_at_once() -> None:
    client = Client()
    async with client.subscribed() as running:
        client.reads.clear()
        await client.deliver(0)
        await client.is_waited_for.wait()
        await client.deliver(*range(1, MAX_BEHIND_EVENTS + 5))
        client.reads.set()
        async with asyncio.timeout(10):
            await running
    # The event that was being sent, then only the reason.
    assert [sent.partition(b"\n")[0] for sent in client.sent] == [b"0", b"event: dropped"]
    assert b"%d events" % (MAX_BEHIND_EVENTS + 1) in client.sent[1]


async def test_shutdown_notice_is_sent_instead_of_the_queue() -> None:
    client = Client()
    async with client.subscribed():
        client.reads.clear()
        await client.deliver(1, 2)
        await client.is_waited_for.wait()
        client.stream.end(is_shutdown=True)
        client.reads.set()
        await client.deliver(3)
    assert client.sent == [b"1", b": the server is going down\n\n"]


def test_event_of_another_epoch_clears_the_history() -> None:
    history = History()
    for published in (event(1), event(2), event(1, epoch="b")):
        history.add(published)
    messages, seen = history.after("b-0")
    assert ([message["body"] for message in messages], seen) == ([b"1"], Number("b", 0))


async def test_least_recently_used_channel_without_subscribers_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MAX_CHANNELS", 2)
    all_channels, client = Channels(), Client()

    async def history(name: str) -> int:
        with all_channels.subscribed(name, subscriber := Client().subscriber, "elsewhere-1"):
            return len(subscriber._queue) - 1  # without the gap event

    with all_channels.subscribed("listened to", client.subscriber, ""):
        for number, name in enumerate(("listened to", "old", "new", "newer"), 1):
            await all_channels.deliver(name, None, "", Number("a", number))
        kept = [await history(name) for name in ("listened to", "newer", "new")]
    assert kept == [1, 1, 0]


async def test_delivery_to_many_subscribers_yields_to_other_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "DELIVERIES_PER_TURN", 2)
    all_channels, clients, turns = Channels(), [Client() for _ in range(5)], list[int]()

    async def note_turns() -> None:
        while True:
            turns.append(sum(len(client.sent) for client in clients))
            await asyncio.sleep(0)

    with ExitStack() as stack:
        for client in clients:
            stack.enter_context(all_channels.subscribed("x", client.subscriber, ""))
        others = asyncio.create_task(note_turns())
        assert await all_channels.deliver("x", None, "", Number("a", 1)) == 5
        others.cancel()
    assert turns == [2, 4]


async def test_histories_are_bounded_together_and_cleared_ones_are_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channels, "MAX_HISTORIES_BYTES", 4 * (EVENT_OVERHEAD_BYTES + 100))
    all_channels = Channels()
    for number in (1, 2):
        await all_channels.deliver("old", None, "", Number("a", number))
        await all_channels.deliver("new", None, "", Number("b", number))
    assert [len(replay_of(all_channels, "old", "a-0")), len(replay_of(all_channels, "new", "b-0"))] == [2, 2]
    await all_channels.deliver("new", None, "", Number("b", 3))
    assert len(replay_of(all_channels, "new", "b-0")) == 3
    (gap,) = replay_of(all_channels, "old", "a-0")
    assert b"event: gap" in gap
    assert b"2 events are no longer in the history" in gap
    assert b"id: a-2" in gap


async def test_forgotten_channels_free_their_history_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MAX_CHANNELS", 2)
    monkeypatch.setattr(channels, "MAX_HISTORIES_BYTES", 3 * (EVENT_OVERHEAD_BYTES + 100))
    all_channels = Channels()
    for number in range(1, 50):  # each in a new channel, which replaces an old one
        await all_channels.deliver(f"channel-{number}", None, "", Number("a", number))
    assert len(replay_of(all_channels, "channel-49", "a-48")) == len(replay_of(all_channels, "channel-48", "a-47")) == 1


def replay_of(all_channels: Channels, name: str, last_event_id: str) -> list[bytes]:
    with all_channels.subscribed(name, subscriber := Client().subscriber, last_event_id):
        return [message["body"] for message in subscriber._queue]


async def test_event_in_many_queues_counts_once_until_all_have_sent_it() -> None:
    backlog = Backlog()
    clients, message = [Client(backlog) for _ in range(3)], event(12345)
    for client in clients:
        client.reads.clear()
        await client.subscriber.deliver(message)
    assert backlog.size_bytes == 5
    for client in clients[:2]:
        client.subscriber.close()
    assert backlog.size_bytes == 5
    async with clients[2].subscribed():
        await clients[2].is_waited_for.wait()
        assert backlog.size_bytes == 0
        clients[2].reads.set()


async def test_subscriber_that_exceeds_the_backlog_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlogs, "MAX_BACKLOG_BYTES", 3)
    backlog = Backlog()
    first, second, quick = Client(backlog), Client(backlog), Client(backlog)
    for client in (first, second):
        client.reads.clear()
    await first.deliver(1, 2)
    await second.deliver(3, 4)  # events of another channel
    await quick.deliver(5)
    assert [message["body"] for message in first.subscriber._queue] == [b"1", b"2"]
    (dropped,) = second.subscriber._queue
    assert b"event: dropped" in dropped["body"]
    assert b"2 events (2 bytes) behind, and all subscribers together 4 bytes" in dropped["body"]
    assert quick.sent == [b"5"]
    second.subscriber.close()
    assert backlog.size_bytes == 2


async def test_event_for_a_channel_without_room_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MAX_CHANNELS", 1)
    all_channels, client = Channels(), Client()
    with all_channels.subscribed("x", client.subscriber, ""):
        assert [all_channels.is_full_for("x"), all_channels.is_full_for("y")] == [False, True]
        assert await all_channels.deliver("y", None, "", Number("a", 1)) == 0
    assert not all_channels.is_full_for("y")
    (gap,) = replay_of(all_channels, "y", "a-0")
    assert b"event: gap" in gap


async def test_events_that_did_not_arrive_are_announced_to_open_subscribers_once() -> None:
    all_channels, client, ahead = Channels(), Client(), Client()
    ahead.subscriber.begin([], Number("a", 4))
    with (
        all_channels.subscribed("x", client.subscriber, ""),
        all_channels.subscribed("x", ahead.subscriber, ""),
    ):
        for epoch, value in [("a", 1), ("a", 5), ("a", 6), ("b", 1), ("c", 3)]:
            await all_channels.deliver("x", None, "new", Number(epoch, value))
    announced = [sent for sent in client.sent if b"event: gap" in sent]
    assert announced == [
        b'id: a-4\nevent: gap\ndata: {"after": "a-1", "reason": "3 events were lost"}\n\n',
        b'id: c-2\nevent: gap\ndata: {"after": "b-1", "reason": "2 events were lost"}\n\n',
    ]
    assert [sent.partition(b"\n")[0] for sent in client.sent] == [
        b"id: " + event_id for event_id in (b"a-1", b"a-4", b"a-5", b"a-6", b"b-1", b"c-2", b"c-3")
    ]
    # It had these events from elsewhere; of the others, it knows nothing.
    assert not any(b"id: a-4" in sent for sent in ahead.sent)


async def test_first_event_of_a_channel_has_any_number() -> None:
    all_channels, client = Channels(), Client()
    with all_channels.subscribed("x", client.subscriber, ""):
        await all_channels.deliver("x", None, "new", Number("a", 7))
    assert client.sent == [b"id: a-7\ndata: new\n\n"]
