"""/faults as the oracle: the results of `sse bench` and `sse watch` equal the fault log."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import Any

import httpx
import pytest
from demo_server_processes import demo_server_process
from real_processes import SSE, streams_open, until

from benchmarks.faults import audit_of_log
from demo_server.faults.parameters import FaultParameters

STREAMS = 5
runs = (f"run-{number}" for number in count())


@pytest.fixture(scope="module", name="server")
def start_server() -> Iterator[str]:
    with demo_server_process() as url:
        yield url


def bench(url: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [*SSE, "bench", url, "-n", f"{STREAMS}", "-z", "15s", "--sequence", "id", "--json", "-", *arguments],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def true_audit(server: str, run: str) -> dict[str, int]:
    """Return the expected audit of a run, from the fault log alone."""
    until(lambda: streams_open(server) == 0)
    return audit_of_log(httpx.get(f"{server}/truth/{run}").json(), preflights=1)


def found_by(document: dict[str, Any]) -> dict[str, int]:
    return {name: document["audit"][name] for name in ("checked", "lost", "duplicated", "out_of_order")}


def test_bench_counts_exactly_the_injected_faults(server: str) -> None:
    asked = {
        next(runs): "drop=5&duplicate=7&reorder=4&count=500&seed=3",
        next(runs): "drop=2&reorder=50&count=300&seed=1&line_end=mixed&split_utf8=true&bom=true&burst=7",
        next(runs): "drop=3&duplicate=2&count=100&seed=6&huge=25&huge_bytes=100000&heartbeat=0.01",
    }
    with ThreadPoolExecutor() as pool:
        urls = [f"{server}/faults?interval=0&run={run}&{query}" for run, query in asked.items()]
        documents = list(pool.map(bench, urls))
    for document, (run, query) in zip(documents, asked.items(), strict=True):
        assert (query, found_by(document)) == (query, true_audit(server, run))
        assert (document["errors"], document["streams"]["ended_by_server"]) == ([], STREAMS)


def test_bench_counts_injected_faults_across_reconnections(server: str) -> None:
    run, events = next(runs), 160
    url = f"{server}/faults?interval=0&run={run}&drop=5&duplicate=7&close=20&retry=10&seed=3"
    document = bench(url, "--on-end", "reconnect", "--events", f"{events}")
    assert found_by(document) == true_audit(server, run)
    assert document["audit"]["checked"] == STREAMS * events
    assert document["streams"]["reconnected"] == STREAMS * (events / 20 - 1)


@pytest.mark.parametrize("fault", ["reset", "truncate"])
def test_bench_reports_a_broken_connection_and_no_lost_events(server: str, fault: str) -> None:
    url = f"{server}/faults?interval=0&run={next(runs)}&drop=5&{fault}=20&retry=10&seed=3"
    document = bench(url, "--on-end", "reconnect", "--events", "60")
    asked = FaultParameters(drop=5, seed=3)
    received = list(islice((seq for seq, copies in asked.sequence(1) if copies), 60))
    lost = received[-1] - received[0] + 1 - 60
    assert found_by(document) == {"checked": STREAMS * 60, "lost": STREAMS * lost, "duplicated": 0, "out_of_order": 0}
    (error,) = document["errors"]
    assert error["kind"] == "connection-lost"
    assert error["count"] >= STREAMS * 2


def test_bench_reports_error_responses_by_status(server: str) -> None:
    document = bench(f"{server}/faults?interval=0&count=5&run={next(runs)}&status=503&status_after=3")
    assert [(error["kind"], error["count"]) for error in document["errors"]] == [("http-503", STREAMS - 2)]
    assert document["streams"]["opened"] == 2


def test_bench_reports_a_stalled_stream_as_open(server: str) -> None:
    document = bench(f"{server}/faults?interval=0&stall=7", "-z", "0.5s")
    assert (document["events"]["received"], document["streams"]["open_at_end"]) == (STREAMS * 7, STREAMS)


def test_bench_reports_buffered_events_as_delivery_latency(server: str) -> None:
    document = bench(f"{server}/faults?interval=0.05&burst=10&count=20")
    # The first event of a burst waits for nine intervals.
    assert 400 < document["latency"]["delivery"]["max_ms"] < 1_000


def watch(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SSE, "watch", url, *arguments], capture_output=True, text=True, timeout=20, check=False)


def test_watch_reports_injected_faults(server: str) -> None:
    words = {
        "reset=2&retry=10": "connection reset by peer",
        "truncate=2&retry=10": "cut in the middle of the response",
        "endless_line=0": "holds an event of more than",
        "status=204": "for good (status 204)",
        "redirect=25": "more than 20 redirects",
    }
    with ThreadPoolExecutor() as pool:
        urls = [f"{server}/faults?interval=0&run={next(runs)}&{query}" for query in words]
        said = [done.stdout + done.stderr for done in pool.map(lambda url: watch(url, "-n", "3"), urls)]
    assert {query: word in text for (query, word), text in zip(words.items(), said, strict=True)} == dict.fromkeys(
        words, True
    )
    assert not any("Traceback" in text for text in said)


def test_watch_continues_after_a_broken_connection(server: str) -> None:
    url = f"{server}/faults?interval=0&run={next(runs)}&reset=3&retry=10&line_end=mixed&bom=true&split_utf8=true&drop=4"
    done = watch(url, "-n", "20", "--raw")
    asked = FaultParameters(drop=4)
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == list(
        islice((seq for seq, copies in asked.sequence(1) if copies), 20)
    )
