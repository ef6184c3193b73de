"""The fault log: exact counts, bounded lists."""

from __future__ import annotations

import json
from typing import Any

import httpx

from demo_server.app import create_api
from demo_server.faults import fault_log
from demo_server.faults.fault_log import FaultLog, StreamLog
from demo_server.faults.report import MAX_STREAMS, RunReport, merge_reports
from demo_server.options import MAX_WORKERS, Options
from demo_server.streams.registry import Streams
from demo_server.workers.messages import MAX_LINE_BYTES
from demo_server.workers.peers import LocalPeers
from demo_server.workers.run_logs import MAX_RUNS


async def report_of(faults: FaultLog, name: str = "a") -> dict[str, Any]:
    """The report of a run, after a check against its schema."""
    report = await faults.report(name)
    assert report is not None
    assert RunReport.model_validate(report).model_dump() == report
    return report


async def begin(faults: FaultLog, number: int = 1, last_event_id: str | None = None) -> StreamLog:
    """The log of a request, which was entered before."""
    await faults.enter("a", False)
    return faults.begin("a", number, last_event_id, 0)


async def stream_of(*seqs: int, dropped: tuple[int, ...] = (), first_seq: int = 1) -> dict[str, Any]:
    """The report of a stream that dropped some numbers and then sent others."""
    faults = FaultLog()
    log = await begin(faults)
    log.begins(first_seq)
    for seq in dropped:
        log.dropped(seq)
    for seq in seqs:
        log.sent(seq)
    log.end("count")
    stream: dict[str, Any] = (await report_of(faults))["streams"][0]
    return stream


async def test_number_sent_twice_in_a_row_is_duplicated() -> None:
    stream = await stream_of(1, 2, 2, 3)
    assert stream["duplicated"] == {"count": 1, "listed": [2], "is_cut": False}
    assert stream["sent"] == {"count": 4, "first": 1, "last": 3, "smallest": 1, "largest": 3}


async def test_number_sent_after_a_larger_one_is_reordered() -> None:
    stream = await stream_of(3, 1, 4, 2, 2)
    assert (stream["reordered"]["listed"], stream["duplicated"]["listed"]) == ([1, 2], [2])
    assert stream["sent"] == {"count": 5, "first": 3, "last": 2, "smallest": 1, "largest": 4}


async def test_overtaken_number_is_unsent_unless_it_was_dropped() -> None:
    stream = await stream_of(5, 3, dropped=(4,), first_seq=2)
    assert (stream["unsent"]["listed"], stream["dropped"]["listed"]) == ([2], [4])


async def test_numbers_after_the_last_event_are_not_unsent() -> None:
    assert (await stream_of(1, 2, dropped=(4,)))["unsent"]["count"] == 0


async def test_stream_without_events_has_no_numbers() -> None:
    assert (await stream_of())["sent"] == {"count": 0, "first": None, "last": None, "smallest": None, "largest": None}


async def test_totals_count_streams_by_how_they_ended() -> None:
    faults = FaultLog()
    first, _ = await begin(faults), await begin(faults, 2, "7")
    faults.redirect("a")
    first.heartbeat()
    first.answered(200)
    first.end("close")
    report = await report_of(faults)
    assert report["totals"]["ended"] == {"open": 1, "close": 1}
    assert [report["totals"][name] for name in ("streams", "redirected", "heartbeats")] == [2, 1, 1]
    assert [stream["number"] for stream in report["streams"]] == [1, 2]
    assert [stream["last_event_id"] for stream in report["streams"]] == [None, "7"]
    assert [stream["ended"] for stream in report["streams"]] == ["close", None]


async def test_lists_are_cut_but_counts_are_exact() -> None:
    dropped = fault_log.MAX_LISTED + 5
    stream = await stream_of(dropped=tuple(range(1, 1 + dropped)))
    assert stream["dropped"] == {"count": dropped, "listed": list(range(1, 1 + fault_log.MAX_LISTED)), "is_cut": True}


