"""All push endpoints send the same events for the same parameters.

The tests share one real server, whose stderr must stay empty.
"""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest
from running_demo import EVENT_STREAMS, PUSH_ENDPOINTS, Demo
from websockets.exceptions import InvalidStatus

PLAIN = "count=2&interval=0"
DRESSED = "count=2&interval=0&event=price&retry=2000&size=3"
# <> is a timestamp, and each message of /ws ends in | here.
EXACTLY = {
    ("/stream", PLAIN): 'id: 1\r\ndata: {"seq": 1, "ts": <>}\r\n\r\nid: 2\r\ndata: {"seq": 2, "ts": <>}\r\n\r\n',
    ("/native", PLAIN): 'data: {"seq": 1, "ts": <>}\nid: 1\n\ndata: {"seq": 2, "ts": <>}\nid: 2\n\n',
    ("/load", PLAIN): 'id: 1\ndata: {"seq":1,"ts":<>}\n\nid: 2\ndata: {"seq":2,"ts":<>}\n\n',
    ("/streaming-response", PLAIN): "data 1\ndata 2\n",
    ("/ndjson", PLAIN): '{"seq": 1, "ts": <>}\n{"seq": 2, "ts": <>}\n',
    ("/ws", PLAIN): '{"seq":1,"ts":<>}|{"seq":2,"ts":<>}|',
    ("/stream", DRESSED): (
        'id: 1\r\nevent: price\r\ndata: {"seq": 1, "ts": <>, "pad": "xxx"}\r\nretry: 2000\r\n\r\n'
        'id: 2\r\nevent: price\r\ndata: {"seq": 2, "ts": <>, "pad": "xxx"}\r\n\r\n'
    ),
    ("/native", DRESSED): (
        'event: price\ndata: {"seq": 1, "ts": <>, "pad": "xxx"}\nid: 1\nretry: 2000\n\n'
        'event: price\ndata: {"seq": 2, "ts": <>, "pad": "xxx"}\nid: 2\n\n'
    ),
    ("/load", DRESSED): (
        'retry: 2000\n\nevent: price\nid: 1\ndata: {"seq":1,"ts":<>,"pad":"xxx"}\n\n'
        'event: price\nid: 2\ndata: {"seq":2,"ts":<>,"pad":"xxx"}\n\n'
    ),
    ("/streaming-response", DRESSED): "retry 2000\nprice 1 xxx\nprice 2 xxx\n",
    ("/ndjson", DRESSED): (
        '{"retry": 2000}\n{"event": "price", "seq": 1, "ts": <>, "pad": "xxx"}\n'
        '{"event": "price", "seq": 2, "ts": <>, "pad": "xxx"}\n'
    ),
    ("/ws", DRESSED): (
        '{"retry":2000}|{"event":"price","seq":1,"ts":<>,"pad":"xxx"}|{"event":"price","seq":2,"ts":<>,"pad":"xxx"}|'
    ),
}
CONTENT_TYPES = {
    **dict.fromkeys(EVENT_STREAMS, "text/event-stream"),
    "/streaming-response": "text/plain",
    "/ndjson": "application/x-ndjson",
}
each_endpoint = pytest.mark.parametrize("path", PUSH_ENDPOINTS)


@pytest.mark.parametrize(("path", "query"), EXACTLY)
def test_short_stream_has_exact_bytes(demo: Demo, path: str, query: str) -> None:
    if path == "/ws":
        with demo.connect(f"{path}?{query}") as websocket:
            text = "".join(f"{message!s}|" for message in websocket)
        assert websocket.close_code == 1000
    else:
        response = demo.client.get(f"{path}?{query}")
        text = response.text
        assert response.headers["content-type"].partition(";")[0] == CONTENT_TYPES[path]
    assert re.sub(r'(?<="ts":)( ?)\d{19}', r"\1<>", text) == EXACTLY[path, query]


