"""A worker against a real server with scripted responses, byte by byte where needed."""

import asyncio
import contextlib
import socket
import sys
import time
from dataclasses import replace
from typing import Any

import pytest
from audits import audit_of
from busy_machine import LATE_S
from scripted_server import CHUNKED, LAST_CHUNK, Do, Script, ScriptedServer, chunk, head, trickled

from sseclient_cli.measure.field_choice import Choice, Field, FieldChoice
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

EVENTS = b"id: 1\ndata: a\n\n: ping\n\nid: 2\nevent: tick\ndata: b\n\n"
TWO_EVENTS: Script = [head(), EVENTS, Do.HOLD]
SILENCE: Script = [head(), Do.HOLD]


def worker(port: int, connections: int = 1, **settings: Any) -> Worker:
    return Worker(shard(port, connections, **settings))


def shard(
    port: int,
    connections: int = 1,
    duration_s: float = 0.5,
    timestamp: FieldChoice = Choice.AUTO,
    connect_timeout_s: float = 10,
    sequence: FieldChoice = Choice.AUTO,
) -> Shard:
    target = Target(url=f"http://127.0.0.1:{port}/", connect_timeout_s=connect_timeout_s)
    resolved = ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", port)))
    plan = Plan(connections=connections, duration_s=duration_s, ramp_up_s=0, timestamp=timestamp, sequence=sequence)
    return Shard(chain=(resolved,), plan=plan)


async def ran(
    *scripts: Script,
    connections: int = 1,
    timestamp: FieldChoice = Choice.AUTO,
    sequence: FieldChoice = Choice.AUTO,
) -> Totals:
    async with ScriptedServer(*scripts) as server:
        running = worker(server.port, connections, timestamp=timestamp, sequence=sequence)
        return await asyncio.to_thread(running.run)


def errors(totals: Totals) -> dict[str, int]:
    return {kind: error.count for kind, error in totals.errors.items()}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([head(), EVENTS], id="close-delimited"),
        pytest.param([head(headers=CHUNKED), chunk(EVENTS)], id="chunked"),
        pytest.param([head(headers=CHUNKED) + chunk(EVENTS[:20]) + chunk(EVENTS[20:])], id="in-one-segment"),
        pytest.param(trickled(head() + EVENTS), id="byte-by-byte"),
    ],
)
async def test_events_and_comments_are_counted_for_any_framing(body: Script) -> None:
    totals = await ran([*body, Do.HOLD])
    assert (totals.opened, totals.failed, totals.open_now, totals.events, totals.comments) == (1, 0, 1, 2, 1)
    assert totals.types == {"message": 1, "tick": 1}
    assert totals.bytes == len(EVENTS)


async def test_heartbeat_interval_and_longest_silence_are_those_of_the_server() -> None:
    beats: Script = [head(), b": a\n\n", 0.2, b": b\n\n", 0.2, b"data: x\n\n", 0.2, b": c\n\n", Do.HOLD]
    async with ScriptedServer(beats, SILENCE) as server:
        running = worker(server.port, 2, duration_s=2)
        totals = await asyncio.to_thread(running.run)
    interval, longest = totals.heartbeat_interval, totals.longest_silence
    assert interval.count == 2
    assert 190_000 <= interval.min_us < interval.max_us
    assert interval.max_us >= 390_000  # an event is between the last two comments
    # One stream has no byte after its head, the other none after its last comment.
    assert longest.count == 2
    assert longest.max_us > longest.min_us > 400_000


async def test_heartbeat_interval_does_not_span_connections() -> None:
    async with ScriptedServer([head(), b": a\nretry: 100\n\n"], [head(), b": b\n\n", Do.HOLD]) as server:
        resumed = shard(server.port, duration_s=2)
        resumed = replace(resumed, plan=replace(resumed.plan, on_end=OnEnd.RECONNECT))
        totals = await asyncio.to_thread(Worker(resumed).run)
    assert (totals.comments, totals.heartbeat_interval.count) == (2, 0)


