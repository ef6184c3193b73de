"""Judgements on recorded heads, times and answers."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sseclient_cli.check.catalogue import Check, Status
from sseclient_cli.check.cors import judge_cors, judge_preflight
from sseclient_cli.check.flow import judge_bursts, judge_heartbeat
from sseclient_cli.check.heads import judge_head
from sseclient_cli.check.recording import End, Head, Recording
from sseclient_cli.check.replay import Resumption, judge_replay
from sseclient_cli.check.requests import Answer, judge_ending, judge_head_request, judge_http2
from sseclient_cli.sse.event_stream import Event

S = 1_000_000_000
OK, WARNING, FAULT, NOT_CHECKED = Status.OK, Status.WARNING, Status.FAULT, Status.NOT_CHECKED
ORIGIN = "https://app.example"


def streamed(
    *pieces: tuple[float, bytes], until_s: float, head_s: float = 0.001, headers: Mapping[str, str] | None = None
) -> Recording:
    recording = Recording(
        Head(200, headers or {"content-type": "text/event-stream"}, 0, round(head_s * S), ("http://h/a",))
    )
    for time_s, data in pieces:
        recording.feed(data, round(time_s * S))
    recording.close(round(until_s * S))
    return recording


@pytest.mark.parametrize(
    ("header", "value", "check", "status"),
    [
        ("cache-control", "no-cache, no-transform", Check.CACHING, OK),
        ("cache-control", "private", Check.CACHING, WARNING),
        ("cache-control", "max-age=0, must-revalidate", Check.CACHING, OK),
        ("cache-control", "max-age=60", Check.CACHING, FAULT),
        ("cache-control", "public, no-store", Check.CACHING, OK),
        ("content-type", "text/event-stream;charset=UTF-8", Check.CONTENT_TYPE, OK),
        ("content-type", "text/event-stream; charset=latin1", Check.CONTENT_TYPE, WARNING),
        ("content-type", "text/plain", Check.CONTENT_TYPE, FAULT),
        ("x-accel-buffering", "no", Check.PROXY_BUFFERING, OK),
        ("server", "nginx/1.22", Check.PROXY_BUFFERING, NOT_CHECKED),
        ("server", "uvicorn", Check.PROXY_BUFFERING, WARNING),
        ("transfer-encoding", "chunked", Check.HOP_BY_HOP, OK),
        ("content-length", "12", Check.HOP_BY_HOP, FAULT),
        ("upgrade", "h2c", Check.HOP_BY_HOP, WARNING),
    ],
)
def test_a_header_is_judged(header: str, value: str, check: Check, status: Status) -> None:
    results = {each.check: each for each in judge_head(streamed(until_s=1, headers={header: value}))}
    assert results[check].status is status, results[check]


@pytest.mark.parametrize(
    ("head_s", "byte_s", "status"),
    [(0.01, 0.01, OK), (0.01, 20, OK), (3, 3.001, WARNING), (3, 4, OK), (6, 9, WARNING), (0.5, 0.5, OK)],
)
def test_a_head_that_comes_late_with_the_first_bytes_was_held_back(
    head_s: float, byte_s: float, status: Status
) -> None:
    results = {each.check: each for each in judge_head(streamed((byte_s, b":\n"), until_s=30, head_s=head_s))}
    assert results[Check.FIRST_FLUSH].status is status, results[Check.FIRST_FLUSH]


def test_credentials_of_headers_are_not_shown() -> None:
    results = list(
        judge_head(streamed(until_s=1, headers={"cache-control": "no-store, x=http://u:geheim@h/?token=geheim"}))
    )
    assert "geheim" not in "".join(each.seen for each in results)


PING = b": ping\n\n"


@pytest.mark.parametrize(
    ("pieces", "until_s", "status", "words"),
    [
        ([(15, PING), (30, PING)], 31, OK, "a heartbeat every 15 s"),
        ([(15, PING)], 16, OK, "a heartbeat every 15 s"),
        ([(0.001, PING)], 30, NOT_CHECKED, "0 heartbeats, longest silence 30 s"),  # it flushes the head
        ([(10, b"event: ping\ndata: {}\n\n"), (20, b"event: ping\ndata: {}\n\n")], 21, OK, "every 10 s"),
        ([(n / 2, b"data: 1\n\n") for n in range(20)], 10, NOT_CHECKED, "too busy"),
        ([(1, PING), (58, PING)], 65, WARNING, "longest silence 57 s"),
        ([], 65, WARNING, "longest silence 65 s"),
        ([], 30, NOT_CHECKED, "longest silence 30 s"),
    ],
)
def test_heartbeats_are_judged_by_the_longest_silence(
    pieces: list[tuple[float, bytes]], until_s: float, status: Status, words: str
) -> None:
    found = judge_heartbeat(streamed(*pieces, until_s=until_s))
    assert (found.status, words in found.seen) == (status, True), found


def test_events_in_bursts_are_a_warning_and_others_are_not() -> None:
    event = b"data: 1\n\n"
    assert judge_bursts(streamed(*[(n, event * 5) for n in range(1, 8)], until_s=9)).status is WARNING
    assert judge_bursts(streamed(*[(n, event) for n in range(1, 8)], until_s=9)).status is OK
    # The history of a stream is one burst at its start.
    history = [(0.002, event * 50), *[(float(n), event) for n in range(1, 8)]]
    assert judge_bursts(streamed(*history, until_s=9)).status is OK
    assert judge_bursts(streamed((1, event * 5), until_s=9)).status is NOT_CHECKED


def cors(status: int = 200, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("answer", "is_given", "status"),
    [
        (cors(), False, OK),
        (cors(), True, FAULT),
        (cors(access_control_allow_origin="*"), True, OK),
        (cors(access_control_allow_origin=ORIGIN, vary="Accept, Origin"), True, OK),
        (cors(access_control_allow_origin=ORIGIN), True, WARNING),
        (cors(access_control_allow_origin="https://other.example"), True, FAULT),
        (cors(access_control_allow_origin="https://other.example"), False, OK),
        (cors(access_control_allow_origin="*, *"), False, FAULT),
        (
            cors(access_control_allow_origin=ORIGIN, access_control_allow_credentials="true", vary="Origin"),
            False,
            WARNING,
        ),
        (cors(403), False, OK),
        (cors(409), False, NOT_CHECKED),
        (cors(503), True, NOT_CHECKED),
        (Answer(None, {}, "reset"), True, NOT_CHECKED),
    ],
)
def test_cors_is_judged(answer: Answer, is_given: bool, status: Status) -> None:
    found = judge_cors(answer, ORIGIN, is_given=is_given, with_credentials=False)
    assert found.status is status, found


def test_an_asterisk_does_not_allow_cookies_or_authorization() -> None:
    allowed = cors(access_control_allow_origin="*", access_control_allow_headers="*")
    assert judge_cors(allowed, ORIGIN, is_given=True, with_credentials=True).status is WARNING
    assert judge_preflight(allowed, allowed, ORIGIN, ("last-event-id",)).status is OK
    assert judge_preflight(allowed, allowed, ORIGIN, ("last-event-id", "authorization")).status is WARNING
    assert judge_preflight(allowed, cors(), ORIGIN, ("last-event-id",)).status is NOT_CHECKED


def test_other_requests_are_judged() -> None:
    assert judge_head_request(Answer(405, {})).status is OK
    assert judge_head_request(Answer(None, {}, is_timeout=True, waited_s=8)).status is FAULT
    assert judge_head_request(Answer(None, {}, is_timeout=True, waited_s=1)).status is NOT_CHECKED
    assert judge_head_request(Answer(500, {})).status is WARNING
    assert judge_http2("https", "h2", "").status is OK
    assert judge_http2("https", "http/1.1", "").status is WARNING
    assert judge_http2("https", None, "refused").status is NOT_CHECKED
    assert judge_http2("http", None, "").status is NOT_CHECKED


def test_a_finished_stream_needs_status_204() -> None:
    finished = Recording(Head(200, {}, 0, 0))
    finished.close(S, End.ENDED)
    assert judge_ending(finished, 204).status is OK
    assert judge_ending(finished, 200).status is WARNING
    assert judge_ending(finished, None).status is NOT_CHECKED


def replayed(came: str, *, recorded: str = "abcdefg", place: int = 2, promised: int = 2) -> Status:
    """Judge a stream that resumed after ``c`` when ``d`` and ``e`` had arrived; each letter is an event."""
    answer = streamed(*[(n + 1, f"id: {c}\ndata: {c}\n\n".encode()) for n, c in enumerate(came)], until_s=20)
    return judge_replay(Resumption([Event("message", c, c) for c in recorded], place, promised, answer)).status


@pytest.mark.parametrize("came", ["de", "def", "defg", "defgh"])
def test_a_complete_replay_is_ok(came: str) -> None:
    assert replayed(came) is OK


@pytest.mark.parametrize(
    "came",
    ["", "abcdefg", "cde", "fg", "h", "df", "d", "deg", "dxef", "ddef", "edf", "xde"],
    ids=lambda came: came or "nothing",
)
def test_an_incomplete_or_wrong_replay_is_a_fault(came: str) -> None:
    assert replayed(came) is FAULT


@pytest.mark.parametrize(("status", "expected"), [(204, OK), (404, FAULT), (500, FAULT), (503, NOT_CHECKED)])
def test_a_status_instead_of_a_replay_is_judged(status: int, expected: Status) -> None:
    events = [Event("message", "1", "1"), Event("message", "2", "2")]
    assert judge_replay(Resumption(events, 0, 1, None, status)).status is expected


def test_content_may_differ_in_the_time_of_sending_only() -> None:
    def judged(data: bytes) -> Status:
        answer = streamed((1, b"id: 2\ndata: " + data + b"\n\n"), until_s=2)
        events = [Event("message", "", "1"), Event("message", '{"n": 2, "at": 17.5}', "2")]
        return judge_replay(Resumption(events, 0, 1, answer)).status

    assert judged(b'{"n": 2, "at": 18.5}') is OK
    assert judged(b'{"n": 3, "at": 18.5}') is WARNING
    assert judged(b"2") is WARNING
