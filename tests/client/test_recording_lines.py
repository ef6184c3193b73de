"""The lines of a recording: what is written is read again, and a damaged line has a reason."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.client.recording import (
    DamagedLineError,
    Ended,
    Header,
    Opened,
    Record,
    RecordedComment,
    RecordedEvent,
    RecordedRetry,
    decode,
    decode_header,
    encode,
)

NS = st.integers(0, (1 << 62) - 1)
WORD = st.text().map(lambda text: text.translate({0: None, 10: None, 13: None}))
WHEN = {"stream": st.integers(0, 9), "arrived_ns": NS, "elapsed_ns": NS}
HEADERS = st.dictionaries(st.text(), st.text())
RECORDS = st.one_of(
    st.builds(Opened, **WHEN, status=st.integers(100, 599), headers=HEADERS),
    st.builds(RecordedEvent, **WHEN, type=WORD, id=WORD, data=st.text()),
    st.builds(RecordedComment, **WHEN, text=st.text()),
    st.builds(RecordedRetry, **WHEN, retry_ms=st.integers(0, 86_400_000)),
    st.builds(Ended, **WHEN, reason=st.text(), reconnect_after_s=st.none() | st.floats(0, 1e6)),
)
EVENT = b'{"kind":"event","arrived_ns":5,"elapsed_ns":3,"data":"x"}\n'


@given(RECORDS)
def test_a_record_is_one_line_that_is_read_back(record: Record) -> None:
    line = encode(record)
    assert line.index(b"\n") == len(line) - 1
    assert decode(line) == record


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_record_or_a_damaged_line(data: bytes) -> None:
    with suppress(DamagedLineError):
        assert isinstance(decode(data + b"\n"), Record)


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()))
def test_a_value_of_any_type_is_accepted_or_refused(value: object) -> None:
    for name in ("stream", "arrived_ns", "elapsed_ns", "type", "id", "data"):
        line = json.dumps({**json.loads(EVENT), name: value}).encode() + b"\n"
        with suppress(DamagedLineError):
            assert getattr(decode(line), name) == value


def test_every_part_of_a_line_is_damaged() -> None:
    for end in range(len(EVENT)):
        with pytest.raises(DamagedLineError, match="incomplete"):
            decode(EVENT[:end])


def test_a_line_has_no_fields_with_default_values() -> None:
    record = RecordedEvent(arrived_ns=5, elapsed_ns=3, data="x")
    assert encode(record) == EVENT


def test_a_lone_surrogate_is_written_as_an_escape() -> None:
    record = RecordedComment(arrived_ns=0, elapsed_ns=0, text="a\ud800b")
    assert rb"\ud800" in encode(record)
    assert decode(encode(record)) == record


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\n", "not JSON"),
        (b"\x00\xff\x80\n", "not UTF-8"),
        (b"[1]\n", "not a JSON object"),
        (b"[" * 100_000 + b"\n", "not JSON"),
        (b'{"kind":"event"}\n', "no arrived_ns"),
        (b"{}\n", "no kind"),
        (b'{"kind":5}\n', "unknown kind '5'"),
        (b'{"kind":"telepathy","arrived_ns":5,"elapsed_ns":3}\n', "unknown kind 'telepathy'"),
        (b'{"recording":1,"streams":[],"started_ns":0}\n', "second header"),
        (EVENT.replace(b"3", b"true"), "elapsed_ns has the wrong type"),
        (EVENT.replace(b"3", b"3.5"), "elapsed_ns has the wrong type"),
        (EVENT.replace(b"3", b"-3"), "elapsed_ns has a value out of range"),
        (EVENT.replace(b"3", b"9" * 30), "elapsed_ns has a value out of range"),
        (EVENT.replace(b"3", b"NaN"), "not JSON"),
        (EVENT.replace(b'"x"', b'["x"]'), "data has the wrong type"),
        (EVENT.replace(b'"x"', rb'"x","id":"1\n2"'), "id has a line end"),
        (EVENT.replace(b'"x"', rb'"x","type":"a\r"'), "type has a line end"),
        (b'{"kind":"open","arrived_ns":5,"elapsed_ns":3,"status":200,"headers":{"a":1}}\n', "headers has the wrong"),
    ],
)
def test_a_damaged_line_has_a_reason(line: bytes, reason: str) -> None:
    with pytest.raises(DamagedLineError, match=reason):
        decode(line)


def test_unknown_fields_of_a_newer_version_are_skipped() -> None:
    assert decode(EVENT.replace(b"{", b'{"colour":"red",', 1)) == decode(EVENT)


def test_a_header_is_read_back() -> None:
    header = Header(recording=1, streams=["http://a/", "http://b/"], started_ns=5, written_by="sse")
    assert decode_header(encode(header)) == header


def test_a_header_of_a_newer_format_says_what_to_do() -> None:
    with pytest.raises(DamagedLineError, match="update sseclient-cli"):
        decode_header(b'{"recording":2,"streams":["u"],"started_ns":0}\n')
