"""The stream pool: plans of all kinds against a real server with scripted responses."""

import asyncio
import contextlib
import gzip
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from audits import audit_of
from busy_machine import LATE_S
from scripted_server import CHUNKED, LAST_CHUNK, SSE, Do, Script, ScriptedServer, chunk, head

from sseclient_cli.measure.field_choice import Choice, Field
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

BUSY = "this machine was busy"


def ids(first: int, last: int) -> bytes:
    return b"".join(b"id: %d\ndata: x\n\n" % number for number in range(first, last + 1))


def held(body: bytes) -> Script:
    return [head(), body, Do.HOLD]


def shard(port: int, **plan: Any) -> Shard:
    resolved = ResolvedTarget(Target(url=f"http://127.0.0.1:{port}/"), Address(socket.AF_INET, ("127.0.0.1", port)))
    return Shard(
        chain=(resolved,),
        plan=Plan(**{"connections": 1, "duration_s": 1.0, "ramp_up_s": 0, "sequence": Field(), **plan}),
    )


async def ran(*scripts: Script, **plan: Any) -> tuple[Totals, ScriptedServer]:
    async with ScriptedServer(*scripts) as server:
        return await asyncio.to_thread(Worker(shard(server.port, **plan)).run), server


def errors(totals: Totals) -> dict[str, int]:
    return {kind: error.count for kind, error in totals.errors.items()}


async def test_new_streams_without_last_event_id_replace_streams_after_their_lifetime() -> None:
    totals, server = await ran(*[held(ids(1, 2))] * 6, connections=2, lifetime_s=0.4)
    assert (totals.planned, totals.opened, totals.completed, totals.reconnected) == (6, 6, 4, 0)
    assert (totals.open_now, totals.peak_open, totals.events) == (2, 2, 12)
    assert [request.header("last-event-id") for request in server.requests] == [None] * 6
    assert (audit_of(totals).checked, audit_of(totals).lost, audit_of(totals).duplicated, errors(totals)) == (
        12,
        0,
        0,
        {},
    )


async def test_streams_of_an_open_model_complete_after_their_lifetime() -> None:
    totals, _ = await ran(
        *[held(ids(1, 1))] * 4, connections=4, ramp_up_s=0.8, duration_s=2, lifetime_s=0.4, refill=False
    )
    assert (totals.planned, totals.opened, totals.completed, totals.open_now) == (4, 4, 4, 0)
    assert totals.peak_open < 4
    # The last stream completes at 1.0 s, which ends the run.
    assert 900_000_000 < totals.duration_ns < 1_900_000_000


async def test_stream_without_a_response_in_its_lifetime_fails() -> None:
    totals, _ = await ran(*[[Do.HOLD]] * 6, connections=2, lifetime_s=0.4)
    assert (totals.planned, totals.opened, totals.failed, totals.completed) == (6, 0, 4, 0)
    assert errors(totals) == {"unanswered": 4}


@pytest.mark.parametrize(("duration_s", "unanswered"), [(0.1, 0), (1.5, 1)])
async def test_a_request_that_the_end_of_the_run_cuts_short_is_not_unanswered(
    duration_s: float, unanswered: int
) -> None:
    totals, _ = await ran([Do.HOLD], connections=1, duration_s=duration_s)
    assert (totals.planned, totals.opened, totals.failed, totals.unanswered) == (1, 0, 0, unanswered)


async def test_stream_without_a_response_head_within_the_timeout_fails() -> None:
    async def fails(on_end: OnEnd, requests: int, counts: tuple[int, ...]) -> None:
        # The first response has an incomplete head. The second stream has its head and sends no events.
        begun = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        async with ScriptedServer([begun, Do.HOLD], [head(), Do.HOLD], held(ids(1, 1))) as server:
            run = shard(server.port, connections=2, duration_s=5, events=1, on_end=on_end)
            (stream,) = run.chain
            chain = (replace(stream, target=replace(stream.target, head_timeout_s=0.3)),)
            totals = await asyncio.to_thread(Worker(replace(run, chain=chain)).run)
            assert len(server.requests) == requests
        assert (totals.planned, totals.opened, totals.failed, totals.reconnected) == counts, on_end
        assert errors(totals) == {"unanswered": 1}
        assert totals.errors["unanswered"].example == "no response head within 0.3 s"

    await asyncio.gather(  # at once: each run waits for its whole duration
        # Planned, opened, failed, reconnected.
        fails(OnEnd.STOP, 2, (2, 1, 1, 0)),
        fails(OnEnd.RESTART, 3, (3, 2, 1, 0)),
        fails(OnEnd.RECONNECT, 3, (2, 2, 0, 0)),
    )


