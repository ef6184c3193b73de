"""The accounts of what was sent: exact counts, bounded lists."""

from __future__ import annotations

import json
from typing import Any

import httpx

from demo_server.app import create_api
from demo_server.faults import fault_log as truth
from demo_server.faults.fault_log import Account, Runs, RunTruth, merge_reports
from demo_server.options import MAX_WORKERS
from demo_server.streams.stream import Streams
from demo_server.workers.peers import MAX_LINE_BYTES, Alone


async def report_of(runs: Runs, name: str = "a") -> dict[str, Any]:
    """The report, which is what the schema says it is."""
    report = await runs.report(name)
    assert report is not None
    assert RunTruth.model_validate(report).model_dump() == report
    return report


async def begin(runs: Runs, number: int = 1, last_event_id: str | None = None) -> Account:
    """The account of a request, which the workers have heard of before."""
    await runs.enter("a", False)
    return runs.begin("a", number, last_event_id, 0)


async def stream_of(*seqs: int, dropped: tuple[int, ...] = (), first_seq: int = 1) -> dict[str, Any]:
    """What is told of a stream that sent these numbers, after it had dropped others."""
    runs = Runs()
    account = await begin(runs)
    account.begins(first_seq)
    for seq in dropped:
        account.dropped(seq)
    for seq in seqs:
        account.sent(seq)
    account.end("count")
    stream: dict[str, Any] = (await report_of(runs))["streams"][0]
    return stream


async def test_a_number_that_is_sent_again_at_once_is_duplicated() -> None:
    stream = await stream_of(1, 2, 2, 3)
    assert stream["duplicated"] == {"count": 1, "listed": [2], "is_cut": False}
    assert stream["sent"] == {"count": 4, "first": 1, "last": 3, "smallest": 1, "largest": 3}


async def test_a_number_is_reordered_when_a_larger_one_was_sent_before() -> None:
    stream = await stream_of(3, 1, 4, 2, 2)
    assert (stream["reordered"]["listed"], stream["duplicated"]["listed"]) == ([1, 2], [2])
    assert stream["sent"] == {"count": 5, "first": 3, "last": 2, "smallest": 1, "largest": 4}


async def test_what_was_overtaken_and_never_sent_is_unsent_unless_it_was_dropped() -> None:
    stream = await stream_of(5, 3, dropped=(4,), first_seq=2)
    assert (stream["unsent"]["listed"], stream["dropped"]["listed"]) == ([2], [4])


async def test_nothing_is_unsent_of_what_comes_after_the_last_one() -> None:
    assert (await stream_of(1, 2, dropped=(4,)))["unsent"]["count"] == 0


async def test_a_stream_that_sent_nothing_has_no_numbers() -> None:
    assert (await stream_of())["sent"] == {"count": 0, "first": None, "last": None, "smallest": None, "largest": None}


async def test_totals_say_how_many_are_open_and_how_the_others_ended() -> None:
    runs = Runs()
    first, _ = await begin(runs), await begin(runs, 2, "7")
    runs.redirect("a")
    first.heartbeat()
    first.answered(200)
    first.end("close")
    report = await report_of(runs)
    assert report["totals"]["ended"] == {"open": 1, "close": 1}
    assert [report["totals"][name] for name in ("streams", "redirected", "heartbeats")] == [2, 1, 1]
    assert [stream["number"] for stream in report["streams"]] == [1, 2]
    assert [stream["last_event_id"] for stream in report["streams"]] == [None, "7"]
    assert [stream["ended"] for stream in report["streams"]] == ["close", None]


async def test_lists_are_cut_and_counts_are_not() -> None:
    dropped = truth.MAX_LISTED + 5
    stream = await stream_of(dropped=tuple(range(1, 1 + dropped)))
    assert stream["dropped"] == {"count": dropped, "listed": list(range(1, 1 + truth.MAX_LISTED)), "is_cut": True}


