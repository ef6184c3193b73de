"""The same bytes, with the same pauses, give the same events and the same next request in a browser and in our clients.

One source reads the streams one after the other and reconnects at once: a few thousand take seconds, and the state that
one leaves behind (the last event ID) is carried into the next.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from browser import PAGE, PAGE_PATH, Browser
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scripted_server import Script, ScriptedServer, head

from conformance.clients import OPEN, Client, read
from conformance.table import ROOT
from sseclient_cli.sse import retry_policy
from sseclient_cli.sse.event_stream import Event, EventStreamParser
from sseclient_cli.sse.retry_policy import last_event_id_header

VECTORS = json.loads((ROOT / "tests/data/parser_vectors.json").read_text("utf-8"))

AT_ONCE = b"retry: 0\n\n"
"""Sent on the first connection, so that no time is lost between the others."""

STREAMS_PER_CHAIN = 50
CHAINS = 8

PAUSE_S = 0.002
"""Long enough for a browser to have read the bytes before."""

Pieces = Sequence[bytes | float]


@pytest.fixture(autouse=True)
def no_backoff_after_a_connection_without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_policy, "MIN_BACKOFF_MS", 0)


def predicted(chain: Sequence[Pieces]) -> tuple[list[list[Event]], list[bytes | None]]:
    """Return the events of each stream by our parser, and the Last-Event-ID of each request."""
    last_event_id = ""
    events: list[list[Event]] = []
    last_event_ids: list[bytes | None] = [None]
    for pieces in chain:
        parser = EventStreamParser(last_event_id)
        events.append([event for piece in pieces if isinstance(piece, bytes) for event in parser.feed(piece)])
        last_event_id = parser.last_event_id
        last_event_ids.append(last_event_id_header(last_event_id))
    return events, last_event_ids


def by_connection(heard: Sequence[str | Event]) -> list[list[Event]]:
    connections: list[list[Event]] = []
    for entry in heard:
        if isinstance(entry, str):
            assert entry == OPEN
            connections.append([])
        else:
            connections[-1].append(entry)
    return connections


async def read_by(
    client: Client, chain: Sequence[Pieces], fixtures: pytest.FixtureRequest, **limits: Any
) -> tuple[list[list[Event]], list[bytes | None]]:
    """Return the events of each connection, and the Last-Event-ID of each request."""
    # A page hears only the types that it names. A type that the parser gets wrong is then missing.
    types = {event.type for event in itertools.chain(*predicted(chain)[0])} | {"message"}
    scripts: list[Script] = [[head(), *pieces] for pieces in chain]
    async with ScriptedServer(*scripts, pages={PAGE_PATH: PAGE}) as server:
        seen = await read(client, server.url, fixtures, types=types, **limits)
        return by_connection(seen.heard), [request.header("last-event-id") for request in server.requests]


async def read_by_all(chain: Sequence[Pieces], fixtures: pytest.FixtureRequest) -> None:
    """Let every client read the streams, and compare their events with those of the parser."""
    events, last_event_ids = predicted(chain)
    found = await asyncio.gather(*(read_by(client, chain, fixtures) for client in Client))
    for client, (heard_by_client, ids_of_client) in zip(Client, found, strict=True):
        for number, (heard, expected) in enumerate(zip(heard_by_client, events, strict=False)):
            assert heard == expected, f"{client.value}, stream {number}: {chain[number]!r}"
        assert ids_of_client == last_event_ids, client.value
        assert len(heard_by_client) == len(events), client.value


def stream_of(vector: dict[str, Any]) -> bytes:
    return base64.b64decode(vector["input_base64"])


def reconnects_at_once(vector: dict[str, Any]) -> bool:
    """Return whether every client reconnects at once after a stream, with the same ID (see DECISIONS in cases.py)."""
    has_empty_retry = re.search(rb"(^|[\r\n])retry(: ?)?[\r\n]", stream_of(vector))
    return (
        (vector["expected_retry"] or 0) <= 200
        and not has_empty_retry
        and vector["expected_last_event_id"].isprintable()
    )


async def test_streams_of_public_suites_give_the_same_events_as_in_a_browser(
    browser: Browser, request: pytest.FixtureRequest
) -> None:
    chain: list[Pieces] = []
    for vector in filter(reconnects_at_once, VECTORS["parser_vectors"]):
        chain += [[f"id: {vector['initial_last_event_id']}\nretry: 0\n\n".encode()], [stream_of(vector)]]
    assert len(chain) > 400
    await read_by_all(chain, request)


OTHERS = [vector for vector in VECTORS["parser_vectors"] if not reconnects_at_once(vector)]


@pytest.mark.parametrize("client", Client, ids=lambda client: client.value)
async def test_streams_that_delay_the_reconnection_give_the_same_events(
    client: Client, request: pytest.FixtureRequest
) -> None:
    assert len(OTHERS) < 30
    assert not any(vector["initial_last_event_id"] for vector in OTHERS)
    for vector in OTHERS:
        expected = [Event(event["event"], event["data"], event["id"]) for event in vector["expected_events"]]
        # Without an expected event, listen for a while.
        limits = {"enough": 1 + len(expected)} if expected else {"for_s": 0.25}
        heard, _ = await read_by(client, [[stream_of(vector)]], request, **limits)
        assert heard[0] == expected, vector["name"]


@pytest.mark.parametrize("client", Client, ids=lambda client: client.value)
@pytest.mark.parametrize("vector", VECTORS["large_vectors"], ids=lambda vector: vector["name"])
async def test_large_streams_give_the_same_events(
    vector: dict[str, Any], client: Client, request: pytest.FixtureRequest
) -> None:
    stream = AT_ONCE + b"".join(part["text"].encode() * part["repeat"] for part in vector["input_parts"])
    chain = [[stream[start : start + 100_000] for start in range(0, len(stream), 100_000)]]
    assert await read_by(client, chain, request) == predicted(chain)


# Generated streams.

ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])
TEXTS = st.lists(
    st.sampled_from(
        [b"a", b"b", b"7", b" ", b":", b"\t", b"\0", "ü".encode(), "€".encode(), "🚒".encode(), "\ufeff".encode(),
         "\u2028".encode(), b"\x85", b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f", b"\xed\xa0\x80", b"\xc0\x80", b"data"]
    ) | st.binary(max_size=3).map(lambda raw: raw.translate(None, b"\r\n")),
    max_size=6,
).map(b"".join)  # fmt: skip
# Control characters and IDs of spaces only in the header are cases of their own, and so is an empty retry.
IDS = TEXTS.map(lambda raw: re.sub(rb"[\x01-\x1f\x7f]", b"", raw)).map(lambda raw: raw if raw.strip() else b"")
RETRIES = st.sampled_from([b"0", b"1", b"007", b"1x", b"-1", b"+1", b"1.0", b" 5", b"1\0", "٣".encode(), b"1 "])
FIELDS = st.one_of(
    st.tuples(st.just(b"data"), TEXTS),
    st.tuples(st.just(b"data"), TEXTS),
    st.tuples(st.just(b"id"), IDS),
    st.tuples(st.just(b"id"), IDS),
    st.tuples(st.just(b"event"), TEXTS),
    st.tuples(st.just(b"retry"), RETRIES),
    st.tuples(st.sampled_from([b"", b"Data", b"data ", b" id", b"\xef\xbb\xbfdata", b"events", b"\0"]), TEXTS),
)
LINES = st.one_of(
    st.builds(lambda field, colon: field[0] + colon + field[1], FIELDS, st.sampled_from([b":", b": "])),
    st.builds(lambda text: b"data:  " + text, TEXTS),
    st.sampled_from([b"data", b"id", b"event", b"nothing", b":"]),
    TEXTS.filter(lambda raw: not raw.startswith((b"id", b"retry"))),
)
TAILS = st.sampled_from([[b"data:1", b""], [b"data: 2", b""], [b""], [b"id:7", b""], []])
BLOCKS = st.tuples(st.lists(LINES, max_size=4), TAILS).flatmap(
    lambda lines_and_tail: st.tuples(*(st.tuples(st.just(line), ENDS) for line in itertools.chain(*lines_and_tail)))
)
STREAMS = st.builds(
    lambda start, blocks, rest: start + b"".join(line + end for block in blocks for line, end in block) + rest,
    st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf", b"\xef\xbb", b"\xfe\xff"]),
    st.lists(BLOCKS, min_size=1, max_size=4),
    LINES,
).filter(lambda stream: not re.match(rb"\xef\xbb\xbf[\r\n]", stream))  # see the case bom-then-line-end


@st.composite
def split_streams(draw: st.DrawFn) -> Pieces:
    """A stream, cut at any byte. The server pauses at some cuts."""
    stream = draw(STREAMS)
    cuts = sorted(draw(st.sets(st.integers(0, len(stream)), max_size=5)))
    pieces: list[bytes | float] = []
    for start, end in itertools.pairwise([0, *cuts, len(stream)]):
        pieces.append(stream[start:end])
        if draw(st.booleans()):
            pieces.append(PAUSE_S)
    return pieces


@pytest.mark.timeout(300)
@settings(
    max_examples=CHAINS,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a failure names the stream; shrinking a chain takes minutes
    # Long chains are the purpose; `request` is for the browser, which outlives all examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large, HealthCheck.too_slow],
)
@given(st.lists(split_streams(), min_size=STREAMS_PER_CHAIN, max_size=STREAMS_PER_CHAIN, unique_by=tuple))
def test_hundreds_of_generated_streams_give_the_same_events_as_in_a_browser(
    browser: Browser, request: pytest.FixtureRequest, chain: list[Pieces]
) -> None:
    asyncio.run(read_by_all([[AT_ONCE], *chain], request))
