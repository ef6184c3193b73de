"""Read a recording: damaged lines are named and skipped."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from recordings import HEADER, at_ms

from sseclient_cli.client.recording import encode
from sseclient_cli.client.recording_reader import MAX_NAMED_LINES, DamagedLine, DamageLog, RecordingReader
from sseclient_cli.errors import UsageError

ONE, TWO = at_ms(1, "one"), at_ms(2, "two")


def read(data: bytes, max_line_bytes: int = 10_000) -> tuple[list[object], list[int]]:
    damaged: list[DamagedLine] = []
    records = [each.record for each in RecordingReader(BytesIO(data), "x", damaged.append, max_line_bytes)]
    return list(records), [line.number for line in damaged]


def test_all_records_are_read_in_order() -> None:
    assert read(HEADER + encode(ONE) + encode(TWO)) == ([ONE, TWO], [])


def test_damaged_lines_are_skipped_with_their_numbers() -> None:
    data = HEADER + encode(ONE) + b"\x00\xff garbage\n" + b"{}\n" + encode(TWO) + encode(ONE)[:-10]
    assert read(data) == ([ONE, TWO], [3, 4, 6])


def test_a_huge_line_is_skipped_in_pieces() -> None:
    assert read(HEADER + b"x" * 3_000_000 + b"\n" + encode(TWO)) == ([TWO], [2])
    assert read(HEADER + encode(ONE) + b"x" * 3_000_000) == ([ONE], [3])


def test_a_line_of_exactly_the_limit_is_read() -> None:
    line = encode(ONE)
    assert read(HEADER + line + encode(TWO), len(line)) == ([ONE, TWO], [])
    assert read(HEADER + line + encode(TWO), len(line) - 1) == ([], [2, 3])


def test_offsets_are_those_of_the_lines() -> None:
    data = HEADER + encode(ONE) + b"x" * 100_000 + b"\n" + encode(TWO)
    for each in RecordingReader(BytesIO(data), "x", lambda _: None, 10_000):
        assert data[each.offset : each.offset + each.size_bytes] == encode(each.record)


def test_a_stream_that_the_header_does_not_have_is_damage() -> None:
    line = encode(ONE).replace(b"{", b'{"stream":1,', 1)
    assert read(HEADER + line + encode(TWO)) == ([TWO], [2])


@pytest.mark.parametrize("data", [b"", b"\n", b"data: 1\n\n", b'{"schema": 1}\n', HEADER[:-1], b"x" * 2_000_000])
def test_another_file_is_not_a_recording(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"notes\.txt is not a recording: line 1"):
        RecordingReader(BytesIO(data), "notes.txt", lambda _: None)


def test_many_damaged_lines_are_counted() -> None:
    said: list[str] = []
    log = DamageLog(Path("a\x1b"), said.append)
    for number in range(MAX_NAMED_LINES + 5):
        log.add(DamagedLine(number, "it is not JSON"))
    log.end()
    assert said[0] == r"a\x1b: line 0 is skipped: it is not JSON"
    assert len(said) == MAX_NAMED_LINES + 1
    assert said[-1] == r"a\x1b: 5 more lines are skipped"
