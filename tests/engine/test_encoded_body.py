"""Content codings in the engine: decoding one stream must not delay other streams."""

import asyncio
import gzip
import socket
import time

import pytest
from scripted_server import CHUNKED, LAST_CHUNK, SSE, Do, Script, ScriptedServer, Step, chunk, head

from sseclient_cli.engine.encoded_body import PIECE_BYTES, EncodedBody
from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.measure.field_choice import Choice, Field, FieldChoice
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker
from sseclient_cli.sse.content_coding import ZlibDecoder

GZIPPED = head(headers=SSE + b"Content-Encoding: gzip\r\n")
GZIPPED_CHUNKED = head(headers=CHUNKED + b"Content-Encoding: gzip\r\n")
EVENT = b"data: %b\n\n" % (b"x" * 92)
LARGE_BYTES = 10_000_000
BLANK_LINES = gzip.compress(b"\n" * LARGE_BYTES)


def decoded(body: EncodedBody) -> list[tuple[bytes, bool]]:
    pieces: list[tuple[bytes, bool]] = []
    while body.has_more:
        pieces += body.pieces()
    return pieces


async def ran(*scripts: Script, timestamp: FieldChoice = Choice.NONE, duration_s: float = 8, **plan: int) -> Totals:
    async with ScriptedServer(*scripts) as server:
        resolved = ResolvedTarget(Target(url=server.url), Address(socket.AF_INET, ("127.0.0.1", server.port)))
        planned = Plan(
            connections=len(scripts),
            duration_s=duration_s,
            ramp_up_s=0,
            timestamp=timestamp,
            sequence=Choice.NONE,
            on_end=OnEnd.STOP,
            events=plan.get("events"),
        )
        return await asyncio.to_thread(Worker(Shard(chain=(resolved,), plan=planned)).run)


def test_only_the_last_piece_of_a_read_can_have_ends_set() -> None:
    for ends in (True, False):
        body = EncodedBody(ZlibDecoder(is_gzip=True))
        body.feed(gzip.compress(bytes(10 * PIECE_BYTES)), 7, ends=ends)
        pieces = decoded(body)
        assert b"".join(piece for piece, _ in pieces) == bytes(10 * PIECE_BYTES)
        assert max(len(piece) for piece, _ in pieces) == PIECE_BYTES
        assert [is_last for _, is_last in pieces] == [False] * (len(pieces) - 1) + [ends]


def test_pieces_before_damaged_data_are_yielded_before_the_error() -> None:
    body = EncodedBody(ZlibDecoder(is_gzip=True))
    body.feed(gzip.compress(bytes(3 * PIECE_BYTES)) + b"no gzip", 7, ends=True)
    found = b""
    with pytest.raises(InvalidResponseError):
        while body.has_more:
            for piece, is_last in body.pieces():
                found += piece
                assert not is_last
    assert found == bytes(3 * PIECE_BYTES)


def test_turn_decodes_a_bounded_part_of_a_read() -> None:
    body = EncodedBody(ZlibDecoder(is_gzip=True))
    body.feed(BLANK_LINES, 7, ends=True)
    turns = 0
    while body.has_more:
        for _ in body.pieces():
            time.sleep(0.001)  # processing of a piece uses up time of the turn
        turns += 1
    assert turns >= LARGE_BYTES // PIECE_BYTES


async def test_endless_gzip_stream_does_not_delay_other_streams() -> None:
    bomb: Script = [GZIPPED, BLANK_LINES * 200, Do.HOLD]  # 2 GB
    ticks: list[Step] = [EVENT, 0.05]
    ticking: Script = [head(), *ticks * 20, Do.HOLD]
    totals = await ran(bomb, *[ticking] * 9, duration_s=2.5)
    assert (totals.opened, totals.open_now, totals.events) == (10, 10, 9 * 20)
    assert totals.duration_ns < 3_000_000_000


async def test_response_ends_after_all_data_is_decoded() -> None:
    encoded = gzip.compress(EVENT * 100_000)
    totals = await ran(
        [GZIPPED, encoded],
        [GZIPPED_CHUNKED + chunk(encoded) + LAST_CHUNK],
        [GZIPPED_CHUNKED, chunk(encoded), chunk(b"")],
    )
    assert (totals.events, totals.ended_by_server, totals.errors) == (300_000, 3, {})


async def test_events_before_damaged_data_are_counted_and_the_damage_is_an_error() -> None:
    totals = await ran([GZIPPED, gzip.compress(EVENT * 100_000) + b"no gzip", Do.HOLD])
    assert (totals.events, totals.ended_by_server) == (100_000, 0)
    assert {kind: error.count for kind, error in totals.errors.items()} == {"invalid-response": 1}


async def test_complete_stream_does_not_decode_the_rest() -> None:
    totals = await ran([GZIPPED, gzip.compress(EVENT * 3) + BLANK_LINES * 200, Do.HOLD], events=3)
    assert (totals.events, totals.completed, totals.errors) == (3, 1, {})
    assert totals.duration_ns < 5_000_000_000  # decoding 2 GB would take longer


async def test_of_events_that_arrive_during_decoding_only_the_last_has_an_arrival_time() -> None:
    events = gzip.compress(b'data: {"ts": %d}\n\n' % time.time_ns() * 2)
    # Both events wait in the socket while 50 MB are decoded. Then one read returns both.
    totals = await ran([GZIPPED, BLANK_LINES * 5, events], timestamp=Field(("ts",)))
    assert (totals.events, totals.ended_by_server) == (2, 1)
    assert totals.latencies[Latency.DELIVERY].count == 1
