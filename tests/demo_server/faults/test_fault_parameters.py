"""The parameters of faults, and the resulting sequence and bytes; no server, no clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import islice

import pytest
from pydantic import ValidationError
from reference_parser import Reading

from demo_server.faults.encoding import TEXT, EventEncoder
from demo_server.faults.parameters import FaultParameters
from demo_server.streams.stream import Notice


def asked(**query: object) -> FaultParameters:
    return FaultParameters.model_validate(query)


def sequence(length: int, first_seq: int = 1, **query: object) -> list[tuple[int, int]]:
    return list(islice(asked(**query).sequence(first_seq), length))


def numbers(length: int, first_seq: int = 1, **query: object) -> list[int]:
    return [seq for seq, _ in sequence(length, first_seq, **query)]


# The sequence.


def test_sequence_without_faults_has_every_number_once_in_order() -> None:
    assert sequence(4, 7) == [(7, 1), (8, 1), (9, 1), (10, 1)]


def test_seed_gives_the_same_faults_in_every_process_and_python() -> None:
    query = {"drop": 5, "duplicate": 7, "reorder": 4, "seed": 3}
    expected = [(1, 1), (3, 1), (4, 1), (2, 1), (5, 1), (7, 1), (8, 1), (6, 2), (9, 1), (12, 2), (11, 1), (10, 1)]
    script = (
        "from itertools import islice; from demo_server.faults.parameters import FaultParameters;"
        f"print(list(islice(FaultParameters(**{query}).sequence(1), 12)))"
    )
    for hash_seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{expected}\n"


@pytest.mark.parametrize("fault", ["drop", "duplicate", "reorder"])
def test_another_seed_hits_other_events(fault: str) -> None:
    query = {fault: 5}
    assert sequence(100, seed=1, **query) == sequence(100, seed=1, **query) != sequence(100, seed=2, **query)


@pytest.mark.parametrize(("fault", "copies"), [("drop", 0), ("duplicate", 2)])
def test_about_one_event_in_n_has_the_fault(fault: str, copies: int) -> None:
    hit = [seq for seq, times in sequence(10_000, **{fault: 5}) if times == copies]
    assert 1_850 < len(hit) < 2_150  # 2,000 are expected, the standard deviation is 40
    assert {seq % 5 for seq in hit} == set(range(5))  # at random, not every fifth


def test_faults_of_one_event_are_independent() -> None:
    dropped = {seq for seq, copies in sequence(500, drop=5) if not copies}
    assert dropped == {seq for seq, copies in sequence(500, drop=5, duplicate=3, reorder=10) if not copies}


@pytest.mark.parametrize("first_seq", [1, 2, 17, 20, 21, 400])
def test_resumed_stream_has_the_same_faults(first_seq: int) -> None:
    query = {"drop": 5, "duplicate": 7, "reorder": 20, "seed": 9}
    whole = sequence(500, **query)
    assert sequence(100, first_seq, **query) == [(seq, copies) for seq, copies in whole if seq >= first_seq][:100]


def test_reorder_shuffles_within_aligned_blocks() -> None:
    order = numbers(20, reorder=5)
    assert order != sorted(order)
    assert [sorted(order[start : start + 5]) for start in range(0, 20, 5)] == [
        list(range(start + 1, start + 6)) for start in range(0, 20, 5)
    ]


@pytest.mark.parametrize("count", [1, 4, 5, 6, 13])
def test_reorder_leaves_no_hole_where_count_ends_the_stream(count: int) -> None:
    assert sorted(numbers(count, 3, reorder=5, count=count)) == list(range(3, 3 + count))
    assert numbers(count + 2, 3, reorder=5, count=count)[count:] == [3 + count, 4 + count]


# Requests that are answered with a status.


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ({}, []),
        ({"status": 200}, []),
        ({"status": 503}, [1, 2, 3, 4, 5, 6]),
        ({"status": 503, "status_after": 2}, [3, 4, 5, 6]),
        ({"status": 503, "status_times": 2}, [1, 2]),
        ({"status": 503, "status_after": 2, "status_times": 1}, [3]),
    ],
    ids=repr,
)
def test_status_applies_to_the_selected_requests_of_the_run(query: dict[str, object], refused: list[int]) -> None:
    assert [number for number in range(1, 7) if asked(**query).refuses(number)] == refused


# The bytes.


@pytest.mark.parametrize("line_end", ["lf", "cr", "crlf", "mixed"])
@pytest.mark.parametrize("more", [{}, {"event": "price", "size": 3, "bom": True, "split_utf8": True, "retry": 5}])
def test_events_are_equal_with_every_line_ending(line_end: str, more: dict[str, object]) -> None:
    faults = asked(line_end=line_end, **more)
    encoder = EventEncoder(faults)
    events = [encoder.event(seq, 1_000 + seq).whole() for seq in range(1, 200)]
    reading = Reading(encoder.preamble() + b"".join(events) + encoder.notice(Notice.HEARTBEAT))
    extra = {"text": TEXT, "pad": "xxx"} if more else {}
    assert [(kind, json.loads(data), event_id) for kind, data, event_id in reading.events] == [
        ("price" if more else "message", {"seq": seq, "ts": 1_000 + seq, **extra}, str(seq)) for seq in range(1, 200)
    ]
    assert reading.comments == [" heartbeat"]
    assert reading.reconnection_time_ms == more.get("retry")


def test_mixed_line_endings_include_all_three() -> None:
    encoder = EventEncoder(asked(line_end="mixed"))
    text = b"".join(encoder.event(seq, 0).whole() for seq in range(1, 100))
    crlf = text.count(b"\r\n")
    assert min(crlf, text.count(b"\r") - crlf, text.count(b"\n") - crlf) > 50


def test_split_is_inside_a_character_at_every_possible_offset() -> None:
    encoder = EventEncoder(asked(split_utf8=True, size=5, event="ü"))
    cuts = set()
    for seq in range(1, 100):
        event = encoder.event(seq, 0)
        assert event.split_at is not None
        with pytest.raises(UnicodeDecodeError):
            event.whole()[: event.split_at].decode()
        cuts.add(event.split_at - event.before.index(TEXT.encode()))
    assert len(cuts) == len(TEXT.encode()) - len(TEXT)


def test_pieces_of_an_event_add_up_to_the_event() -> None:
    event = EventEncoder(asked(huge=1, huge_bytes=200_000)).event(1, 0, is_huge=True)
    pieces = [event.before, *event.rest()]
    assert b"".join(pieces) == event.whole() == event.without_blank_line() + b"\n"
    assert max(map(len, pieces)) < 70_000


# Invalid parameters.


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"close": 3, "reset": 5}, "give only one of close, reset"),
        ({"stall": 0, "endless_line": 0}, "give only one of stall, endless_line"),
        ({"no_final_blank": True}, "no_final_blank needs an end"),
        ({"no_final_blank": True, "stall": 3}, "no_final_blank needs an end"),
        ({"huge_bytes": 5}, "huge_bytes has no effect without huge"),
        ({"retry_after": 5}, "retry_after has no effect without status"),
        ({"status_after": 5}, "status_after has no effect without status"),
        ({"status_times": 5}, "status_times has no effect without status"),
        ({"redirect_status": 301}, "redirect_status has no effect without redirect"),
        ({"heartbeats_only": True, "drop": 3}, "drop has no effect with heartbeats_only"),
        ({"heartbeats_only": True, "endless_line": 3}, "endless_line has no effect with heartbeats_only"),
        ({"heartbeats_only": True, "heartbeat": 0}, "heartbeat=0 disables heartbeats"),
        ({"burst": 1000, "size": 1_000_000}, "burst times size"),
        ({"drop": 1}, "greater than or equal to 2"),
        ({"reorder": 1}, "greater than or equal to 2"),
        ({"burst": 1}, "greater than or equal to 2"),
        ({"status": 199}, "greater than or equal to 200"),
        ({"status": 600}, "less than or equal to 599"),
        ({"redirect": 1, "redirect_status": 304}, "Input should be 301, 302, 303, 307 or 308"),
        ({"header_delay": float("nan")}, "finite"),
        ({"content_type": "text/html\r\nSet-Cookie: a=b"}, "match pattern"),
        ({"content_type": "text/html\n"}, "match pattern"),
        ({"content_type": "täxt"}, "match pattern"),
        ({"content_type": ""}, "match pattern"),
        ({"run": "a/b"}, "match pattern"),
        ({"line_end": "lfcr"}, "'lf', 'cr', 'crlf' or 'mixed'"),
        ({"dropp": 3}, "Extra inputs"),
    ],
    ids=repr,
)
def test_contradictory_or_ineffective_parameters_are_refused_with_a_reason(
    query: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        asked(**query)


def test_parameters_with_default_values_count_as_not_set() -> None:
    defaults = {
        name: field.default for name, field in FaultParameters.model_fields.items() if field.default is not None
    }
    assert asked(**defaults) == asked()
    assert asked(**defaults | {"heartbeats_only": True}).pace_s == 15


def test_every_parameter_is_described() -> None:
    undescribed = [name for name, field in FaultParameters.model_fields.items() if not field.description]
    assert undescribed == []