async def test_every_planned_stream_is_opened_and_measured() -> None:
    one_event: Script = [head(), b"data: x\n\n", Do.HOLD]
    totals = await ran(*[one_event] * 40, connections=40)
    assert (totals.planned, totals.opened, totals.peak_open, totals.events) == (40, 40, 40, 40)
    for kind in (Latency.CONNECT, Latency.FIRST_EVENT):
        assert totals.latencies[kind].count == 40
    # If head and event arrive in one read, the timestamp is that of the event. On a busy machine this can affect all.
    assert totals.latencies[Latency.HEADERS].count <= 40


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        pytest.param([head(404), EVENTS], "http-404", id="not-found"),
        pytest.param([head(204, b"")], "http-204", id="no-content"),
        pytest.param([head(headers=b"Content-Type: text/html\r\n"), EVENTS], "content-type", id="html"),
        pytest.param([head(headers=b"Content-Type: text/event-streams\r\n")], "content-type", id="almost"),
        pytest.param([b"SSH-2.0-OpenSSH_9.2\r\n"], "invalid-response", id="not-http"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-"], "connection-lost", id="half-a-head"),
        pytest.param([Do.RESET], "connection-lost", id="reset"),
        pytest.param(
            [head(headers=b"Content-Type: text/event-stream\r\nContent-Encoding: zstd\r\n")],
            "invalid-response",
            id="unsupported-content-coding",
        ),
    ],
)
async def test_response_that_is_not_an_event_stream_is_a_failed_stream(script: Script, kind: str) -> None:
    totals = await ran(script)
    assert (totals.opened, totals.failed, totals.events, errors(totals)) == (0, 1, 0, {kind: 1})


@pytest.mark.parametrize(
    ("script", "ended_by_server", "kinds"),
    [
        pytest.param([head(), EVENTS], 1, {}, id="close-delimited"),
        pytest.param([head(headers=CHUNKED), chunk(EVENTS), LAST_CHUNK], 1, {}, id="last-chunk"),
        pytest.param([head(headers=CHUNKED), chunk(EVENTS)], 0, {"connection-lost": 1}, id="truncated"),
        pytest.param([head(), EVENTS, Do.RESET], 0, {"connection-lost": 1}, id="reset"),
    ],
)
async def test_proper_end_and_loss_of_a_stream_are_distinguished(
    script: Script, ended_by_server: int, kinds: dict[str, int]
) -> None:
    totals = await ran(script)
    assert (totals.opened, totals.failed, totals.open_now) == (1, 0, 0)
    assert (totals.ended_by_server, errors(totals)) == (ended_by_server, kinds)


async def test_refused_connection_is_counted_once_per_stream() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    totals = await asyncio.to_thread(worker(port, connections=3).run)
    assert (totals.opened, totals.failed, errors(totals)) == (0, 3, {"connect-refused": 3})


async def test_connection_that_is_never_accepted_times_out() -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1))
        for _ in range(4):  # more than the backlog holds: the kernel drops further SYNs
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        totals = await asyncio.to_thread(worker(listener.getsockname()[1], duration_s=1, connect_timeout_s=0.2).run)
    assert (totals.failed, errors(totals)) == (1, {"connect-timeout": 1})


async def test_stream_without_a_response_at_the_end_is_neither_opened_nor_failed() -> None:
    totals = await ran([Do.HOLD])
    assert (totals.planned, totals.opened, totals.failed, errors(totals)) == (1, 0, 0, {})


async def test_run_ends_early_when_no_stream_is_left() -> None:
    async with ScriptedServer([head(), EVENTS]) as server:
        totals = await asyncio.to_thread(worker(server.port, duration_s=30).run)
    assert totals.ended_by_server == 1
    assert totals.duration_ns < 5_000_000_000
    assert not totals.interrupted


async def test_run_ends_on_time_while_the_server_sends_at_full_speed() -> None:
    blast = b"data: x\n\n" * 50_000
    async with ScriptedServer(*[[head(), *[blast] * 50]] * 3) as server:
        began_s = time.monotonic()
        totals = await asyncio.to_thread(worker(server.port, connections=3).run)
        assert time.monotonic() - began_s < LATE_S
    assert totals.events > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has kernel timestamps")
async def test_reads_have_kernel_timestamps() -> None:
    totals = await ran(TWO_EVENTS)
    assert totals.reads == totals.stamped_reads > 0
    assert totals.read_delay.count == totals.reads
    assert totals.read_delay.negative == 0


async def test_delivery_latency_is_arrival_time_minus_the_events_timestamp() -> None:
    sent_ns = time.time_ns() - 3_000_000_000
    totals = await ran([head(), b'data: {"at": %d}\n\n' % sent_ns, Do.HOLD], timestamp=Field(("at",)))
    delivery = totals.latencies[Latency.DELIVERY]
    assert delivery.count == 1
    assert 3_000_000 <= delivery.min_us < 3_000_000 + LATE_S * 1_000_000
    assert totals.timestamp_fields == {"data.at"}


async def test_timestamp_in_the_future_is_a_negative_delivery_latency() -> None:
    ahead_ns = time.time_ns() + 60_000_000_000
    totals = await ran([head(), b'data: {"at": %d}\n\n' % ahead_ns, Do.HOLD], timestamp=Field(("at",)))
    assert totals.latencies[Latency.DELIVERY].negative == 1
    assert totals.latencies[Latency.DELIVERY].min_us < -50_000_000


