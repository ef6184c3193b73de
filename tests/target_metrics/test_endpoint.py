"""Samples of Prometheus endpoints: those of prometheus-client, and endpoints that are slow, wrong or broken."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server
from real_servers import free_port

from sseclient_cli.errors import UsageError
from sseclient_cli.target_metrics import endpoint
from sseclient_cli.target_metrics.endpoint import EndpointSource, selector_of
from sseclient_cli.target_metrics.samples import CPU, FILES, RSS, SampleError

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """Serve each GET with the function; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/metrics"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def text(body: str, status: int = 200, kind: str = "text/plain; version=0.0.4") -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        handler.wfile.write(body.encode())

    return answer


@contextmanager
def prometheus_client_server(registry: CollectorRegistry) -> Iterator[str]:
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield f"http://127.0.0.1:{server.server_port}/metrics"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def source_of(url: str, *series: str) -> Iterator[EndpointSource]:
    source = EndpointSource(url, [selector_of(each) for each in series])
    try:
        yield source
    finally:
        source.close()


def failure(answer: Answer) -> str:
    with answering(answer) as url, source_of(url) as source, pytest.raises(SampleError) as raised:
        source.read()
    return str(raised.value)


def test_series_of_prometheus_client_are_read_by_name_and_labels() -> None:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    requests = Counter("http_requests", "Requests.", ["method", "path"], registry=registry)
    requests.labels("GET", '/a"b\\').inc(3)
    requests.labels("POST", "/").inc(4)
    Gauge("subscribers", "Subscribers.", registry=registry).set(17)
    Gauge("unwanted", "Other.", registry=registry).set(1)
    Histogram("delay_seconds", "Delay.", registry=registry).observe(0.3)
    names = ("subscribers", "http_requests_total", 'delay_seconds_bucket{le="0.5"}')
    with prometheus_client_server(registry) as url, source_of(url, *names) as source:
        reading = dict(source.read())
        assert reading.pop(RSS) > 1e6
        assert reading.pop(FILES) > 3
        assert reading.pop(CPU) > 0
        assert reading == {
            "subscribers": 17,
            'http_requests_total{method="GET",path="/a\\"b\\\\"}': 3,
            'http_requests_total{method="POST",path="/"}': 4,
            'delay_seconds_bucket{le="0.5"}': 1,
        }
        assert source.missing == {}


def test_labels_select_the_series_that_have_them() -> None:
    body = 'up{job="a",zone="x"} 1\nup{job="a",zone="y"} 2\nup{job="b",zone="x"} 3\n'
    with answering(text(body)) as url, source_of(url, 'up{job="a"}') as source:
        assert source.read() == {'up{job="a",zone="x"}': 1, 'up{job="a",zone="y"}': 2}


def test_openmetrics_with_an_exemplar_is_read() -> None:
    body = (
        "# HELP jobs Jobs.\n# TYPE jobs counter\n"
        'jobs_total{a="b"} 5 # {trace_id="KOO5S4vxi0o"} 0.67\njobs_created{a="b"} 1.7e9\n'
        "# TYPE process_open_fds gauge\nprocess_open_fds 12\n# EOF\n"
    )
    kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    with answering(text(body, kind=kind)) as url, source_of(url, "jobs_total") as source:
        assert source.read() == {'jobs_total{a="b"}': 5, FILES: 12}


def test_values_that_are_no_numbers_are_absent() -> None:
    with answering(text("process_open_fds NaN\nx +Inf\n")) as url, source_of(url, "x") as source:
        assert source.read() == {}


def test_missing_series_names_near_ones() -> None:
    body = 'http_requests_total{a="b"} 1\n'
    with answering(text(body)) as url, source_of(url, "http_request_total", 'http_requests_total{a="c"}') as source:
        source.read()
        assert source.missing == {
            "http_request_total": "near names: http_requests_total",
            'http_requests_total{a="c"}': "it has other labels",
        }


def test_name_with_too_many_series_is_cut_and_says_so() -> None:
    body = "".join(f'x{{n="{number}"}} 1\n' for number in range(endpoint.MAX_SERIES + 1))
    with answering(text(body)) as url, source_of(url, "x") as source:
        assert len(source.read()) == endpoint.MAX_SERIES
        assert source.missing == {"x": "only the first 50 series are read: add labels"}


def test_series_that_appears_later_is_not_missing() -> None:
    bodies = iter(["other 1\n", "late 2\n"])
    with (
        answering(lambda handler: text(next(bodies))(handler)) as url,
        source_of(url, "late") as source,
    ):
        assert source.read() == {}
        assert list(source.missing) == ["late"]
        assert source.read() == {"late": 2}
        assert source.missing == {}


def test_status_is_the_reason_of_a_failure() -> None:
    assert failure(text("", 404)) == "answered 404 Not Found"


def test_redirect_is_followed_like_by_prometheus() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.endswith("/"):
            text("process_open_fds 3\n")(handler)
        else:
            handler.send_response(307)
            handler.send_header("Location", f"{handler.path}/")
            handler.end_headers()

    with answering(answer) as url, source_of(url) as source:
        assert source.read() == {FILES: 3}


def test_endless_redirects_are_a_failure() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", handler.path)
        handler.end_headers()

    assert failure(answer) == "Exceeded maximum allowed redirects."


def test_page_is_not_prometheus_text() -> None:
    assert failure(text("<html>", kind="text/html; charset=utf-8")) == "answered text/html, not Prometheus text"


def test_broken_text_is_a_failure() -> None:
    reason = failure(text(f"process_open_fds {'many' * 1000}\n"))
    assert reason.startswith("invalid Prometheus text: ")
    assert len(reason) < 300


def test_refused_connection_is_a_failure() -> None:
    with source_of(f"http://127.0.0.1:{free_port()}/") as source, pytest.raises(SampleError, match="refused"):
        source.read()


def test_response_that_trickles_ends_at_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "TIMEOUT_S", 0.5)
    has_given_up = Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not has_given_up.wait(0.05):
            handler.wfile.write(b"x 1\n")

    try:
        with answering(trickle) as url, source_of(url) as source:
            began_s = time.monotonic()
            with pytest.raises(SampleError, match=r"took longer than 0\.5 s"):
                source.read()
            assert time.monotonic() - began_s < 20
            has_given_up.set()
    finally:
        has_given_up.set()


def test_endless_response_ends_at_the_size_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MAX_BYTES", 1024**2)
    monkeypatch.setattr(endpoint, "TIMEOUT_S", 20)
    assert failure(text("x 1\n" * 500_000)) == "has more than 1 MiB"


@pytest.mark.parametrize("url", ["localhost:9090/metrics", "ftp://h/x", "http://", "/metrics", "http://[::1/"])
def test_wrong_url_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="is not the URL of a Prometheus endpoint"):
        EndpointSource(url)


def test_password_in_a_url_is_hidden() -> None:
    with source_of("http://me:hunter2@127.0.0.1:1/metrics") as source:
        assert "hunter2" not in source.name


@pytest.mark.parametrize("name", ["", "9x", "a b", "x{", "a 1 2", 'x{a="b"', "# TYPE x counter"])
def test_wrong_name_of_a_series_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a series"):
        selector_of(name)
