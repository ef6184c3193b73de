"""Recordings for tests: a file with these records."""

from __future__ import annotations

from pathlib import Path

from sseclient_cli.client.recording import Header, Record, RecordedEvent, encode

HEADER = encode(Header(recording=1, streams=["http://example.com/events"], started_ns=1_000_000_000_000))


def at_ms(elapsed_ms: float, data: str, *, id: str = "", type: str = "message") -> RecordedEvent:  # noqa: A002
    """Return an event this long after the start."""
    elapsed_ns = round(elapsed_ms * 1e6)
    return RecordedEvent(arrived_ns=1_000_000_000_000 + elapsed_ns, elapsed_ns=elapsed_ns, data=data, id=id, type=type)


def numbered(count: int, gap_ms: float) -> list[Record]:
    """Return events with the IDs and data 1, 2, 3, ..."""
    return [at_ms(number * gap_ms, str(number), id=str(number)) for number in range(1, count + 1)]


def recording_file(folder: Path, *lines: Record | bytes) -> Path:
    """Write a recording with these records, and with lines as they are."""
    path = folder / "events.jsonl"
    path.write_bytes(HEADER + b"".join(line if isinstance(line, bytes) else encode(line) for line in lines))
    return path