async def test_opened_stream_that_fails_finally_is_broken() -> None:
    scripts: list[Script] = [[head(), ids(1, 1), Do.RESET], [head(), ids(1, 1)], held(ids(1, 1)), [head(500)]]
    totals, _ = await ran(*scripts, connections=4)
    assert (totals.opened, totals.broken, totals.ended_by_server, totals.open_now, totals.failed) == (3, 1, 1, 1, 1)


async def test_reconnecting_stream_is_broken_only_when_it_gives_up() -> None:
    lost: Script = [head(), b"retry: 10\n\n" + ids(1, 1), Do.RESET]
    totals, _ = await ran(lost, lost, held(ids(2, 2)), on_end=OnEnd.RECONNECT)
    assert (totals.broken, errors(totals)) == (0, {"connection-lost": 2})
    totals, _ = await ran(lost, [head(404)], on_end=OnEnd.RECONNECT)
    assert (totals.broken, totals.failed) == (1, 0)


async def test_stream_that_this_client_ends_after_a_pause_is_not_counted_as_silent_before_a_cut() -> None:
    ended: Script = [head(), b"data: a\n\n", 0.6, b"data: " + b"x" * 2000, Do.HOLD]
    totals, _ = await ran(ended, max_event_bytes=1000, duration_s=LATE_S)
    assert errors(totals) == {"event-too-large": 1}
    assert totals.cut_silence.count == 0


async def test_event_larger_than_max_event_bytes_ends_its_stream() -> None:
    totals, _ = await ran(held(b"data: " + b"x" * 2000 + b"\n\n"), held(ids(1, 1)), connections=2, max_event_bytes=1000)
    assert (totals.events, totals.broken, errors(totals)) == (1, 1, {"event-too-large": 1})


async def test_start_delay_of_connections_is_measured() -> None:
    totals, _ = await ran(*[held(ids(1, 1))] * 90, connections=90)
    # The streams cannot all start at once: the last ones wait for the first ones.
    assert (totals.opened, totals.start_delay.count) == (90, 90)
    assert totals.start_delay.min_us < totals.start_delay.max_us
    assert totals.latencies[Latency.CONNECT].max_us >= totals.start_delay.max_us


async def test_cpu_percentage_is_unknown_for_a_very_short_run() -> None:
    totals, _ = await ran(held(b""), duration_s=0.1)
    assert totals.cpu_percent == [None]


async def test_stream_is_complete_after_its_number_of_events_and_later_events_are_not_counted() -> None:
    totals, _ = await ran(held(ids(1, 5)), [head(), ids(1, 1), ids(2, 2), ids(3, 9), Do.HOLD], connections=2, events=3)
    assert (totals.events, totals.completed, totals.open_now) == (6, 2, 0)
    assert totals.duration_ns < 900_000_000
    assert errors(totals) == {}


async def test_stream_that_the_server_ends_is_not_reconnected_by_default() -> None:
    totals, server = await ran([head(), ids(1, 1)], held(ids(1, 1)))
    assert (totals.opened, totals.ended_by_server, totals.reconnected, len(server.requests)) == (1, 1, 0, 1)


async def test_reconnect_uses_the_servers_retry_time_and_the_last_event_id() -> None:
    totals, server = await ran(
        [head(headers=CHUNKED), chunk(b"retry: 300\n\n" + ids(1, 2)), LAST_CHUNK],
        held(ids(3, 4)),
        on_end=OnEnd.RECONNECT,
    )
    first, second = server.requests
    assert (first.header("last-event-id"), second.header("last-event-id")) == (None, b"2")
    assert 0.29 < second.arrived_s - first.arrived_s < 2, BUSY  # the default is 3 s
    assert (totals.opened, totals.reconnected, totals.ended_by_server, totals.open_now) == (1, 1, 1, 1)
    # The sequence numbers continue across connections.
    assert (audit_of(totals).checked, audit_of(totals).lost, audit_of(totals).duplicated) == (4, 0, 0)
    assert totals.latencies[Latency.CONNECT].count == 2
    # On a busy machine, the arrival of an event may be too uncertain to be measured.
    assert 1 <= totals.latencies[Latency.FIRST_EVENT].count <= 2


