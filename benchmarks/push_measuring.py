"""One way to push, once: the server alone on one core, a reader that does nothing with what it reads on the other.

Here the server is what is measured, so its core is the one that nothing else may use: this process stays on the
reader's. Events are counted by the server (a reader that parsed would cost more than some servers), its time and memory
come from /proc.
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
"""Of an event of the C source: about what the demo server's have."""

FULL_PERCENT = 95.0
"""A core that is busy for this much of the time is full: it is what sets the pace."""

PATIENCE_S = 60.0
"""How much longer than its window a reader is told to read. It is stopped when enough is measured."""

# RFC 6455, section 4.1. Any key will do: nobody looks at the answer.
UPGRADE = (
    "connection: Upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)

Server = Setup[Any]
"""A DemoProcess or an EventSource, its reader's core, and for how long to measure."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to push, and where it is."""

    name: str
    paced: str
    idle: str
    blast: str | None = None
    """Without one, full blast is not measured."""
    headers: str = ""
    """What the reader must send to be let in."""
    channel: str | None = None
    """Where to publish, if nothing comes by itself: each event goes to all streams."""
    serve: Callable[[int | None], DemoProcess | EventSource] = DemoProcess


def demo(path: str, headers: str = "") -> Way:
    """Return a way of the demo server: all take the same parameters."""
    return Way(path, f"{path}?rate={RATE}", f"{path}?interval=3600", f"{path}?interval=0", headers)


FLOOR = "source in C"
BASE = "/load"
WAYS = (
    # No figure at full blast: it writes many events at once, which no way of the demo server does.
    Way(FLOOR, f"/events?rate={RATE}&size={EVENT_BYTES}", "/idle", serve=EventSource),
    demo(BASE),
    demo("/streaming-response"),
    demo("/ndjson"),
    demo("/ws", UPGRADE),
    demo("/stream"),
    demo("/native"),
    Way("/channels", "/channels/bench", "/channels/bench", channel="/channels/bench"),
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured, and for how long."""

    window_s: float
    streams: int
    idle_streams: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the server and its reader run; None: anywhere."""

    server: int | None
    reader: int | None


def measure(kind: Kind, way: Way, sizes: Sizes, cores: Cores) -> Outcome:
    """Start a server, have it push in this way, and return what can be said of it."""
    measures = {Kind.BLAST: _blast, Kind.PACED: _paced, Kind.IDLE: _idle}
    if kind is Kind.BLAST and way.blast is None:
        return Outcome({}, "not measured")
    try:
        with way.serve(cores.server) as source:
            server: Server = Setup(source, cores.reader, sizes.window_s)
            figures = measures[kind](server, way, sizes, cores)
    except (RuntimeError, OSError) as exc:
        return Outcome({}, str(exc))
    return Outcome(figures, note(figures))


def note(figures: Figures) -> str | None:
    """Return what is to be known about figures, if anything is."""
    if figures.get("others_cpu_percent", 0) > DISTURBED_PERCENT:
        return f"{DISTURBED}: others used {figures['others_cpu_percent']:.0f} % of its core"
    if falls_behind(figures):
        behind_s = max(1 - figures["sent_share"], 0)
        return f"does not keep up: its core is full, and it falls behind by {behind_s:.2f} s each second"
    # Where the server's is full, too, it is the server that sets the pace.
    if figures.get("reader_core_percent", 0) > FULL_PERCENT > figures["cpu_percent"]:
        return f"the reader's core was full, the server's for {figures['cpu_percent']:.0f} %"
    return None


def falls_behind(figures: Figures) -> bool:
    """Return whether a server has more to send than it can."""
    if "sent_share" not in figures:  # nobody said how much to send
        return False
    # With a full core it is late, even where it makes up for some of that in the window.
    return figures["sent_share"] < KEEPS_UP_SHARE or figures["cpu_percent"] > FULL_PERCENT


def _blast(server: Server, way: Way, sizes: Sizes, cores: Cores) -> Figures:
    """Measure one stream that gets its events as fast as they can be sent."""
    assert way.blast is not None
    return _window(server, way, Workload("blast", "", Kind.BLAST, 1, way.blast), cores)


def _paced(server: Server, way: Way, sizes: Sizes, cores: Cores) -> Figures:
    """Measure many streams with few events each."""
    figures = _window(server, way, Workload("paced", "", Kind.PACED, sizes.streams, way.paced), cores)
    planned_per_s = sizes.streams * RATE
    return {**figures, "sent_share": figures["events_per_s"] / planned_per_s}


def _window(server: Server, way: Way, workload: Workload, cores: Cores) -> Figures:
    """Measure what the server uses, and how many events it sends, while nothing opens or closes."""
    with reading(server, _reader(way), workload, PATIENCE_S) as running, _published(server, way):
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
    """Read all clocks and counters. A busy server answers late, but with what is true when it answers."""
    return server.source.stats(), Used.of(server.source.pid, cores.server), Used.of(running.pid, cores.reader)


def _idle(server: Server, way: Way, sizes: Sizes, cores: Cores) -> Figures:
    """Measure the server's memory with few silent streams and with many: the slope is what each further one takes."""
    few, many = sizes.idle_streams
    with_few, with_many = (
        _memory_bytes(server, way, Workload("idle", "", Kind.IDLE, streams, way.idle)) for streams in (few, many)
    )
    return {"rss_kib_per_stream": (with_many - with_few) / (many - few) / 1024, "rss_mib": with_few / 2**20}


def _memory_bytes(server: Server, way: Way, workload: Workload) -> int:
    with reading(server, _reader(way), workload, PATIENCE_S) as running:
        _open(server, running, workload)
        return rss_bytes(server.source.pid)


@contextmanager
def _published(server: Server, way: Way) -> Iterator[None]:
    """Publish at the rate of the streams, if that is what the way needs."""
    if way.channel is None:
        yield
        return
    channel, ended = way.channel, threading.Event()

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


def _reader(way: Way) -> Reader:
    """Return the reader of the yardstick, with what it must say to be let in."""
    limit = next(reader for reader in READERS if reader.name == LIMIT)

    def command(order: Order) -> list[str]:
        return [*limit.command(order), way.headers]

    return replace(limit, command=command)
