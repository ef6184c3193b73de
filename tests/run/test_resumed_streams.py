"""Events after a reconnection: replayed, lost, duplicated, foreign."""

import asyncio
import socket

from scripted_server import Do, ScriptedServer, head

from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

LONG_AGO_S, IN_THE_FUTURE_S = 1_000_000_000, 4_000_000_000


def events(first: int, last: int, ts_s: int = IN_THE_FUTURE_S) -> bytes:
    """Events with different content: equal ones cannot be told from those of a new numbering."""
    numbers = range(first, last + 1)
    return b"".join(b'id: %d\ndata: {"ts": %d, "text": "event %d"}\n\n' % (each, ts_s, each) for each in numbers)


async def ran(*bodies: bytes | tuple[bytes, ...]) -> Totals:
    """Run one stream, whose connections receive these bodies; each piece of a tuple arrives in a read of its own."""
    scripts: list[list[bytes | float | Do]] = []
    for body in bodies:
        pieces = body if isinstance(body, tuple) else (body,)
        scripts.append([head(), b"retry: 0\n\n", *(item for piece in pieces for item in (0.05, piece))])
    scripts[-1].append(Do.HOLD)
    async with ScriptedServer(*scripts) as server:
        target = ResolvedTarget(
            Target(url=f"http://127.0.0.1:{server.port}/"), Address(socket.AF_INET, ("127.0.0.1", server.port))
        )
        plan = Plan(
            connections=1,
            duration_s=1.5,
            ramp_up_s=0,
            on_end=OnEnd.RECONNECT,
            sequence=Field(),
            timestamp=Field(("ts",)),
        )
        return await asyncio.to_thread(Worker(Shard(chain=(target,), plan=plan)).run)


def resumed(totals: Totals) -> tuple[int, int, int, int]:
    audit = totals.audits["id"]
    return totals.replayed, audit.skipped, audit.resume_duplicated, audit.foreign


async def test_events_that_were_sent_before_the_reconnection_are_replayed() -> None:
    body = events(4, 6, LONG_AGO_S), events(7, 7, LONG_AGO_S), events(8, 9)
    assert resumed(await ran(events(1, 3), body)) == (4, 0, 0, 0)


async def test_old_events_of_the_first_connection_or_after_a_live_one_are_not_replayed() -> None:
    body = events(4, 4), events(5, 6, LONG_AGO_S)
    assert resumed(await ran(events(1, 3, LONG_AGO_S), body)) == (0, 0, 0, 0)


async def test_numbers_that_a_new_connection_skips_are_lost_unless_they_come_late() -> None:
    never, late = await asyncio.gather(ran(events(1, 3), events(7, 8)), ran(events(1, 3), events(7, 8) + events(5, 5)))
    assert resumed(never) == (0, 3, 0, 0)
    assert resumed(late) == (0, 2, 0, 0)


async def test_numbers_that_are_lost_within_a_connection_do_not_count_as_skipped() -> None:
    totals = await ran(events(1, 3), events(4, 4) + events(9, 9))
    assert resumed(totals) == (0, 0, 0, 0)


async def test_events_that_are_sent_again_after_a_reconnection_are_duplicated() -> None:
    after, before = await asyncio.gather(
        ran(events(1, 3), events(2, 5)), ran(events(1, 3) + events(3, 3), events(4, 5))
    )
    assert resumed(after) == (0, 0, 2, 0)
    assert resumed(before) == (0, 0, 0, 0)


async def test_events_from_before_the_first_one_are_foreign() -> None:
    assert resumed(await ran(events(5, 8), events(3, 10))) == (0, 0, 4, 2)
