"""How fast the parser is for each order of lines, and that its time is linear in the input.

    .venv/bin/python benchmarks/parser.py [--no-bars]

Prints nanoseconds per byte of one event of growing size fed in 1 KiB pieces (linear: the same figure in every row), and
microseconds per event for the orders of lines that servers send, in reads of one event and in full reads, with the
ratio to the fastest order, the first row. A row is the least of several rounds, which take turns: other programs only
add time. The ratios hold from machine to machine, the absolutes do not. The exit code is 1 if a ratio is above the bar.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial

from sseclient_cli.sse.event_stream import EventStreamParser

MIB = 1024 * 1024
PIECE_BYTES = 1024
READ_BYTES = 65_536
REPEATS = 7
ROUNDS = 25
READS = 500
BAR = 1.5
"""How many times the time of the fastest order any order may take."""

PAYLOAD = '{"seq": 123456, "ts": 1790000000123456789, "pad": "xxxxxxxxxxxxxxx"}'
EVENT, ID, DATA, RETRY = "event: tick\n", "id: 123456\n", f"data: {PAYLOAD}\n", "retry: 3000\n"
LLM_CHUNK = (
    '{"id":"chatcmpl-9abcdefghijklmnop","object":"chat.completion.chunk","created":1790000000,"model":"gpt-4o-mini",'
    '"choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}'
)
FASTEST = "event id data"
ORDERS = {
    FASTEST: EVENT + ID + DATA,
    "id data": ID + DATA,
    "data": DATA,
    "id event data (sse-starlette)": ID + EVENT + DATA,
    "data id (Spring)": DATA + ID,
    "data event": DATA + EVENT,
    "data in two lines": f"data: {PAYLOAD[:34]}\ndata: {PAYLOAD[34:]}\n",
    "retry id data": RETRY + ID + DATA,
    "comment data": ": ping\n" + DATA,
    "event data id retry (FastAPI)": EVENT + DATA + ID + RETRY,
    f"data of {len(LLM_CHUNK)} bytes (LLM)": f"data: {LLM_CHUNK}\n",
}


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def feed(chunks: Iterable[bytes], parser: EventStreamParser | None = None) -> int:
    parser = parser or EventStreamParser()
    return sum(len(parser.feed(chunk)) for chunk in chunks)


def repeat(work: Callable[[], object], rounds: int) -> None:
    for _ in range(rounds):
        work()


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def linearity() -> None:
    print(f"one event of growing size, in pieces of {PIECE_BYTES} bytes:")
    figures = []
    for mebibytes in (1, 4, 16, 64):
        chunks = pieces(b"data: " + b"x" * (mebibytes * MIB - 8) + b"\n\n", PIECE_BYTES)
        assert feed(chunks) == 1
        # Small sizes are repeated inside a run, so that every run is long enough to measure.
        rounds = 64 // mebibytes
        taken = [seconds(partial(repeat, partial(feed, chunks), rounds)) for _ in range(REPEATS)]
        figures.append(statistics.median(taken) / rounds / mebibytes / MIB * 1e9)
        spread = (max(taken) - min(taken)) / statistics.median(taken)
        print(f"  {mebibytes} MiB {figures[-1]:10.2f} ns/byte   spread {spread:4.0%}")
    print(f"  64 MiB against 1 MiB: {figures[-1] / figures[0]:.2f} times the cost per byte")


def microseconds(block: bytes) -> tuple[float, float]:
    """Measure one event in reads of one event and in full reads, after the parser has seen the first event."""
    single, full = [block] * READS, block * (READ_BYTES // len(block))
    parser = EventStreamParser()
    assert feed([block], parser) == 1
    alone = seconds(partial(feed, single, parser)) / READS
    return alone * 1e6, seconds(partial(feed, [full], parser)) / (READ_BYTES // len(block)) * 1e6


def orders() -> bool:
    """Print a table; return whether all rows are within the bar."""
    blocks = {}
    for line_end, name in (("\n", "LF"), ("\r\n", "CRLF")):
        for order, lines in ORDERS.items():
            blocks[f"{order}, {name}"] = f"{lines}\n".replace("\n", line_end).encode()
    rounds = [{name: microseconds(block) for name, block in blocks.items()} for _ in range(ROUNDS)]
    least = {name: [min(each[name][column] for each in rounds) for column in (0, 1)] for name in blocks}
    fastest = least[f"{FASTEST}, LF"]
    print(f"\nus per event, and ratio to the fastest order{'':12} one event a read   reads of {READ_BYTES:,} bytes")
    slow = []
    for name, row in least.items():
        ratios = [figure / best for figure, best in zip(row, fastest, strict=True)]
        cells = "        ".join(f"{figure:6.2f} {ratio:5.2f}x" for figure, ratio in zip(row, ratios, strict=True))
        print(f"  {name:<50}{cells}")
        if max(ratios) > BAR:
            slow.append(name)
    if slow:
        print(f"above the bar of {BAR}x: {'; '.join(slow)}")
    return not slow


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--no-bars", action="store_true", help="exit with 0 also if an order is above the bar")
    options = arguments.parse_args()
    linearity()
    sys.exit(0 if orders() or options.no_bars else 1)
