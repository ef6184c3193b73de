"""How fast the parser is, and that its time is linear in the input.

    .venv/bin/python benchmarks/parser.py

Prints nanoseconds per byte of one event of growing size fed in 1 KiB pieces (linear: the same figure in every row), and
microseconds per event of streams of several shapes: in full reads, with the fast path and kept off it, and in reads of
one event. Medians of several runs, with the spread; the ratios hold from machine to machine, the absolutes do not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial

from sseclient_cli.sse.event_stream import EventStreamParser

MIB = 1024 * 1024
PIECE_BYTES = 1024
READ_BYTES = 65_536
REPEATS = 7
EVENTS = 20_000

EVENT = b'id: 123456\ndata: {"seq": 123456, "ts": 1790000000123456789, "pad": "xxxxxxxxxxxxxxx"}\n\n'
SHAPES = {
    "id and data, LF": EVENT,
    "id and data, CRLF": EVENT.replace(b"\n", b"\r\n"),
    "data alone": EVENT[len("id: 123456\n") :],
    "event, id and data": b"event: tick\n" + EVENT,
    "data in three lines": b"data: one\ndata: two\ndata: three\n\n",
    "heartbeats": b": ping\n\n",
}


def seconds(work: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def feed(chunks: Iterable[bytes], max_event_bytes: int = 64 * MIB) -> int:
    parser = EventStreamParser(max_event_bytes=max_event_bytes)
    return sum(len(parser.feed(chunk)) for chunk in chunks)


def repeat(work: Callable[[], object], rounds: int) -> None:
    for _ in range(rounds):
        work()


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def show(name: str, taken: list[float], per: float, unit: str) -> float:
    median = statistics.median(taken) / per
    spread = (max(taken) - min(taken)) / statistics.median(taken)
    print(f"  {name:<34} {median:10.2f} {unit}   spread {spread:4.0%}")
    return median


def linearity() -> None:
    print(f"one event of growing size, in pieces of {PIECE_BYTES} bytes:")
    figures = []
    for mebibytes in (1, 4, 16, 64):
        chunks = pieces(b"data: " + b"x" * (mebibytes * MIB - 8) + b"\n\n", PIECE_BYTES)
        assert feed(chunks) == 1
        # Small sizes are repeated inside a run, so that every run is long enough to measure.
        rounds = 64 // mebibytes
        taken = seconds(partial(repeat, partial(feed, chunks), rounds))
        figures.append(show(f"{mebibytes} MiB", taken, rounds * mebibytes * MIB / 1e9, "ns/byte"))
    print(f"  64 MiB against 1 MiB: {figures[-1] / figures[0]:.2f} times the cost per byte")


def shapes() -> None:
    print(f"{EVENTS:,} events in reads of {READ_BYTES:,} bytes, the same line by line, and in reads of one event:")
    for name, event in SHAPES.items():
        reads = pieces(event * EVENTS, READ_BYTES)
        single = [event] * EVENTS
        fast = show(name, seconds(partial(feed, reads)), EVENTS / 1e6, "us/event")
        # A chunk over the limit goes line by line, as it could hide an event over the limit: no other code is skipped.
        slow = show("  line by line", seconds(partial(feed, reads, READ_BYTES // 4)), EVENTS / 1e6, "us/event")
        show("  one event a read", seconds(partial(feed, single)), EVENTS / 1e6, "us/event")
        print(f"    the fast path makes it {slow / fast:.1f} times as fast")


if __name__ == "__main__":
    linearity()
    shapes()