async def test_comments_and_redirects_are_counted_per_connection() -> None:
    redirect: Script = [head(307, b"Location: /there\r\nContent-Length: 0\r\n")]
    # Each connection has fewer comments than the previous one. Together they exceed the limit of redirects per connect.
    bodies = [b":\n" * (30 - number) + b"retry: 0\ndata: x\n\n" for number in range(25)]
    totals, server = await ran(
        *[script for body in bodies for script in (redirect, [head(), body])], on_end=OnEnd.RECONNECT, duration_s=20
    )
    assert (totals.events, totals.comments, totals.reconnected) == (25, sum(range(6, 31)), 24)
    assert len(server.requests) == 51


async def test_last_event_id_before_damaged_data_is_used() -> None:
    coded = head(headers=SSE + b"Content-Encoding: gzip\r\n") + gzip.compress(b"retry: 10\n\n" + ids(9, 9)) + b"garbage"
    totals, server = await ran([coded], on_end=OnEnd.RECONNECT)
    assert (totals.events, errors(totals)) == (1, {"invalid-response": 1})
    assert server.requests[1].header("last-event-id") == b"9"


async def test_callers_last_event_id_is_sent_and_not_audited_as_a_sequence_number() -> None:
    # Events have this ID until the server sends one, but it is not a sequence number of the server.
    body = b"retry: 10\n\n" + b"data: x\n\n" * 3 + ids(6, 7)
    async with ScriptedServer([head(), b"retry: 10\n\ndata: x\n\n"], [head(), body]) as server:
        target = Target(url=server.url, headers=(("Last-Event-ID", "5"),))
        resolved = ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", server.port)))
        plan = Plan(connections=1, duration_s=5, ramp_up_s=0, sequence=Field(), on_end=OnEnd.RECONNECT)
        totals = await asyncio.to_thread(Worker(Shard(chain=(resolved,), plan=plan)).run)
        assert [request.header("last-event-id") for request in server.requests] == [b"5", b"5", b"7"]
    assert (totals.events, audit_of(totals).checked, audit_of(totals).duplicated) == (6, 2, 0)


async def test_events_missing_between_two_connections_are_lost() -> None:
    totals, _ = await ran([head(), b"retry: 10\n\n" + ids(8, 12)], held(ids(15, 15)), on_end=OnEnd.RECONNECT)
    assert (audit_of(totals).lost, audit_of(totals).duplicated) == (2, 0)


@pytest.mark.parametrize("sequence", [Field(), Choice.AUTO])
async def test_renumbering_on_each_connection_is_not_duplication(sequence: Field | Choice) -> None:
    bodies = b"retry: 10\n\n" + ids(1, 5), ids(1, 5)
    totals, _ = await ran([head(), bodies[0]], held(bodies[1]), on_end=OnEnd.RECONNECT, sequence=sequence)
    audit = audit_of(totals)
    assert (audit.checked, audit.lost, audit.lost_at_least, audit.duplicated) == (10, None, 0, 0)
    assert audit.renumbered_streams == 1


async def test_reconnect_retries_after_a_lost_connection_and_stops_after_an_error_status() -> None:
    totals, server = await ran(
        [head(), b"retry: 10\n\n" + ids(1, 1), Do.RESET], [head(500)], held(b""), on_end=OnEnd.RECONNECT
    )
    assert len(server.requests) == 2
    assert errors(totals) == {"connection-lost": 1, "http-500": 1}
    assert (totals.opened, totals.failed, totals.open_now) == (1, 0, 0)


async def test_status_204_ends_a_stream_without_an_error() -> None:
    totals, server = await ran([head(), b"retry: 10\n\n" + ids(1, 1)], [head(204, b"")], on_end=OnEnd.RECONNECT)
    assert len(server.requests) == 2
    assert (errors(totals), totals.ended_by_server) == ({}, 2)


async def test_restart_opens_a_new_stream_at_once() -> None:
    totals, server = await ran(*[[head(), ids(1, 2)]] * 3, held(ids(1, 2)), on_end=OnEnd.RESTART)
    assert [request.header("last-event-id") for request in server.requests] == [None] * 4
    assert (totals.planned, totals.opened, totals.ended_by_server, totals.open_now) == (4, 4, 3, 1)
    assert (audit_of(totals).checked, audit_of(totals).lost, audit_of(totals).duplicated) == (8, 0, 0)
    # The ends of connections are not counted as reads without a kernel timestamp.
    assert totals.reads == totals.stamped_reads or sys.platform != "linux"


async def test_restart_backs_off_after_an_error_status() -> None:
    totals, server = await ran(*[[head(503)]] * 10, on_end=OnEnd.RESTART, duration_s=1.5)
    assert len(server.requests) == 2
    # At the end of the run, the slot still waits: its next stream is none yet.
    assert (totals.planned, totals.opened, totals.failed) == (2, 0, 2)


