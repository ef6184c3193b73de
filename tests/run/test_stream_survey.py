"""Progress about streams that are not over: states, silence, and the audit so far."""

import asyncio
import socket
from dataclasses import replace
from typing import Any

from scripted_server import Do, Script, ScriptedServer, head

from sseclient_cli.measure.audit_totals import Audit, judge
from sseclient_cli.measure.field_choice import Choice, Field
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker


def event(number: int) -> bytes:
    return b"id: %d\ndata: x\n\n" % number


def regular(*numbers: int) -> Script:
    """A stream with an event every 25 ms, which then sends nothing."""
    return [head(), *[step for number in numbers for step in (event(number), 0.025)], Do.HOLD]


async def run(*scripts: Script, **plan: Any) -> tuple[list[Progress], Totals]:
    received: list[Progress] = []
    settings = {"duration_s": 1.5, "ramp_up_s": 0, "sequence": Field(), "timestamp": Choice.NONE, **plan}
    async with ScriptedServer(*scripts) as server:
        resolved = ResolvedTarget(
            Target(url=f"http://127.0.0.1:{server.port}/"), Address(socket.AF_INET, ("127.0.0.1", server.port))
        )
        shard = Shard(chain=(resolved,), plan=Plan(connections=len(scripts), **settings))
        totals = await asyncio.to_thread(Worker(shard, received.append).run)
    return received, totals


def audit_of(audits: dict[str, Any] | None) -> Audit:
    assert audits is not None
    audit = judge(audits)[0]
    assert audit is not None
    return audit


async def test_audit_so_far_is_that_of_a_run_that_ends_now() -> None:
    received, totals = await run(regular(1, 2, 5, 6), regular(1, 2, 2, 3), [head(), event(1), event(2)])
    so_far = audit_of(received[-1].audits)
    assert (so_far.lost, so_far.duplicated, so_far.checked) == (2, 1, 10)
    assert so_far == audit_of(totals.audits)


async def test_checking_streams_meanwhile_does_not_change_the_result() -> None:
    scripts: list[Script] = [
        regular(1, 2, 5, 4, 6),
        [head(), event(1), event(50), event(1), event(2), event(3), Do.HOLD],
    ]
    _, watched = await run(*scripts)
    settings = Plan(connections=2, duration_s=1.5, ramp_up_s=0, sequence=Field(), timestamp=Choice.NONE)
    async with ScriptedServer(*scripts) as server:
        address = Address(socket.AF_INET, ("127.0.0.1", server.port))
        resolved = ResolvedTarget(Target(url=f"http://127.0.0.1:{server.port}/"), address)
        unwatched = await asyncio.to_thread(Worker(Shard(chain=(resolved,), plan=settings)).run)
    assert audit_of(watched.audits) == audit_of(unwatched.audits)


async def test_a_stream_with_an_open_decision_is_left_out() -> None:
    """After a fall to the first number, events were sent again or the numbering has restarted."""
    open_decision: Script = [head(), *[event(number) for number in range(1, 31)], event(1), Do.HOLD]
    received, _ = await run(open_decision, regular(1, 2, 3))
    assert audit_of(received[-1].audits).checked == 3


async def test_silent_streams_are_counted_while_the_run_goes_on() -> None:
    numbers = range(1, 30)
    received, _ = await run(regular(*numbers), [head(), b": hello\n\n", Do.HOLD], duration_s=6)
    assert received[0].silent == 0
    assert received[-1].silent == 1


async def test_streams_that_open_and_reconnect_are_told_apart() -> None:
    ends: Script = [head(), event(1)]
    received, _ = await run(regular(1), [Do.HOLD], ends, on_end=OnEnd.RECONNECT)  # it reconnects after seconds
    last = received[-1]
    assert (last.opened, last.open_now, last.opening, last.reconnecting) == (2, 1, 1, 1)


async def test_rates_and_cpu_are_those_of_the_last_second() -> None:
    received, totals = await run(regular(*range(1, 100)), duration_s=2)
    (worker,) = received[-1].workers
    assert 5 < worker.events_per_s < 45
    assert worker.bytes_per_s > worker.events_per_s
    assert worker.cpu_percent is not None
    assert sum(sum(each.values()) for p in received for each in p.recent.latencies.values()) > 0
    assert received[0].workers[0].open_now == totals.open_now == 1


async def test_progress_that_is_not_passed_on_comes_with_the_next() -> None:
    passed: list[Progress] = []
    refused: list[Progress] = []

    def take(progress: Progress) -> bool:
        is_refused = len(refused) < 3
        (refused if is_refused else passed).append(replace(progress))
        return not is_refused

    async with ScriptedServer(regular(*range(1, 60))) as server:
        address = Address(socket.AF_INET, ("127.0.0.1", server.port))
        resolved = ResolvedTarget(Target(url=f"http://127.0.0.1:{server.port}/"), address)
        plan = Plan(connections=1, duration_s=2, ramp_up_s=0)
        await asyncio.to_thread(Worker(Shard(chain=(resolved,), plan=plan), take).run)
    from sseclient_cli.measure.samples import Latency

    assert passed[0].recent.latencies[Latency.CONNECT].total() == 1  # it connected before the first progress