@each_endpoint
def test_size_adds_padding_bytes(demo: Demo, path: str) -> None:
    (event,) = demo.listen(path, "count=1&interval=0&size=1000")
    assert event["pad"] == "x" * 1000


@each_endpoint
def test_event_type_may_be_any_line_of_text(demo: Demo, path: str) -> None:
    (event,) = demo.listen(path, "count=1&interval=0&event=caf%C3%A9%25d")
    assert event["type"] == "café%d"


@each_endpoint
def test_retry_is_sent_once_and_is_not_an_event(demo: Demo, path: str) -> None:
    before = demo.stats()
    said = list(demo.listen(path, "count=3&interval=0&retry=0"))
    assert said[0] == {"retry": 0}
    assert ["seq" in message for message in said] == [False, True, True, True]
    assert demo.stats()["events_sent"] - before["events_sent"] == 3


@each_endpoint
def test_heartbeat_is_sent_in_silence_and_is_not_an_event(demo: Demo, path: str) -> None:
    before = demo.stats()
    event, *heartbeats = islice(demo.listen(path, "interval=3600&heartbeat=0.05"), 4)
    assert "seq" in event
    for heartbeat in heartbeats:
        assert str(heartbeat["comment"]).startswith("ping - " if path == "/stream" else "heartbeat")
    assert demo.stats()["events_sent"] - before["events_sent"] == 1


@each_endpoint
def test_heartbeat_zero_disables_heartbeats(demo: Demo, path: str) -> None:
    assert all("seq" in message for message in demo.listen(path, "heartbeat=0&interval=0.1&count=3"))


# sse-starlette sends pings at fixed times, independently of events.
@pytest.mark.parametrize("path", [path for path in PUSH_ENDPOINTS if path != "/stream"])
def test_heartbeat_is_not_sent_without_silence(demo: Demo, path: str) -> None:
    assert all("seq" in message for message in demo.listen(path, "heartbeat=0.2&interval=0.02&count=15"))


@each_endpoint
@pytest.mark.parametrize("pace", ["interval=0.05", "rate=20"])
def test_events_are_not_faster_than_the_pace(demo: Demo, path: str, pace: str) -> None:
    started_s = time.monotonic()
    assert len(list(demo.listen(path, f"count=5&{pace}"))) == 5
    assert time.monotonic() - started_s >= 0.2


@each_endpoint
@pytest.mark.parametrize("pace", ["interval=0", "rate=0"])
def test_pace_zero_is_as_fast_as_the_client_reads(demo: Demo, path: str, pace: str) -> None:
    # 100 s at the default pace of /load, 1000 s at that of the others
    assert sum(1 for _ in demo.listen(path, f"count=1001&{pace}")) == 1001


@pytest.mark.parametrize("path", [path for path in PUSH_ENDPOINTS if path != "/streaming-response"])
def test_timestamps_are_nanoseconds_of_the_wall_clock(demo: Demo, path: str) -> None:
    before_ns = time.time_ns()
    (event,) = demo.listen(path, "count=1")
    assert isinstance(event["ts"], int)
    assert before_ns <= event["ts"] <= time.time_ns()


@pytest.mark.parametrize("path", EVENT_STREAMS)
def test_sequence_continues_after_last_event_id(demo: Demo, path: str) -> None:
    events = list(demo.listen(path, "count=2&interval=0&retry=5", {"Last-Event-ID": "41"}))
    assert events[0] == {"retry": 5}
    assert [(event["seq"], event["id"]) for event in events[1:]] == [(42, "42"), (43, "43")]


@pytest.mark.parametrize("last_event_id", ["", "abc", "-1", "1.5", "²", "9" * 5000], ids=lambda text: text[:3])
def test_unknown_last_event_id_restarts_the_sequence(demo: Demo, last_event_id: str) -> None:
    headers = [(b"Last-Event-ID", last_event_id.encode("latin-1"))]  # for Python, the superscript is a digit
    for path in EVENT_STREAMS:
        assert '"seq":1,' in demo.client.get(f"{path}?interval=0&count=1", headers=headers).text.replace(" ", "")