async def test_storm_drops_all_connections_and_reconnects_all_streams_at_once() -> None:
    totals, server = await ran(*[held(ids(1, 2))] * 8, *[held(ids(3, 3))] * 8, connections=8, storm_s=0.5)
    assert (totals.planned, totals.opened, totals.reconnected) == (8, 8, 8)
    assert (totals.open_now, totals.peak_open, totals.ended_by_server, errors(totals)) == (8, 8, 0, {})
    before, after = server.requests[:8], server.requests[8:]
    assert [request.header("last-event-id") for request in after] == [b"2"] * 8
    # All connections are dropped before the first reconnect.
    assert max(request.arrived_s for request in before) < min(request.arrived_s for request in after)
    assert max(request.arrived_s for request in after) - min(request.arrived_s for request in after) < 0.3, BUSY
    assert (audit_of(totals).checked, audit_of(totals).lost, audit_of(totals).duplicated) == (24, 0, 0)


async def test_latencies_during_warm_up_are_excluded_and_events_are_counted() -> None:
    later = asyncio.Event()

    async def go_on(server: ScriptedServer) -> None:
        await server.requested(1)
        await asyncio.sleep(0.8)
        later.set()

    async with ScriptedServer([head(), ids(1, 1), later, ids(2, 2), Do.HOLD]) as server:
        going_on = asyncio.create_task(go_on(server))
        totals = await asyncio.to_thread(Worker(shard(server.port, duration_s=1.4, warmup_s=0.4)).run)
        await going_on
    assert (totals.opened, totals.events) == (1, 2)
    counts = {kind.value: latency.count for kind, latency in totals.latencies.items()}
    assert counts == {"connect": 0, "tls": 0, "headers": 0, "first_event": 0, "gap": 1, "delivery": 0}
    # The read delay of the load generator is measured during the warm-up, too.
    assert totals.read_delay.count == totals.stamped_reads >= 2


@pytest.mark.parametrize("on_end", list(OnEnd))
async def test_run_ends_on_time_for_any_behaviour_of_streams(on_end: OnEnd) -> None:
    # Streams send at full speed, end at once, and are replaced continuously.

    def blast(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.recv(65_536)
            connection.sendall(head() + b"retry: 0\n\n" + ids(1, 5_000))
            connection.close()

    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        serving = asyncio.create_task(_serve(listener, blast))
        began_s = time.monotonic()
        plan = shard(listener.getsockname()[1], connections=50, duration_s=1, lifetime_s=0.2, on_end=on_end)
        totals = await asyncio.to_thread(Worker(plan).run)
        took_s = time.monotonic() - began_s
        serving.cancel()
    assert totals.events > 0
    assert took_s < 1 + LATE_S


async def _serve(listener: socket.socket, handle: Callable[[socket.socket], None]) -> None:
    listener.setblocking(False)
    loop = asyncio.get_running_loop()
    handlers: set[Awaitable[None]] = set()
    connections = []
    try:
        while True:
            connection, _ = await loop.sock_accept(listener)
            connections.append(connection)
            connection.settimeout(2)
            handlers.add(asyncio.ensure_future(asyncio.to_thread(handle, connection)))
    finally:
        for connection in connections:
            connection.close()


async def test_idle_stream_is_closed_and_counted() -> None:
    beating = [head(), ids(1, 2), *[step for _ in range(12) for step in (0.1, b":\n")], Do.HOLD]
    totals, _ = await ran(held(ids(1, 2)), beating, connections=2, duration_s=1.2, idle_timeout_s=0.5)
    assert errors(totals) == {"read-timeout": 1}
    assert totals.errors["read-timeout"].example == "no bytes for 0.5 s"
    # The heartbeats of the other stream are bytes. A stream closed by our timeout does not count as cut by the network.
    assert (totals.open_now, totals.cut_silence.count) == (1, 0)


async def test_idle_stream_reconnects_like_a_lost_one() -> None:
    totals, server = await ran(
        held(b"retry: 10\n\n" + ids(1, 2)), held(ids(3, 4)), idle_timeout_s=0.5, on_end=OnEnd.RECONNECT, duration_s=0.9
    )
    assert (totals.reconnected, server.requests[1].header("last-event-id")) == (1, b"2")
    # The gap across the reconnect is an inter-event gap of the stream.
    assert totals.latencies[Latency.GAP].max_us > 450_000
