"""The memory that all streams of a worker hold together is limited for any server."""

import asyncio
import socket

import pytest
from scripted_server import Do, Script, ScriptedServer, head

from sseclient_cli.engine import held_memory
from sseclient_cli.engine.held_memory import MAX_HELD_BYTES, max_held_bytes
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.measure.saturation import saturation_reasons
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

MIB = 1024 * 1024
UNFINISHED: Script = [head(), b"data: before\n\ndata: " + b"x" * MIB, Do.HOLD]


async def ran(*scripts: Script, connections: int, duration_s: float = 1.5, on_end: OnEnd = OnEnd.STOP) -> Totals:
    async with ScriptedServer(*scripts) as server:
        resolved = ResolvedTarget(Target(url=server.url), Address(socket.AF_INET, ("127.0.0.1", server.port)))
        plan = Plan(
            connections=connections,
            duration_s=duration_s,
            ramp_up_s=0,
            on_end=on_end,
            timestamp=Choice.NONE,
            sequence=Choice.NONE,
        )
        return await asyncio.to_thread(Worker(Shard(chain=(resolved,), plan=plan)).run)


def test_limit_is_a_share_of_the_memory_for_all_workers_and_at_most_1_gib_per_worker() -> None:
    assert max_held_bytes(None, 4) == MAX_HELD_BYTES
    assert max_held_bytes(64 * MAX_HELD_BYTES, 4) == MAX_HELD_BYTES
    assert max_held_bytes(MAX_HELD_BYTES, 4) == MAX_HELD_BYTES // 8


async def test_stream_that_exceeds_the_limit_is_closed_and_others_continue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(held_memory, "MAX_HELD_BYTES", int(3.5 * MIB))
    totals = await ran(*[UNFINISHED] * 5, connections=5)
    assert (totals.opened, totals.open_now, totals.events) == (5, 3, 5)
    assert {kind: error.count for kind, error in totals.errors.items()} == {"memory-limit": 2}
    example = totals.errors["memory-limit"].example
    assert example.endswith("hold 3 MiB together (limit 3 MiB)")
    assert any(
        reason.startswith("2 streams were closed by the load generator") for reason in saturation_reasons(totals)
    )


async def test_finished_stream_releases_its_held_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_memory, "MAX_HELD_BYTES", int(2.5 * MIB))
    id_only: Script = [head(), b"id: " + b"x" * MIB + b"\ndata: x\n\n"]
    cut: Script = [head(), b"data: " + b"x" * MIB, Do.RESET]
    totals = await ran(*[id_only, cut] * 10, connections=1, duration_s=4, on_end=OnEnd.RESTART)
    assert totals.events >= 3
    assert "memory-limit" not in totals.errors


async def test_last_event_ids_of_streams_that_wait_to_reconnect_count_as_held_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(held_memory, "MAX_HELD_BYTES", int(2.5 * MIB))
    totals = await ran(*[[head(), b"id: " + b"x" * MIB + b"\ndata: x\n\n"]] * 4, connections=4, on_end=OnEnd.RECONNECT)
    assert {kind: error.count for kind, error in totals.errors.items()} == {"memory-limit": 2}


async def test_large_event_is_accepted_in_a_run_with_many_planned_streams() -> None:
    script: Script = [head(), b"data: " + b"x" * (3 * MIB // 2) + b"\n\n", Do.HOLD]
    async with ScriptedServer(script) as server:
        resolved = ResolvedTarget(Target(url=server.url), Address(socket.AF_INET, ("127.0.0.1", server.port)))
        plan = Plan(connections=5000, duration_s=10_000, ramp_up_s=10_000)  # one stream starts every 2 s
        worker = Worker(Shard(chain=(resolved,), plan=plan))
        running = asyncio.create_task(asyncio.to_thread(worker.run))
        await server.requested(1)
        await asyncio.sleep(0.5)
        worker.interrupt()
        totals = await running
    assert totals.events == 1
    assert "event-too-large" not in totals.errors