async def test_lists_of_a_run_are_bounded_together() -> None:
    faults = FaultLog()
    for _ in range(fault_log.MAX_LISTED_IN_RUN // fault_log.MAX_LISTED + 1):
        log = await begin(faults)
        for seq in range(1, 1 + fault_log.MAX_LISTED):
            log.dropped(seq)
    report = await report_of(faults)
    assert sum(len(stream["dropped"]["listed"]) for stream in report["streams"]) == fault_log.MAX_LISTED_IN_RUN
    assert report["streams"][-1]["dropped"] == {"count": fault_log.MAX_LISTED, "listed": [], "is_cut": True}
    assert report["totals"]["dropped"] == fault_log.MAX_LISTED_IN_RUN + fault_log.MAX_LISTED


async def test_streams_that_are_not_listed_are_in_the_totals() -> None:
    faults = FaultLog()
    for _ in range(MAX_STREAMS + 3):
        log = await begin(faults)
        log.sent(1)
        log.end("count")
    report = await report_of(faults)
    assert (len(report["streams"]), report["is_cut"]) == (MAX_STREAMS, True)
    assert report["totals"]["sent"] == report["totals"]["ended"]["count"] == MAX_STREAMS + 3


async def test_run_with_the_oldest_last_request_is_evicted_first() -> None:
    faults = FaultLog()
    for number in range(MAX_RUNS):
        await faults.enter(f"{number}", False)
    await faults.enter("0", False)
    await faults.enter("one more", False)
    assert await faults.report("1") is None
    assert await faults.report("0") is not None
    assert await faults.enter("0", False) == 3


async def test_deleted_run_restarts_despite_an_open_stream() -> None:
    faults = FaultLog()
    log = await begin(faults)
    await faults.forget("a")
    log.sent(1)
    log.end("client")
    assert await faults.report("a") is None
    assert await faults.enter("a", False) == 1
    assert (await report_of(faults))["totals"]["sent"] == 0


async def test_only_events_known_to_all_workers_affect_eviction() -> None:
    faults = FaultLog()
    for number in range(MAX_RUNS):
        await faults.enter(f"{number}", False)
    faults.begin("0", 1, None, 0)
    faults.redirect("0")
    await faults.enter("one more", False)
    assert await faults.report("0") is None
    faults.begin("0", 2, None, 0).end("count")
    faults.redirect("0")
    assert await faults.report("0") is None


async def test_redirects_are_not_numbered() -> None:
    faults = FaultLog()
    assert [await faults.enter("a", is_redirected) for is_redirected in (True, False, True, False)] == [0, 1, 1, 2]


async def test_last_event_id_is_cut() -> None:
    faults = FaultLog()
    await begin(faults, 1, "x" * 5000)
    assert len((await report_of(faults))["streams"][0]["last_event_id"]) == fault_log.MAX_ID_CHARS


async def test_reports_of_several_workers_merge() -> None:
    parts = []
    for number, how in ((2, "count"), (1, "close")):
        faults = FaultLog()
        log = await begin(faults, number)
        log.sent(1)
        log.end(how)
        parts.append(await report_of(faults))
    merged = merge_reports([*parts, None])
    assert merged is not None
    assert RunReport.model_validate(merged).model_dump() == merged
    assert (merged["totals"]["streams"], merged["totals"]["sent"]) == (2, 2)
    assert merged["totals"]["ended"] == {"close": 1, "count": 1}
    assert [stream["number"] for stream in merged["streams"]] == [1, 2]
    assert merge_reports(parts[:1]) == parts[0]
    assert merge_reports([None, None]) is None


async def test_largest_report_of_all_workers_fits_into_a_line_of_the_hub() -> None:
    faults = FaultLog()
    for number in range(MAX_STREAMS):
        await faults.enter("a", False)
        log = faults.begin("a", number, "\0" * 5000, 10**19)
        for seq in range(2 * fault_log.MAX_LISTED_IN_RUN // MAX_STREAMS):
            log.dropped(10**15 + seq)
    assert len(json.dumps(await faults.report("a"))) * MAX_WORKERS < MAX_LINE_BYTES


def client() -> httpx.AsyncClient:
    """A client of a new server, without sockets."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_api(Streams(), LocalPeers(), Options())), base_url="http://demo"
    )


async def test_fault_log_of_an_unknown_run_is_404_with_a_hint() -> None:
    async with client() as demo:
        response = await demo.get("/truth/nothing")
    hint = "run 'nothing' is unknown: request /faults?run=nothing first"
    assert (response.status_code, response.json()) == (404, {"detail": hint})


async def test_deleted_run_is_unknown() -> None:
    async with client() as demo:
        assert (await demo.get("/faults?status=503&run=a")).status_code == 503
        assert (await demo.get("/truth/a")).json()["totals"]["ended"] == {"refused": 1}
        assert [(await demo.delete("/truth/a")).status_code for _ in range(2)] == [204, 204]
        assert (await demo.get("/truth/a")).status_code == 404


async def test_openapi_describes_every_parameter_and_the_fault_log() -> None:
    async with client() as demo:
        paths = (await demo.get("/openapi.json")).json()["paths"]
    parameters = paths["/faults"]["get"]["parameters"]
    assert {"drop", "interval", "redirect_status", "last-event-id"} < {parameter["name"] for parameter in parameters}
    assert [parameter["name"] for parameter in parameters if "description" not in parameter] == []
    assert "text/event-stream" in paths["/faults"]["get"]["responses"]["200"]["content"]
    answer = paths["/truth/{run}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/RunReport"}
