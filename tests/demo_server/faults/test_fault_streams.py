"""The bytes of /faults, from one real server that all tests share."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import count, islice

import httpx
import pytest
from demo_server_processes import started_server
from raw_client import Answer, RawClient, get
from real_processes import streams_open, until
from reference_parser import BOM, Reading

from demo_server.faults.encoding import TEXT
from demo_server.faults.parameters import FaultParameters

HEARTBEAT = b": heartbeat\n\n"
runs = (f"run-{number}" for number in count())


@pytest.fixture(scope="module", name="server")
def start_server() -> Iterator[str]:
    with started_server() as (process, port):
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        # All faults are intended, so the server logs no error.
        assert process.communicate(timeout=20) == ("", "")


def faults(server: str, query: str = "", *, run: str | None = None, pace: str = "interval=0") -> str:
    return f"{server}/faults?{pace}&run={run or next(runs)}{'&' * bool(query)}{query}"


def event(seq: int, line_end: str = "\n") -> bytes:
    """The bytes of an event without its timestamp."""
    return f'id: {seq}{line_end}data: {{"seq":{seq},"ts":0}}{line_end}{line_end}'.encode()


def events(*seqs: int) -> bytes:
    return b"".join(map(event, seqs))


def fault_log_of(server: str, run: str) -> dict[str, object]:
    log: dict[str, object] = httpx.get(f"{server}/truth/{run}").raise_for_status().json()
    return log


def sent(query: str, length: int, first_seq: int = 1) -> list[int]:
    """The numbers of the sent events, in sending order."""
    asked = FaultParameters.model_validate(dict(pair.split("=") for pair in query.split("&")))
    return [seq for seq, copies in islice(asked.sequence(first_seq), length) for _ in range(copies)]


# The sequence.


def test_stream_without_faults_equals_that_of_load(server: str) -> None:
    answer = get(faults(server, "count=3"))
    assert (answer.status, answer.ended, answer.body_without_ts) == (200, "complete", events(1, 2, 3))
    assert answer.header("content-type") == "text/event-stream"


@pytest.mark.parametrize("query", ["drop=3", "duplicate=3", "reorder=5", "drop=4&duplicate=3&reorder=7&seed=5"])
def test_drop_duplicate_and_reorder_change_only_the_sequence(server: str, query: str) -> None:
    answer = get(faults(server, f"{query}&count=50"))
    expected = sent(f"{query}&count=50", 50)
    assert expected != list(range(1, 51))
    assert (answer.ended, answer.body_without_ts) == ("complete", events(*expected))


def test_duplicate_has_the_same_bytes(server: str) -> None:
    first, second = get(faults(server, "duplicate=1&count=1")).chunks
    assert first == second


def test_the_same_seed_gives_the_same_bytes_in_another_run_and_another_process(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "drop=5&duplicate=7&reorder=4&line_end=mixed&split_utf8=true&close=20&seed="
    first, again, other = (get(faults(server, f"{query}{seed}")) for seed in (3, 3, 4))
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    with started_server() as (_, port):
        elsewhere = get(faults(f"http://127.0.0.1:{port}", f"{query}3"))
    without_ts = [re.sub(rb'"ts":\d+', b"", b"|".join(answer.chunks)) for answer in (first, again, elsewhere, other)]
    assert without_ts[0] == without_ts[1] == without_ts[2] != without_ts[3]


def test_stream_resumed_after_each_close_drops_the_same_events(server: str) -> None:
    run, last_event_id, seqs = next(runs), None, list[int]()
    while len(seqs) < 200:
        answer = get(faults(server, "drop=5&duplicate=7&close=20&seed=3", run=run), last_event_id)
        seqs += answer.seqs
        last_event_id = str(seqs[-1])
    whole = sent("drop=5&seed=3", 300)
    assert list(dict.fromkeys(seqs)) == whole[: len(set(seqs))]
    streams = fault_log_of(server, run)["streams"]
    assert isinstance(streams, list)
    dropped = {seq for stream in streams for seq in stream["dropped"]["listed"]}
    assert dropped == set(range(1, seqs[-1])) - set(whole)
    assert [stream["last_event_id"] for stream in streams[:2]] == [None, str(streams[0]["sent"]["last"])]


# The bytes.


@pytest.mark.parametrize(("name", "line_end"), [("lf", "\n"), ("cr", "\r"), ("crlf", "\r\n")])
def test_line_end_sets_the_ending_of_every_line(server: str, name: str, line_end: str) -> None:
    answer = get(faults(server, f"line_end={name}&count=2&retry=7"))
    assert answer.body_without_ts == f"retry: 7{line_end * 2}".encode() + event(1, line_end) + event(2, line_end)


def test_bom_comes_first_and_once(server: str) -> None:
    assert get(faults(server, "bom=true&count=2")).body_without_ts == BOM + events(1, 2)


@pytest.mark.parametrize("end", ["count=2", "close=2"])
def test_no_final_blank_adds_an_incomplete_event(server: str, end: str) -> None:
    answer = get(faults(server, f"no_final_blank=true&{end}"))
    assert (answer.ended, answer.body_without_ts) == ("complete", events(1, 2) + event(3)[:-1])


def test_split_utf8_pauses_inside_a_character_of_each_event(server: str) -> None:
    answer = get(faults(server, "split_utf8=true&count=3"))
    assert [json.loads(data)["text"] for _, data, _ in Reading(answer.body).events] == [TEXT] * 3
    for first_half in answer.chunks[::2]:
        with pytest.raises(UnicodeDecodeError):
            first_half.decode()
    first_ns, second_ns, _ = [json.loads(data)["ts"] for _, data, _ in Reading(answer.body).events]
    assert second_ns - first_ns > 15_000_000  # includes the pause in the first event


def test_split_utf8_splits_the_last_event_of_a_burst(server: str) -> None:
    first_half, _ = get(faults(server, "split_utf8=true&burst=3&count=3")).chunks
    assert first_half.count(b"\n\n") == 2
    with pytest.raises(UnicodeDecodeError):
        first_half.decode()


def test_huge_events_are_sent_in_small_chunks(server: str) -> None:
    answer = get(faults(server, "huge=2&huge_bytes=3000000&count=4"))
    assert [len(json.loads(data).get("pad", "")) for _, data, _ in Reading(answer.body).events] == [0, 3_000_000] * 2
    assert max(map(len, answer.chunks)) < 70_000


def test_endless_line_never_ends(server: str) -> None:
    with RawClient(faults(server, "endless_line=1")) as client:
        body = client.read_chunks(100).body
    line = body.removeprefix(body[: body.index(b"\n\n") + 2] + b"id: 2\ndata: ")
    assert len(line) > 90 * 65536
    assert b"\n" not in line


# The time.


def test_heartbeats_only_are_comments_at_the_pace_of_heartbeat(server: str) -> None:
    began_s = time.monotonic()
    answer = get(faults(server, "heartbeats_only=true&heartbeat=0.1&count=4", pace="interval=3600"))
    assert (answer.ended, answer.body) == ("complete", HEARTBEAT * 4)
    assert time.monotonic() - began_s > 0.3


def test_burst_sends_events_late_with_their_original_timestamps(server: str) -> None:
    answer = get(faults(server, "burst=4&count=9", pace="interval=0.05"))
    assert [chunk.count(b"data") for chunk in answer.chunks] == [4, 4, 1]
    first, *_, last = [json.loads(data)["ts"] for _, data, _ in Reading(answer.chunks[0]).events]
    assert last - first > 50_000_000


def test_incomplete_burst_is_sent_before_a_connection_fault(server: str) -> None:
    answer = get(faults(server, "burst=4&truncate=6"))
    assert [chunk.count(b"data") for chunk in answer.chunks] == [4, 2]
    assert answer.ended == "cut"


@pytest.mark.parametrize("more", ["count=1", "status=503", "redirect=1"])
def test_header_delay_applies_to_every_response(server: str, more: str) -> None:
    with RawClient(faults(server, f"header_delay=0.5&{more}"), timeout_s=0.1) as client:
        assert client.read().head == b""
        client.answer.ended = ""
        client.socket.settimeout(20)
        assert client.read().status == {"count=1": 200, "status=503": 503, "redirect=1": 302}[more]


# The connection.


def test_close_ends_response_and_connection(server: str) -> None:
    with RawClient(faults(server, "close=2")) as client:
        answer = client.read()
        assert client.socket.recv(1) == b""
    assert (answer.ended, answer.body_without_ts) == ("complete", events(1, 2))
    assert answer.header("connection") == "close"


def test_reset_sends_rst(server: str) -> None:
    answer = get(faults(server, "reset=2"))
    assert answer.ended == "reset"
    assert events(1, 2).startswith(answer.body_without_ts)  # a reset discards bytes that a busy client has not read


def test_truncate_closes_inside_a_chunk(server: str) -> None:
    answer = get(faults(server, "truncate=2"))
    assert (answer.ended, answer.body_without_ts) == ("cut", events(1, 2))
    assert answer.announced_bytes == len(answer.chunks[1])
    assert answer.rest == answer.chunks[1].replace(b"2", b"3", 2)[: len(answer.rest)]
    assert len(answer.rest) == answer.announced_bytes // 2


def test_stall_sends_no_heartbeats(server: str) -> None:
    answer = get(faults(server, "stall=2&heartbeat=0.01", pace="interval=0.02"), timeout_s=0.4)
    assert (answer.ended, answer.seqs) == ("silent", [1, 2])


@pytest.mark.parametrize(("fault", "ended"), [("close", "complete"), ("reset", "reset"), ("truncate", "cut")])
def test_connection_fault_after_zero_events_hits_an_empty_stream(server: str, fault: str, ended: str) -> None:
    answer = get(faults(server, f"{fault}=0"))
    assert (answer.status, answer.ended, answer.chunks) == (200, ended, [])


# Together.


def test_faults_can_be_combined(server: str) -> None:
    query = "drop=5&duplicate=7&reorder=4&seed=3"
    more = "line_end=mixed&bom=true&split_utf8=true&burst=3&huge=9&huge_bytes=100000&retry=5&event=price"
    run = next(runs)
    answer = get(faults(server, f"{query}&close=20&no_final_blank=true&{more}&redirect=0", run=run))
    reading = Reading(answer.body)
    data = [json.loads(data) for _, data, _ in reading.events]
    assert answer.ended == "complete"
    assert answer.body.startswith(BOM)
    assert [one["seq"] for one in data] == sent(query, 40)[:20]
    assert [len(one.get("pad", "")) for one in data] == [0 if one["seq"] % 9 else 100_000 for one in data]
    assert {(kind, one["text"]) for (kind, _, _), one in zip(reading.events, data, strict=True)} == {("price", TEXT)}
    assert reading.reconnection_time_ms == 5
    assert audited(answer, fault_log_of(server, run))


def audited(answer: Answer, log: dict[str, object]) -> bool:
    """Whether the fault log equals the counts of a client that received everything."""
    streams = log["streams"]
    assert isinstance(streams, list)
    (stream,) = streams
    seqs = [json.loads(data)["seq"] for _, data, _ in Reading(answer.body).events]
    unique = list(dict.fromkeys(seqs))
    late = [seq for place, seq in enumerate(unique) if seq < max(unique[: place + 1])]
    missing = set(range(1, max(seqs))) - set(seqs)
    assert stream["sent"] == {
        "count": len(seqs), "first": seqs[0], "last": seqs[-1], "smallest": min(seqs), "largest": max(seqs),
    }  # fmt: skip
    assert stream["duplicated"]["listed"] == [seq for seq in unique if seqs.count(seq) == 2]
    assert stream["reordered"]["listed"] == late
    told = {*stream["dropped"]["listed"], *stream["unsent"]["listed"]}
    assert {seq for seq in told if seq < max(seqs)} == missing
    return True


@pytest.mark.parametrize("query", ["count=200", "close=77", "truncate=77", "close=1"])
def test_fault_log_equals_the_counts_of_a_client(server: str, query: str) -> None:
    run = next(runs)
    answer = get(faults(server, f"drop=5&duplicate=7&reorder=4&seed=8&{query}", run=run))
    until(lambda: streams_open(server) == 0)
    log = fault_log_of(server, run)
    assert audited(answer, log)
    totals = log["totals"]
    assert isinstance(totals, dict)
    assert totals["ended"] == {query.partition("=")[0]: 1}