def refusal(demo: Demo, path: str, query: str) -> list[dict[str, object]]:
    """Return the errors of a request that is refused with 422."""
    if path == "/ws":
        with pytest.raises(InvalidStatus) as refused:
            demo.connect(f"{path}?{query}")
        status, body = refused.value.response.status_code, refused.value.response.body
    else:
        response = demo.client.get(f"{path}?{query}")
        status, body = response.status_code, response.content
    assert status == 422
    problems: list[dict[str, object]] = json.loads(body)["detail"]
    return problems


BAD = {
    "interval": ["abc", "-1", "nan", "inf", ""],
    "rate": ["abc", "-1", "nan", "inf", ""],
    "count": ["0", "-1", "1.5", "9" * 30],
    "size": ["-1", "1000001", "abc"],
    "retry": ["-1", "1.5", "86400001"],
    "heartbeat": ["-1", "nan", "soon"],
    "event": ["a%0Aid:7", "a%0D"],
    "intervall": ["1"],
}


@each_endpoint
@pytest.mark.parametrize("parameter", BAD)
def test_invalid_or_unknown_parameter_is_refused_with_its_name(demo: Demo, path: str, parameter: str) -> None:
    before = demo.stats()
    for value in BAD[parameter]:
        (problem,) = refusal(demo, path, f"{parameter}={value}")
        assert problem["loc"] == ["query", parameter]
        assert problem["msg"]
    assert demo.stats() == before  # and it does not count as a stream


# A busy machine makes single events late, but the pace catches up: some event of the last fifth is on time. An


@each_endpoint
@pytest.mark.parametrize(
    ("query", "words"),
    [("intervall=1", "there is no such parameter"), ("event=a%0A", "give one line: a line end would end the field")],
)
def test_error_messages_address_users(demo: Demo, path: str, query: str, words: str) -> None:
    assert [problem["msg"] for problem in refusal(demo, path, query)] == [words]


@each_endpoint
def test_interval_with_rate_is_refused(demo: Demo, path: str) -> None:
    (problem,) = refusal(demo, path, "interval=1&rate=1")
    assert "give interval or rate, not both" in str(problem["msg"])


@each_endpoint
@pytest.mark.parametrize("pace", ["interval=0.001", "interval=0"])
def test_stats_count_sent_events_exactly(demo: Demo, path: str, pace: str) -> None:
    streams, count = 10, 100
    before = demo.stats()
    with ThreadPoolExecutor(streams) as pool:
        bodies = list(pool.map(lambda _: list(demo.listen(path, f"{pace}&count={count}")), range(streams)))
    demo.wait_until_idle(1)
    after = demo.stats()
    assert [len(body) for body in bodies] == [count] * streams
    assert after["events_sent"] - before["events_sent"] == streams * count
    assert after["streams_opened"] - before["streams_opened"] == streams


def test_pace_does_not_drift(demo: Demo) -> None:
    def listen(path: str) -> list[int]:
        return [
            ts if isinstance(ts := event.get("ts"), int) else time.time_ns()
            for event in demo.listen(path, "interval=0.01&count=201")
        ]

    with ThreadPoolExecutor(len(PUSH_ENDPOINTS)) as pool:
        streams = dict(zip(PUSH_ENDPOINTS, pool.map(listen, PUSH_ENDPOINTS), strict=True))
    for path, stamps_ns in streams.items():
        late_ns = [ts - stamps_ns[0] - k * 10_000_000 for k, ts in enumerate(stamps_ns)]
        # A busy machine makes single events late, but the pace catches up: some event of the last fifth is on time. An
        # On a busy machine, single events are late, but the pace recovers: some event of the last fifth is on time. If
        # each interval began at the last send, delays would add up instead.
        assert min(late_ns[-40:]) < 20_000_000, path
        assert late_ns[-1] > -1_000_000_000, path  # and they are not sent in a burst
