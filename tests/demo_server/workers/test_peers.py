"""Questions between workers when one of the processes is lost."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import httpx
import pytest

from demo_server.app import create_api
from demo_server.options import Options
from demo_server.streams.registry import Streams
from demo_server.workers.hub import Hub
from demo_server.workers.peers import Answers, HubPeers, LocalPeers, PeersLostError


@pytest.fixture(name="raised")
def raised_signals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    raised: list[int] = []
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    return raised


@asynccontextmanager
async def joined() -> AsyncIterator[tuple[HubPeers, socket.socket]]:
    """A worker, and the hub's end of its socket."""
    ours, theirs = socket.socketpair()
    members = HubPeers(theirs)
    await members.join()
    assert members._writer is not None
    with ours, closing(members._writer):
        yield members, ours
    for _ in range(3):  # turns of the loop until it is closed
        await asyncio.sleep(0)


@pytest.mark.parametrize("is_all_read", [True, False])
async def test_lost_hub_stops_the_worker_and_fails_its_questions(raised: list[int], is_all_read: bool) -> None:
    async with joined() as (members, hub), asyncio.timeout(10):
        asked = asyncio.create_task(members.ask("stats"))
        await asyncio.sleep(0)
        if is_all_read:
            hub.recv(65536)
        hub.close()  # with unread data, the close is a reset
        with pytest.raises(PeersLostError):
            await asked
        with pytest.raises(PeersLostError):
            await members.ask("stats")
        assert raised == [signal.SIGTERM]


async def test_question_before_join_waits_for_join() -> None:
    hub, theirs = socket.socketpair()
    members = HubPeers(theirs)
    asked = asyncio.create_task(members.ask("stats"))
    await asyncio.sleep(0)
    await members.join()
    await asyncio.sleep(0)
    assert [next(iter(json.loads(line))) for line in hub.recv(65536).splitlines()] == ["ready", "call"]
    asked.cancel()
    assert members._listening is not None
    assert members._writer is not None
    members._listening.cancel()
    members._writer.close()
    hub.close()
    await asyncio.sleep(0)


@pytest.mark.usefixtures("raised")
async def test_answer_to_a_cancelled_question_is_ignored() -> None:
    async with joined() as (members, hub), asyncio.timeout(10):
        given_up = asyncio.create_task(members.ask("stats"))
        await asyncio.sleep(0)
        asked = asyncio.create_task(members.ask("stats"))
        await asyncio.sleep(0)
        hub.sendall(b'{"call": 1, "answers": [], "number": null}\n{"call": 2, "answers": [3], "number": null}\n')
        members._pending[1].cancel()  # like a cancelled task, one turn of the loop before it removes its question
        assert await asked == Answers([3], None)
        assert given_up.cancelled()


async def test_hub_handles_a_worker_lost_with_unread_messages() -> None:
    (ours, dies), (other, asks) = (socket.socketpair() for _ in range(2))
    asks.setblocking(False)
    hub = Hub()
    gone, listening = await hub.connect([ours, other])
    asks.sendall(b'{"call": 1, "question": "stats", "args": [], "counter": null}\n')
    async with asyncio.timeout(10):
        assert b"stats" in await asyncio.get_running_loop().sock_recv(asks, 65536)
        dies.close()
        await gone
        asks.close()
        await listening
    for writer in hub._workers:
        writer.close()
    await asyncio.sleep(0)


async def test_single_worker_answers_one_question_at_a_time() -> None:
    alone, heard = LocalPeers(), list[str]()

    async def answer(name: str) -> None:
        heard.append(f"{name} begins")
        await asyncio.sleep(0)
        heard.append(f"{name} ends")

    alone.handlers["x"] = answer
    await asyncio.gather(alone.ask("x", "first"), alone.ask("x", "second"))
    assert heard == ["first begins", "first ends", "second begins", "second ends"]


async def test_request_that_needs_lost_workers_is_answered_503() -> None:
    class Lost(LocalPeers):
        async def ask(self, question: str, *args: object, counter: str | None = None) -> Answers:
            raise PeersLostError

    transport = httpx.ASGITransport(create_api(Streams(), Lost(), Options()))
    async with httpx.AsyncClient(transport=transport, base_url="http://demo") as client:
        response = await client.get("/stats")
    assert (response.status_code, response.json()) == (503, {"detail": "the server is going down"})