async def test_loss_duplicates_and_order_are_audited_per_stream() -> None:
    numbers = [1, 2, 3, 4, 6, 6, 8, 7]
    body = b"".join(b"id: %d\ndata: x\n\n" % number for number in numbers)
    totals = await ran([head(), body, Do.HOLD], sequence=Field())
    assert (audit_of(totals).checked, audit_of(totals).lost) == (8, 1)
    assert (audit_of(totals).duplicated, audit_of(totals).out_of_order) == (1, 1)
    assert audit_of(totals).source == "id"


async def test_interrupted_run_returns_its_totals_so_far() -> None:
    async with ScriptedServer(TWO_EVENTS) as server:
        running = worker(server.port, duration_s=30)
        task = asyncio.create_task(asyncio.to_thread(running.run))
        await server.requested(1)
        await asyncio.sleep(0.2)  # let the events arrive: no condition tells when they have
        running.interrupt()
        totals = await task
    assert totals.interrupted
    assert (totals.opened, totals.events) == (1, 2)
    assert totals.duration_ns < 5_000_000_000


async def test_run_that_is_interrupted_before_its_start_ends_at_once() -> None:
    async with ScriptedServer(SILENCE) as server:
        early = worker(server.port, duration_s=30)
        early.interrupt()
        totals = await asyncio.to_thread(early.run)
    assert totals.interrupted
    assert totals.duration_ns < 5_000_000_000
    assert totals.opened == 0


async def test_receive_queues_of_open_streams_are_sampled() -> None:
    totals = await ran(TWO_EVENTS, SILENCE, [Do.HOLD], connections=3)
    assert 4 <= totals.receive_queue.count <= 2 * 5
    assert totals.receive_queue.max_us < 1000


def ran_from(prepared: Worker, start_ns: int) -> Totals:
    with prepared.prepared():
        return prepared.run_from(start_ns)


async def test_run_begins_at_the_given_start() -> None:
    async with ScriptedServer(TWO_EVENTS) as server:
        start_ns = time.monotonic_ns() + 2_000_000_000
        totals = await asyncio.to_thread(ran_from, worker(server.port, duration_s=0.5), start_ns)
        over_ns = time.monotonic_ns()
    assert (over_ns - start_ns) / 1e9 > 0.49
    # Connect time counts from the start, 2 s after the call; 1.5 s are for a busy machine.
    assert totals.latencies[Latency.CONNECT].max_us < 1_500_000


async def test_worker_that_starts_late_ends_on_time() -> None:
    async with ScriptedServer(TWO_EVENTS) as server:
        start_ns = time.monotonic_ns() - 30_000_000_000
        totals = await asyncio.to_thread(ran_from, worker(server.port, duration_s=32), start_ns)
        over_ns = time.monotonic_ns()
    assert 31.9 < (over_ns - start_ns) / 1e9 < 32 + LATE_S
    # Connect time counts from the intended start.
    assert totals.latencies[Latency.CONNECT].min_us > 30_000_000


async def test_connections_are_closed_at_the_end() -> None:
    async with ScriptedServer(*[SILENCE] * 5) as server:
        await asyncio.to_thread(worker(server.port, connections=5).run)
        for request in server.requests:
            await request.disconnected.wait()
        assert len(server.requests) == 5


async def test_progress_follows_the_run() -> None:
    received: list[Progress] = []
    async with ScriptedServer(TWO_EVENTS) as server:
        await asyncio.to_thread(Worker(shard(server.port, duration_s=1), received.append).run)
    assert len(received) >= 2
    assert (received[-1].open_now, received[-1].events, received[-1].planned) == (1, 2, 1)
    assert [s.elapsed_s for s in received] == sorted(s.elapsed_s for s in received)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message":"Internal error"}', "28 bytes received but no event: it is JSON"),
        (b"data: 1\ndata: 2\n", "16 bytes received but no event: no blank line ends the event"),
    ],
)
async def test_bytes_without_an_event_are_explained(body: bytes, words: str) -> None:
    totals = await ran([head(), *trickled(body), Do.HOLD], [head(), b": ping\n\n", Do.HOLD], connections=2)
    # The run is too short to report the stream that sends only heartbeats.
    assert (totals.without_event, totals.bytes_without_event) == (0, 1)
    assert totals.complaint.startswith(words)


async def test_error_example_contains_the_message_of_the_server() -> None:
    answer = head(429, b"Content-Length: 30\r\nRetry-After: 60\r\n") + b'{"error":{"message":"not now"}}'[:30]
    totals = await ran([answer])
    example = totals.errors["http-429"].example
    assert "429 Too Many Requests: send fewer requests; Retry-After: 60; the server says: " in example
    assert "not now" in example
