"""The yardstick is true: the source, the C reader and our own engine count the same events."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import fastapi.sse
import pytest
import sse_starlette
from audits import audit_of

if sys.platform != "linux":
    pytest.skip("the yardstick needs epoll", allow_module_level=True)

from benchmarks.building import build, compiler
from benchmarks.event_source import EventSource
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.event_stream import EventStreamParser

PATHS = [
    pytest.param("/events?rate=50&count=20", 20, id="paced"),
    pytest.param("/events?rate=50&count=20&eol=crlf", 20, id="paced-crlf"),
    pytest.param("/events?rate=0&count=5000", 5000, id="blast"),
    pytest.param("/events?rate=0&count=5000&chunk=write", 5000, id="blast-chunk-per-write"),
    pytest.param("/events?rate=0&count=5000&eol=crlf", 5000, id="blast-crlf"),
    pytest.param("/events?rate=0&count=200&size=9000", 200, id="blast-large"),
]
FORMS = ["event-id-data", "starlette", "fastapi", "spring", "two-data", "retry", "comment"]
PATHS += [pytest.param(f"/events?rate=0&count=2000&form={form}", 2000, id=form) for form in FORMS]
LLM_PATH = "/events?rate=0&count=2000&form=llm"
STREAMS = 8


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if compiler() is None:
        pytest.skip("the yardstick is written in C, and there is no gcc here")
    folder = tmp_path_factory.mktemp("yardstick")
    build(folder)
    return folder


@pytest.fixture
def source(built: Path) -> Iterator[EventSource]:
    with EventSource(core=None, folder=built) as running:
        yield running


def request(source: EventSource, path: str, method: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
    """Return status and body of a response that ends by itself."""
    connection = http.client.HTTPConnection("127.0.0.1", source.port, timeout=10)
    connection.request(method, path, body)
    response = connection.getresponse()
    received = response.read()
    connection.close()
    return response.status, received


def events_of(source: EventSource, path: str) -> list[Event]:
    return EventStreamParser().feed(request(source, path)[1])


def moments(source: EventSource, together: int) -> int:
    """Return at how many moments of their period some streams that open together have their events."""
    period_ns = 250_000_000
    # The streams stay open for several periods: one that opens late still belongs to the others.
    path = f"/events?rate=4&count=4&together={together}"
    with ThreadPoolExecutor(STREAMS) as threads:
        firsts = list(threads.map(lambda _: events_of(source, path)[0], range(STREAMS)))
    phases_ns = sorted(json.loads(event.data)["ts"] % period_ns for event in firsts)
    gaps_ns = [later - earlier for earlier, later in pairwise([*phases_ns, phases_ns[0] + period_ns])]
    return sum(gap_ns > period_ns // 4 for gap_ns in gaps_ns)


def ran(source: EventSource, path: str) -> Totals:
    hop = ResolvedTarget(
        Target(url=f"http://127.0.0.1:{source.port}{path}"), Address(socket.AF_INET, ("127.0.0.1", source.port))
    )
    return Worker(Shard(chain=(hop,), plan=Plan(connections=STREAMS, duration_s=10, ramp_up_s=0))).run()


@pytest.mark.parametrize(("path", "count"), [*PATHS, pytest.param(LLM_PATH, 2000, id="llm")])
def test_the_reader_and_the_source_count_the_same_events(
    built: Path, source: EventSource, path: str, count: int
) -> None:
    field = "data" if path == LLM_PATH else "id"
    command = [str(built / "reader"), "127.0.0.1", str(source.port), path, str(STREAMS), "10", "0", field]
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    stats = source.stats()
    assert (said["opened"], said["failed"], said["events"]) == (STREAMS, 0, STREAMS * count)
    assert (stats.streams_opened, stats.streams_open, stats.events_sent) == (STREAMS, 0, STREAMS * count)


@pytest.mark.parametrize(("path", "count"), PATHS)
def test_our_engine_finds_nothing_lost_or_duplicated(source: EventSource, path: str, count: int) -> None:
    totals = ran(source, path)
    assert (totals.opened, totals.failed, totals.events) == (STREAMS, 0, STREAMS * count)
    assert (audit_of(totals).lost, audit_of(totals).duplicated, audit_of(totals).out_of_order) == (0, 0, 0)
    assert totals.ended_by_server == STREAMS
    if "rate=50" in path:
        # The last event of a stream arrives with the end of the body behind it, which has the kernel timestamp.
        assert STREAMS * (count - 1) <= totals.latencies[Latency.DELIVERY].count <= STREAMS * count


@pytest.mark.parametrize("line_end", ["lf", "crlf"])
@pytest.mark.parametrize("size_bytes", [98, 300])
def test_an_event_has_its_number_timestamp_and_requested_size(
    source: EventSource, line_end: str, size_bytes: int
) -> None:
    _, body = request(source, f"/events?rate=0&count=12&size={size_bytes}&eol={line_end}")
    assert len(body) == 12 * size_bytes
    assert (b"\r\n" in body) == (line_end == "crlf")
    events = EventStreamParser().feed(body)
    decoded = [json.loads(event.data) for event in events]
    assert [int(event.id) for event in events] == [data["seq"] for data in decoded] == list(range(1, 13))
    assert all(data["ts"] > 10**18 for data in decoded)


def test_a_post_with_a_body_gets_its_stream(source: EventSource) -> None:
    status, received = request(source, "/events?rate=0&count=1", method="POST", body=b"x" * 500)
    assert status == 200
    assert received.startswith(b"id: 1\n")


def test_an_unknown_path_is_not_found(source: EventSource) -> None:
    assert request(source, "/nothing")[0] == 404


def test_the_form_starlette_is_what_sse_starlette_writes(source: EventSource) -> None:
    _, body = request(source, "/events?rate=0&count=12&form=starlette")
    written = [
        sse_starlette.ServerSentEvent(event.data, event=event.type, id=event.id).encode()
        for event in EventStreamParser().feed(body)
    ]
    assert len(written) == 12
    assert body == b"".join(written)


def test_the_form_fastapi_is_what_fastapi_writes(source: EventSource) -> None:
    _, body = request(source, "/events?rate=0&count=12&form=fastapi")
    written = [
        fastapi.sse.format_sse_event(data_str=event.data, event=event.type, id=event.id, retry=3000)
        for event in EventStreamParser().feed(body)
    ]
    assert len(written) == 12
    assert body == b"".join(written)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_changes_neither_size_nor_data(source: EventSource, form: str) -> None:
    _, body = request(source, f"/events?rate=0&count=12&form={form}&size=120")
    assert len(body) == 12 * 120
    assert [json.loads(event.data)["seq"] for event in EventStreamParser().feed(body)] == list(range(1, 13))


def test_an_event_of_the_form_llm_is_a_chunk_of_a_chat_completion(source: EventSource) -> None:
    events = events_of(source, "/events?rate=0&count=12&form=llm")
    chunks = [json.loads(event.data) for event in events]
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks] == [f" {number}" for number in range(1, 13)]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {event.id for event in events} == {""}


@pytest.mark.parametrize("option", ["form=nothing", "form=id", "together=0"])
def test_an_unknown_option_is_not_found(source: EventSource, option: str) -> None:
    assert request(source, f"/events?{option}")[0] == 404


def test_streams_that_open_together_are_spread_over_the_period(source: EventSource) -> None:
    with ThreadPoolExecutor(STREAMS) as threads:
        bodies = list(threads.map(lambda _: request(source, "/events?rate=2&count=1")[1], range(STREAMS)))
    sent_ns = [json.loads(EventStreamParser().feed(body)[0].data)["ts"] for body in bodies]
    # Eight golden sections reach over more than three quarters of the 500 ms; unspread, all would be due at once.
    assert max(sent_ns) - min(sent_ns) > 250_000_000


def test_half_of_the_streams_together_make_two_moments(source: EventSource) -> None:
    # A golden section of the period lies between the two: 38 % of it one way round, 62 % the other.
    assert moments(source, together=STREAMS // 2) == 2


def test_a_broadcast_has_one_moment_whatever_ran_before(source: EventSource) -> None:
    assert [moments(source, together=STREAMS + 1) for _ in range(2)] == [1, 1]