async def test_the_lists_of_a_run_are_bounded_together() -> None:
    runs = Runs()
    for _ in range(truth.MAX_LISTED_IN_RUN // truth.MAX_LISTED + 1):
        account = await begin(runs)
        for seq in range(1, 1 + truth.MAX_LISTED):
            account.dropped(seq)
    report = await report_of(runs)
    assert sum(len(stream["dropped"]["listed"]) for stream in report["streams"]) == truth.MAX_LISTED_IN_RUN
    assert report["streams"][-1]["dropped"] == {"count": truth.MAX_LISTED, "listed": [], "is_cut": True}
    assert report["totals"]["dropped"] == truth.MAX_LISTED_IN_RUN + truth.MAX_LISTED


async def test_streams_beyond_the_list_are_in_the_totals() -> None:
    runs = Runs()
    for _ in range(truth.MAX_STREAMS + 3):
        account = await begin(runs)
        account.sent(1)
        account.end("count")
    report = await report_of(runs)
    assert (len(report["streams"]), report["is_cut"]) == (truth.MAX_STREAMS, True)
    assert report["totals"]["sent"] == report["totals"]["ended"]["count"] == truth.MAX_STREAMS + 3


async def test_the_run_without_requests_for_longest_is_forgotten_first() -> None:
    runs = Runs()
    for number in range(truth.MAX_RUNS):
        await runs.enter(f"{number}", False)
    await runs.enter("0", False)
    await runs.enter("one more", False)
    assert await runs.report("1") is None
    assert await runs.report("0") is not None
    assert await runs.enter("0", False) == 3


async def test_a_forgotten_run_begins_anew_although_a_stream_of_it_is_open() -> None:
    runs = Runs()
    account = await begin(runs)
    await runs.forget("a")
    account.sent(1)
    account.end("client")
    assert await runs.report("a") is None
    assert await runs.enter("a", False) == 1
    assert (await report_of(runs))["totals"]["sent"] == 0


async def test_only_what_all_workers_hear_of_decides_which_run_is_forgotten() -> None:
    runs = Runs()
    for number in range(truth.MAX_RUNS):
        await runs.enter(f"{number}", False)
    runs.begin("0", 1, None, 0)
    runs.redirect("0")
    await runs.enter("one more", False)
    assert await runs.report("0") is None
    runs.begin("0", 2, None, 0).end("count")
    runs.redirect("0")
    assert await runs.report("0") is None


async def test_redirects_are_not_numbered() -> None:
    runs = Runs()
    assert [await runs.enter("a", is_redirected) for is_redirected in (True, False, True, False)] == [0, 1, 1, 2]


async def test_a_last_event_id_is_cut() -> None:
    runs = Runs()
    await begin(runs, 1, "x" * 5000)
    assert len((await report_of(runs))["streams"][0]["last_event_id"]) == truth.MAX_ID_CHARS


async def test_reports_of_several_workers_merge() -> None:
    parts = []
    for number, how in ((2, "count"), (1, "close")):
        runs = Runs()
        account = await begin(runs, number)
        account.sent(1)
        account.end(how)
        parts.append(await report_of(runs))
    merged = merge_reports([*parts, None])
    assert merged is not None
    assert RunTruth.model_validate(merged).model_dump() == merged
    assert (merged["totals"]["streams"], merged["totals"]["sent"]) == (2, 2)
    assert merged["totals"]["ended"] == {"close": 1, "count": 1}
    assert [stream["number"] for stream in merged["streams"]] == [1, 2]
    assert merge_reports(parts[:1]) == parts[0]
    assert merge_reports([None, None]) is None


async def test_what_a_worker_tells_of_a_run_fits_into_the_line_of_its_hub() -> None:
    runs = Runs()
    for number in range(truth.MAX_STREAMS):
        await runs.enter("a", False)
        account = runs.begin("a", number, "\0" * 5000, 10**19)
        for seq in range(2 * truth.MAX_LISTED_IN_RUN // truth.MAX_STREAMS):
            account.dropped(10**15 + seq)
    assert len(json.dumps(await runs.report("a"))) * MAX_WORKERS < MAX_LINE_BYTES


def client() -> httpx.AsyncClient:
    """A client of a server of its own, without sockets."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_api(Streams(), Alone())), base_url="http://demo")


async def test_the_truth_of_an_unknown_run_is_404_with_a_hint() -> None:
    async with client() as demo:
        response = await demo.get("/truth/nothing")
    hint = "nothing is known of a run 'nothing': request /faults?run=nothing first"
    assert (response.status_code, response.json()) == (404, {"detail": hint})


async def test_a_run_that_is_deleted_is_unknown() -> None:
    async with client() as demo:
        assert (await demo.get("/faults?status=503&run=a")).status_code == 503
        assert (await demo.get("/truth/a")).json()["totals"]["ended"] == {"refused": 1}
        assert [(await demo.delete("/truth/a")).status_code for _ in range(2)] == [204, 204]
        assert (await demo.get("/truth/a")).status_code == 404


async def test_the_schema_describes_every_parameter_and_the_truth() -> None:
    async with client() as demo:
        paths = (await demo.get("/openapi.json")).json()["paths"]
    parameters = paths["/faults"]["get"]["parameters"]
    assert {"drop", "interval", "redirect_status", "last-event-id"} < {parameter["name"] for parameter in parameters}
    assert [parameter["name"] for parameter in parameters if "description" not in parameter] == []
    assert "text/event-stream" in paths["/faults"]["get"]["responses"]["200"]["content"]
    answer = paths["/truth/{run}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/RunTruth"}
