"""The application of a replay, without a server: what each client is sent, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from recordings import at_ms, numbered, recording_file

from sseclient_cli.client.recording import Ended, Record, RecordedComment
from sseclient_cli.replay.app import Replay
from sseclient_cli.replay.pacing import Pacing
from sseclient_cli.replay.playback import jitter_of
from sseclient_cli.replay.timeline import Timeline
from sseclient_cli.sse.event_stream import EventStreamParser

FAST = Pacing(speed=float("inf"))


class Client:
    """One request, with the times at which its body arrived."""

    def __init__(self, method: str = "GET", **headers: str) -> None:
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        self.scope = {"method": method, "path": "/any", "query_string": b"", "headers": pairs}
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.times_s: list[float] = []
        self.is_leaving = asyncio.Event()

    async def receive(self) -> MutableMapping[str, Any]:
        await self.is_leaving.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        elif message["body"]:
            self.body += message["body"]
            self.times_s.append(asyncio.get_running_loop().time())

    @property
    def data(self) -> list[str]:
        return [event.data for event in EventStreamParser().feed(self.body)]


@contextmanager
def replay(folder: Path, pacing: Pacing, *records: Record) -> Iterator[Replay]:
    with ExitStack() as stack:
        yield Replay([stack.enter_context(Timeline(recording_file(folder, *records), lambda _: None))], pacing)


async def played(app: Replay, client: Client) -> Client:
    await app(client.scope, client.receive, client.send)
    return client


async def test_events_are_sent_in_order_and_not_before_their_time(tmp_path: Path) -> None:
    records = [at_ms(0, "a"), at_ms(40, "b"), at_ms(40, "c"), at_ms(100, "d")]
    with replay(tmp_path, Pacing(), *records) as app:
        began_s = asyncio.get_running_loop().time()
        client = await played(app, Client())
    assert (client.status, client.headers[b"content-type"], client.data) == (200, b"text/event-stream", list("abcd"))
    assert len(client.times_s) == 3  # events of the same time are one write
    assert all(time_s - began_s >= due_s for time_s, due_s in zip(client.times_s, (0, 0.04, 0.1), strict=True))


@pytest.mark.parametrize(("speed", "at_least_s"), [(0.5, 0.2), (10, 0.01)])
async def test_a_speed_scales_all_times(speed: float, at_least_s: float, tmp_path: Path) -> None:
    with replay(tmp_path, Pacing(speed=speed), at_ms(0, "a"), at_ms(100, "b")) as app:
        began_s = asyncio.get_running_loop().time()
        client = await played(app, Client())
    assert client.data == ["a", "b"]
    assert client.times_s[-1] - began_s >= at_least_s


async def test_the_highest_speed_leaves_out_an_hour(tmp_path: Path) -> None:
    with replay(tmp_path, FAST, at_ms(0, "a"), at_ms(3_600_000, "b")) as app:
        assert (await played(app, Client())).data == ["a", "b"]


async def test_the_response_ends_when_the_recorded_connection_did(tmp_path: Path) -> None:
    end = Ended(arrived_ns=0, elapsed_ns=80_000_000, reason="x")
    with replay(tmp_path, Pacing(), at_ms(0, "a"), end) as app:
        began_s = asyncio.get_running_loop().time()
        await played(app, Client())
    assert asyncio.get_running_loop().time() - began_s >= 0.08


async def test_a_client_continues_after_its_last_event(tmp_path: Path) -> None:
    with replay(tmp_path, FAST, *numbered(5, 1000)) as app:
        assert (await played(app, Client(last_event_id="3"))).data == ["4", "5"]


async def test_a_client_with_the_last_id_is_told_to_stop(tmp_path: Path) -> None:
    heartbeat = RecordedComment(arrived_ns=0, elapsed_ns=9_000_000_000, text="beat")
    with replay(tmp_path, FAST, *numbered(5, 1000), heartbeat) as app:
        client = await played(app, Client(last_event_id="5", origin="http://page"))
    assert (client.status, client.body) == (204, b"")
    assert client.headers[b"access-control-allow-origin"] == b"http://page"


async def test_an_unknown_id_starts_at_the_beginning_and_says_so(tmp_path: Path) -> None:
    with replay(tmp_path, FAST, *numbered(2, 1)) as app:
        client = await played(app, Client(last_event_id="ümläut"))
    assert client.body.startswith(b": the recording has no event with this Last-Event-ID")
    assert client.data == ["1", "2"]


async def test_a_loop_goes_on_until_the_client_leaves(tmp_path: Path) -> None:
    with replay(tmp_path, Pacing(speed=float("inf"), is_looping=True), *numbered(3, 1)) as app:
        client = Client(last_event_id="3")
        playing = asyncio.create_task(played(app, client))
        while len(client.data) < 7:  # noqa: ASYNC110
            await asyncio.sleep(0)
        client.is_leaving.set()
        await playing
    assert client.data[:7] == ["1", "2", "3", "1", "2", "3", "1"]


async def test_a_loop_without_gaps_leaves_other_clients_their_turn(tmp_path: Path) -> None:
    with replay(tmp_path, Pacing(speed=float("inf"), is_looping=True), at_ms(0, "x")) as app:
        clients = [Client(), Client()]
        playing = [asyncio.create_task(played(app, client)) for client in clients]
        while not all(client.data for client in clients):  # noqa: ASYNC110
            await asyncio.sleep(0)
        app.end()
        await asyncio.gather(*playing)


async def test_a_client_that_leaves_during_a_gap_ends_its_playback(tmp_path: Path) -> None:
    with replay(tmp_path, Pacing(), at_ms(0, "a"), at_ms(3_600_000, "b")) as app:
        client = Client()
        client.is_leaving.set()
        await asyncio.wait_for(played(app, client), 30)


async def test_jitter_delays_events_in_their_order(tmp_path: Path) -> None:
    with replay(tmp_path, Pacing(jitter_s=0.05), *numbered(20, 0)) as app:
        client = await played(app, Client())
    assert client.data == [str(number) for number in range(1, 21)]
    assert len(client.times_s) > 1


def test_a_seed_repeats_the_jitter_of_each_client() -> None:
    def jitters(seed: int, number: int) -> list[float]:
        random = jitter_of(Pacing(jitter_s=1, seed=seed), number)
        return [random() for _ in range(3)]

    assert jitters(7, 0) == jitters(7, 0)
    assert jitters(7, 0) != jitters(7, 1)
    assert jitters(7, 0) != jitters(8, 0)
    assert max(jitters(7, 0)) <= 1


async def test_a_page_of_another_origin_may_read_it(tmp_path: Path) -> None:
    with replay(tmp_path, FAST, at_ms(0, "a")) as app:
        asked = {"access_control_request_headers": "authorization", "access_control_request_method": "POST"}
        preflight = await played(app, Client("OPTIONS", origin="http://page", **asked))
        without_origin = await played(app, Client())
    assert preflight.status == 204
    assert preflight.headers[b"access-control-allow-headers"] == b"authorization"
    assert preflight.headers[b"access-control-allow-methods"] == b"POST"
    assert preflight.headers[b"access-control-allow-credentials"] == b"true"
    assert without_origin.headers[b"access-control-allow-origin"] == b"*"


async def test_a_head_request_has_no_body(tmp_path: Path) -> None:
    with replay(tmp_path, Pacing(), at_ms(3_600_000, "a")) as app:
        client = await played(app, Client("HEAD"))
    assert (client.status, client.body) == (200, b"")


async def test_a_huge_event_is_written_in_pieces(tmp_path: Path) -> None:
    with replay(tmp_path, FAST, at_ms(0, "x" * 1_000_000)) as app:
        client = await played(app, Client())
    assert client.data == ["x" * 1_000_000]
    assert len(client.times_s) > 10
