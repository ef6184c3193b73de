"""Findings of `sse bench` against real servers: each test has a fault that it must report, or must not."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any

import httpx
import pytest
from bench_documents import bench
from demo_server_processes import demo_server_process
from real_processes import json_of
from real_servers import nginx_before, serving_app


@pytest.fixture(name="server", scope="module")
def demo_server() -> Iterator[str]:
    with demo_server_process("127.0.0.1") as url:
        yield url


def codes(document: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in document["findings"]}


# Buffering on the way.


COMPRESSING = "gzip on; gzip_types text/event-stream; gzip_proxied any; proxy_buffering on;"
GZIP = ("-H", "Accept-Encoding: gzip")


def test_a_proxy_that_compresses_and_buffers_is_named(tmp_path: Path) -> None:
    with serving_app("padded") as server, nginx_before(server, COMPRESSING, tmp_path) as proxy:
        document, summary = bench(f"{proxy}/plain", "-n", "5", "-z", "5s", *GZIP)
    assert "held-back" in codes(document), document["bursts"]
    assert "Events are held back: bursts of" in summary
    assert "the response is compressed (gzip)" in summary
    assert document["latency"]["delivery"]["max_ms"] > 200


def test_a_proxy_that_holds_back_even_the_head_is_seen_in_the_requests_without_an_answer(
    server: str, tmp_path: Path
) -> None:
    # All events fit into the proxy's buffers: the answer, also that to the preflight, comes when the server has ended.
    with nginx_before(server, COMPRESSING, tmp_path) as proxy:
        document, summary = bench(f"{proxy}/load?rate=10&count=40", "-n", "5", "-z", "2s", *GZIP, code=3)
    assert document["streams"]["unanswered"] == 5
    assert document["latency"]["headers"] is None
    assert "5 of 5 requests received no response head" in summary


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_a_proxy_that_passes_events_on_is_not_blamed(server: str, tmp_path: Path, buffering: str) -> None:
    # nginx passes on a slow server's data at once, also with buffering.
    with nginx_before(server, f"proxy_buffering {buffering};", tmp_path) as proxy:
        document, _ = bench(f"{proxy}/load?rate=20", "-n", "5", "-z", "3s")
    assert not {"held-back", "bursts"} & codes(document), document["bursts"]


def test_a_compressor_that_does_not_flush_is_named() -> None:
    with serving_app("padded") as url:
        document, summary = bench(f"{url}/compressed", "-n", "5", "-z", "5s")
    assert "held-back" in codes(document), document["bursts"]
    assert "the response is compressed (gzip)" in summary
    assert document["latency"]["delivery"] is not None


def test_bursts_of_the_server_are_named_with_their_period(server: str) -> None:
    document, summary = bench(f"{server}/faults?interval=0.05&burst=10&run=field", "-n", "5", "-z", "4s")
    assert "held-back" in codes(document), document["bursts"]
    assert "bursts of 10 every 5" in summary
    # Nine gaps of ten are inside of bursts. A busy server sends few bursts in 4 s: the mean depends on their number.
    (gaps,) = [finding["figures"] for finding in document["findings"] if finding["code"] == "gaps-inside-bursts"]
    between, all_gaps = document["latency"]["gap"]["count"], document["events"]["received"] - 5
    assert gaps["mean_ms"] == pytest.approx(500 * between / all_gaps, rel=0.3)
    assert document["latency"]["gap"]["mean_ms"] == pytest.approx(500, rel=0.3)


# Fan-out.


@contextmanager
def published(url: str, streams: int = 0, for_s: float = inf) -> Iterator[None]:
    """Publish 20 events per second while the block runs: from this number of streams on, and for this time at most."""
    over = threading.Event()

    def publish() -> None:
        with httpx.Client() as client:
            while json_of(url, "/subscribers") < streams and not over.wait(0.05):
                pass
            ends_s = time.monotonic() + for_s
            while time.monotonic() < ends_s and not over.wait(0.05):
                client.post(url)

    thread = threading.Thread(target=publish, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_fan_out_inside_of_two_server_processes_is_caught() -> None:
    with serving_app("fan_out", "--workers", "2") as url, published(url):
        document, summary = bench(url, "-n", "20", "-z", "5s", "--ramp-up", "0.5s")
    # Each stream has an unbroken numbering, of the half of the events that its process got.
    assert document["audit"]["lost"] == 0
    reach = document["reach"]
    assert reach["reached_all"] < reach["events"]
    assert 0.2 < reach["share"] < 0.8
    assert "reach-incomplete" in codes(document)
    assert f"0 of {reach['events']:,} broadcast events reached all 20 sampled streams" in summary


def test_a_fan_out_of_one_process_reaches_all_streams() -> None:
    # A busy server delays events: none is under way while streams open, nor in the last moments of the run.
    with serving_app("fan_out") as url, published(url, streams=20, for_s=2):
        document, _ = bench(url, "-n", "20", "-z", "5s", "--ramp-up", "0.5s")
    assert document["reach"]["share"] == 1
    assert "reach-incomplete" not in codes(document)


# Silence.


def test_streams_that_die_are_silent_and_their_last_gap_is_open(server: str) -> None:
    document, summary = bench(f"{server}/faults?rate=20&stall=20&run=silent", "-n", "10", "-z", "5s", "--ramp-up", "0s")
    assert document["streams"]["silent"] == 10
    assert document["latency"]["open_gap"]["min_ms"] > 3_000
    assert document["latency"]["gap"]["max_ms"] < 2_000
    assert "10 of 10 streams went silent" in summary


def test_streams_that_go_on_are_not_silent(server: str) -> None:
    document, _ = bench(f"{server}/load?rate=5", "-n", "10", "-z", "3s")
    assert (document["streams"]["silent"], document["streams"]["without_event"]) == (0, 0)
    assert "silent-streams" not in codes(document)


def test_heartbeats_are_no_silence(server: str) -> None:
    document, _ = bench(f"{server}/faults?rate=20&stall=10&heartbeat=0.1&run=alive", "-n", "5", "-z", "5s")
    per_stream = document["events"]["per_stream"]
    assert (per_stream["min"], per_stream["max"]) == (10, 10)
    if document["events"]["comments"] > 100:  # a stalled stream of the demo server sends none
        assert document["streams"]["silent"] == 0
