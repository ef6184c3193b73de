"""The accounts of what was sent: exact counts, bounded lists."""

from __future__ import annotations

from typing import Any

import httpx

from demo_server import truth
from demo_server.app import create_api
from demo_server.streams import Streams
from demo_server.truth import Runs, RunTruth, merge_reports


def report_of(runs: Runs, name: str = "a") -> dict[str, Any]:
    """The report, which is what the schema says it is."""
    report = runs.report(name)
    assert report is not None
    assert RunTruth.model_validate(report).model_dump() == report
    return report


def stream_of(*seqs: int, dropped: tuple[int, ...] = (), first_seq: int = 1) -> dict[str, Any]:
    """What is told of a stream that sent these numbers, after it had dropped others."""
    runs = Runs()
    account = runs.begin("a", None, 0)
    account.begins(first_seq)
    for seq in dropped:
        account.dropped(seq)
    for seq in seqs:
        account.sent(seq)
    account.end("count")
    stream: dict[str, Any] = report_of(runs)["streams"][0]
    return stream


def test_a_number_that_is_sent_again_at_once_is_duplicated() -> None:
    stream = stream_of(1, 2, 2, 3)
    assert stream["duplicated"] == {"count": 1, "listed": [2], "is_cut": False}
    assert stream["sent"] == {"count": 4, "first": 1, "last": 3, "smallest": 1, "largest": 3}


def test_a_number_is_reordered_when_a_larger_one_was_sent_before() -> None:
    stream = stream_of(3, 1, 4, 2, 2)
    assert (stream["reordered"]["listed"], stream["duplicated"]["listed"]) == ([1, 2], [2])
    assert stream["sent"] == {"count": 5, "first": 3, "last": 2, "smallest": 1, "largest": 4}


def test_what_was_overtaken_and_never_sent_is_unsent_unless_it_was_dropped() -> None:
    stream = stream_of(5, 3, dropped=(4,), first_seq=2)
    assert (stream["unsent"]["listed"], stream["dropped"]["listed"]) == ([2], [4])


def test_nothing_is_unsent_of_what_comes_after_the_last_one() -> None:
    assert stream_of(1, 2, dropped=(4,))["unsent"]["count"] == 0


def test_a_stream_that_sent_nothing_has_no_numbers() -> None:
    assert stream_of()["sent"] == {"count": 0, "first": None, "last": None, "smallest": None, "largest": None}


def test_totals_say_how_many_are_open_and_how_the_others_ended() -> None:
    runs = Runs()
    first, _ = runs.begin("a", None, 0), runs.begin("a", "7", 1)
    runs.redirect("a")
    first.heartbeat()
    first.answered(200)
    first.end("close")
    report = report_of(runs)
    assert report["totals"]["ended"] == {"open": 1, "close": 1}
    assert [report["totals"][name] for name in ("streams", "redirected", "heartbeats")] == [2, 1, 1]
    assert [stream["number"] for stream in report["streams"]] == [1, 2]
    assert [stream["last_event_id"] for stream in report["streams"]] == [None, "7"]
    assert [stream["ended"] for stream in report["streams"]] == ["close", None]


def test_lists_are_cut_and_counts_are_not() -> None:
    dropped = truth.MAX_LISTED + 5
    stream = stream_of(dropped=tuple(range(1, 1 + dropped)))
    assert stream["dropped"] == {"count": dropped, "listed": list(range(1, 1 + truth.MAX_LISTED)), "is_cut": True}


def test_the_lists_of_a_run_are_bounded_together() -> None:
    runs = Runs()
    for _ in range(truth.MAX_LISTED_IN_RUN // truth.MAX_LISTED + 1):
        account = runs.begin("a", None, 0)
        for seq in range(1, 1 + truth.MAX_LISTED):
            account.dropped(seq)
    report = report_of(runs)
    assert sum(len(stream["dropped"]["listed"]) for stream in report["streams"]) == truth.MAX_LISTED_IN_RUN
    assert report["streams"][-1]["dropped"] == {"count": truth.MAX_LISTED, "listed": [], "is_cut": True}
    assert report["totals"]["dropped"] == truth.MAX_LISTED_IN_RUN + truth.MAX_LISTED


def test_streams_beyond_the_list_are_in_the_totals() -> None:
    runs = Runs()
    for _ in range(truth.MAX_STREAMS + 3):
        account = runs.begin("a", None, 0)
        account.sent(1)
        account.end("count")
    report = report_of(runs)
    assert (len(report["streams"]), report["is_cut"]) == (truth.MAX_STREAMS, True)
    assert report["totals"]["sent"] == report["totals"]["ended"]["count"] == truth.MAX_STREAMS + 3


def test_the_run_without_requests_for_longest_is_forgotten_first() -> None:
    runs = Runs()
    for number in range(truth.MAX_RUNS):
        runs.begin(f"{number}", None, 0)
    runs.begin("0", None, 0)
    runs.begin("one more", None, 0)
    assert runs.report("1") is None
    assert report_of(runs, "0")["totals"]["streams"] == 2


def test_a_forgotten_run_begins_anew_although_a_stream_of_it_is_open() -> None:
    runs = Runs()
    account = runs.begin("a", None, 0)
    assert runs.forget("a")
    account.sent(1)
    account.end("client")
    assert not runs.forget("a")
    assert runs.begin("a", None, 0).number == 1
    assert report_of(runs)["totals"]["sent"] == 0


def test_reports_of_several_processes_merge() -> None:
    parts = []
    for opened_ns, how in ((5, "count"), (3, "close")):
        runs = Runs()
        account = runs.begin("a", None, opened_ns)
        account.sent(1)
        account.end(how)
        parts.append(report_of(runs))
    merged = merge_reports(parts)
    assert RunTruth.model_validate(merged).model_dump() == merged
    assert (merged["totals"]["streams"], merged["totals"]["sent"]) == (2, 2)
    assert merged["totals"]["ended"] == {"close": 1, "count": 1}
    assert [stream["opened_ns"] for stream in merged["streams"]] == [3, 5]
    assert merge_reports(parts[:1]) == parts[0]


def client() -> httpx.AsyncClient:
    """A client of a server of its own, without sockets."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_api(Streams())), base_url="http://demo")


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
