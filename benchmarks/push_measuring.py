"""Measure one push endpoint once: the server alone on one core, a reader that discards all bytes on the other.

This process runs on the core of the reader. The server counts the events, because a reader with a parser would cost
more than some servers. CPU time and memory are from /proc.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.demo_process import DemoProcess
from benchmarks.event_source import EventSource
from benchmarks.measuring import DISTURBED, DISTURBED_PERCENT, KEEPS_UP_SHARE, SETTLE_S, Figures, Outcome
from benchmarks.processes import rss_bytes
from benchmarks.readers import LIMIT, READERS, Order, Reader
from benchmarks.running import Running, Setup, Used, reading, wait_until_open
from benchmarks.workloads import Kind, Workload

RATE = 10
"""Events per second and stream, where streams are paced."""

EVENT_BYTES = 64
"""Of an event of the C source; about the size of the demo server's events."""

FULL_PERCENT = 95.0
"""Above this, a core is the bottleneck."""

PATIENCE_S = 60.0
"""Time that the reader may run beyond its window. It is stopped after the measurement."""

# RFC 6455, section 4.1. The key is arbitrary, because the reader does not check the response.
UPGRADE = (
    "connection: Upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)

Server = Setup[Any]
"""A DemoProcess or an EventSource, the core of its reader, and the window."""


@dataclass(frozen=True, slots=True)
class PushEndpoint:
    """A push endpoint, and its URLs."""

    name: str
    paced: str
    idle: str
    blast: str | None = None
    """None: full speed is not measured."""
    headers: str = ""
    """Additional headers of the request."""
    channel: str | None = None
    """URL to publish to, if the endpoint has no events of its own."""
    serve: Callable[[int | None], DemoProcess | EventSource] = DemoProcess


def demo(path: str, headers: str = "") -> PushEndpoint:
    """Return a push endpoint of the demo server. All take the same parameters."""
    return PushEndpoint(path, f"{path}?rate={RATE}", f"{path}?interval=3600", f"{path}?interval=0", headers)


FLOOR = "source in C"
BASE = "/load"
ENDPOINTS = (
    # Not at full speed: it writes many events at once, unlike the demo server.
    PushEndpoint(FLOOR, f"/events?rate={RATE}&size={EVENT_BYTES}", "/idle", serve=EventSource),
    demo(BASE),
    demo("/streaming-response"),
    demo("/ndjson"),
    demo("/ws", UPGRADE),
    demo("/stream"),
    demo("/native"),
    PushEndpoint("/channels", "/channels/bench", "/channels/bench", channel="/channels/bench"),
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Window and number of streams."""

    window_s: float
    streams: int
    idle_streams: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores of the server and its reader; None: any."""

    server: int | None
    reader: int | None


def measure(kind: Kind, endpoint: PushEndpoint, sizes: Sizes, cores: Cores) -> Outcome:
    """Start a server, read from the endpoint, and return the figures."""
    measures = {Kind.BLAST: _blast, Kind.PACED: _paced, Kind.IDLE: _idle}
    if kind is Kind.BLAST and endpoint.blast is None:
        return Outcome({}, "not measured")
    try:
        with endpoint.serve(cores.server) as source:
            server: Server = Setup(source, cores.reader, sizes.window_s)
            figures = measures[kind](server, endpoint, sizes, cores)
    except (RuntimeError, OSError) as exc:
        return Outcome({}, str(exc))
    return Outcome(figures, note(figures))


def note(figures: Figures) -> str | None:
    """Return a caveat for figures, if there is one."""
    if figures.get("others_cpu_percent", 0) > DISTURBED_PERCENT:
        return f"{DISTURBED}: others used {figures['others_cpu_percent']:.0f} % of its core"
    if falls_behind(figures):
        behind_s = max(1 - figures["sent_share"], 0)
        return f"does not keep up: its core is full, and it falls behind by {behind_s:.2f} s each second"
    # If both cores are full, the server is the bottleneck.
    if figures.get("reader_core_percent", 0) > FULL_PERCENT > figures["cpu_percent"]:
        return f"the reader's core was full, the server's for {figures['cpu_percent']:.0f} %"
    return None


def falls_behind(figures: Figures) -> bool:
    """Say whether a server sends fewer events than are due."""
    if "sent_share" not in figures:  # at full speed, no number of events is due
        return False
    # With a full core it is late, even if it catches up a little in the window.
    return figures["sent_share"] < KEEPS_UP_SHARE or figures["cpu_percent"] > FULL_PERCENT


def _blast(server: Server, endpoint: PushEndpoint, sizes: Sizes, cores: Cores) -> Figures:
    """Measure one stream at full speed."""
    assert endpoint.blast is not None
    return _window(server, endpoint, Workload("blast", "", Kind.BLAST, 1, endpoint.blast), cores)


def _paced(server: Server, endpoint: PushEndpoint, sizes: Sizes, cores: Cores) -> Figures:
    """Measure many streams with few events each."""
    figures = _window(server, endpoint, Workload("paced", "", Kind.PACED, sizes.streams, endpoint.paced), cores)
    planned_per_s = sizes.streams * RATE
    return {**figures, "sent_share": figures["events_per_s"] / planned_per_s}


def _window(server: Server, endpoint: PushEndpoint, workload: Workload, cores: Cores) -> Figures:
    """Measure CPU time and events while no stream opens or closes."""
    with reading(server, _reader(endpoint), workload, PATIENCE_S) as running, _published(server, endpoint):
        _open(server, running, workload)
        first, start, reader_start = _look(server, running, cores)
        time.sleep(server.window_s)
        last, end, reader_end = _look(server, running, cores)
        if last.streams_open < workload.streams or not running.is_running():
            raise RuntimeError("streams closed before the window was over")
    used, reader_used = end - start, reader_end - reader_start
    events = last.events_sent - first.events_sent
    if not (events and used.cpu_s):
        raise RuntimeError("too little was sent to be measured")
    return {
        "cpu_us_per_event": used.cpu_s * 1e6 / events,
        "events_per_s": events / used.time_s,
        "events_per_s_and_core": events / used.cpu_s,
        "cpu_percent": 100 * used.cpu_s / used.time_s,
        "others_cpu_percent": 100 * max(used.core_s - used.cpu_s, 0) / used.time_s,
        "reader_core_percent": 100 * reader_used.core_s / reader_used.time_s,
    }


def _look(server: Server, running: Running, cores: Cores) -> tuple[Any, Used, Used]:
    """Read all clocks and counters. A busy server answers late, but with current values."""
    return server.source.stats(), Used.of(server.source.pid, cores.server), Used.of(running.pid, cores.reader)


def _idle(server: Server, endpoint: PushEndpoint, sizes: Sizes, cores: Cores) -> Figures:
    """Measure the memory of the server with few and many silent streams; the slope is the memory per stream."""
    few, many = sizes.idle_streams
    with_few, with_many = (
        _memory_bytes(server, endpoint, Workload("idle", "", Kind.IDLE, streams, endpoint.idle))
        for streams in (few, many)
    )
    return {"rss_kib_per_stream": (with_many - with_few) / (many - few) / 1024, "rss_mib": with_few / 2**20}


def _memory_bytes(server: Server, endpoint: PushEndpoint, workload: Workload) -> int:
    with reading(server, _reader(endpoint), workload, PATIENCE_S) as running:
        _open(server, running, workload)
        return rss_bytes(server.source.pid)


@contextmanager
def _published(server: Server, endpoint: PushEndpoint) -> Iterator[None]:
    """Publish at the rate of the streams, if the endpoint needs it."""
    if endpoint.channel is None:
        yield
        return
    channel, ended = endpoint.channel, threading.Event()

    def publish() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.source.port, timeout=PATIENCE_S)
        with closing(connection):
            due_s = time.monotonic()
            for seq in itertools.count(1):
                connection.request("POST", channel, json.dumps({"seq": seq, "ts": time.time_ns()}))
                connection.getresponse().read()
                due_s += 1 / RATE
                if ended.wait(max(due_s - time.monotonic(), 0)):
                    return

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        yield
    finally:
        ended.set()
        publisher.join()


def _open(server: Server, running: Running, workload: Workload) -> None:
    now_open = wait_until_open(server, running, workload.streams)
    if now_open < workload.streams:
        raise RuntimeError(f"opened {now_open:,} of {workload.streams:,} streams")
    time.sleep(SETTLE_S)


def _reader(endpoint: PushEndpoint) -> Reader:
    """Return the reader of the yardstick, with the headers of the endpoint."""
    limit = next(reader for reader in READERS if reader.name == LIMIT)

    def command(order: Order) -> list[str]:
        return [*limit.command(order), endpoint.headers]

    return replace(limit, command=command)
