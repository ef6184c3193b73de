"""Publish and subscribe through one real server."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path

import httpx
import pytest
from demo_server_processes import demo_server_process
from real_processes import SSE, streams_open, until

from demo_server.channels.history import HISTORY_BYTES, HISTORY_EVENTS
from demo_server.channels.subscriber import MAX_BEHIND_BYTES, MAX_BEHIND_EVENTS
from demo_server.streams.encoding import encode_event
from sseclient_cli import Event, EventStreamParser

names = count(1)

# Of the slow client. With the default of some megabytes, a busy machine needs longer to fill it than the stall timeout.
BUFFER_BYTES = 256 << 10


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with demo_server_process() as url:
        yield url


@pytest.fixture(name="channel")
def name_of_a_new_channel(server: str) -> str:
    return f"{server}/channels/test-{next(names)}"


@pytest.fixture(name="client", scope="module")
def http_client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30, trust_env=False) as client:
        yield client


class Listener:
    """A subscriber that reads on demand."""

    def __init__(self, channel: str, last_event_id: str = "", query: str = "", buffer_bytes: int = 0) -> None:
        url = httpx.URL(channel + query)
        self.socket = socket.socket()
        self.socket.settimeout(30)
        if buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self.socket.connect((url.host, url.port or 80))
        identity = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id else ""
        path = url.raw_path.decode()
        self.socket.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n{identity}\r\n".encode())
        self.body = b""
        while b"\r\n\r\n" not in self.body:
            self.body += self.socket.recv(65536)
        head, _, self.body = self.body.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head

    def read_bytes(self, size: int) -> bytes:
        """Read a number of bytes of the body, without the framing of chunks."""
        while len(text := unframed(self.body)) < size:
            received = self.socket.recv(65536)
            assert received, self.body
            self.body += received
        return text

    def events(self, enough: int) -> list[Event]:
        """Read a number of events."""
        found = self.all_so_far()
        while len(found) < enough:
            received = self.socket.recv(1 << 20)
            assert received, found
            self.body += received
            found = self.all_so_far()
        return found

    def rest(self) -> list[Event]:
        """Read to the end."""
        while received := self.socket.recv(1 << 20):
            self.body += received
        return self.all_so_far()

    def all_so_far(self) -> list[Event]:
        return EventStreamParser().feed(unframed(self.body))

    def close(self) -> None:
        self.socket.close()


def unframed(body: bytes) -> bytes:
    """Return the content of chunked bytes, including an incomplete chunk."""
    content = b""
    while match := re.match(rb"([0-9a-f]+)\r\n", body):
        size, start = int(match[1], 16), match.end()
        if not size:
            break
        content += body[start : start + size]
        body = body[start + size + 2 :]
    return content


def publish(client: httpx.Client, channel: str, text: str, **more: object) -> str:
    response = client.post(channel, content=text, **more)  # type: ignore[arg-type]
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def test_published_text_reaches_every_subscriber_byte_for_byte(client: httpx.Client, channel: str) -> None:
    listeners = [Listener(channel) for _ in range(5)]
    published = client.post(channel, content="hello\nworld").json()
    expected = f"id: {published['id']}\ndata: hello\ndata: world\n\n".encode()
    assert published["subscribers"] == 5
    for listener in listeners:
        with closing(listener):
            assert listener.read_bytes(len(expected)) == expected


def test_published_json_is_sent_unchanged_with_its_event_type(client: httpx.Client, channel: str) -> None:
    with closing(Listener(channel)) as listener:
        text = '{"price": 1.10000000000000000001, "name": "\\ud83d\\ude00 é"}'
        publish(client, channel, text, headers={"Content-Type": "application/json"}, params={"event": "price"})
        (event,) = listener.events(1)
    assert (event.type, event.data) == ("price", text)


def test_ids_are_consecutive_within_an_epoch(client: httpx.Client, channel: str) -> None:
    ids = [publish(client, channel, "x") for _ in range(3)]
    epochs = {event_id.rpartition("-")[0] for event_id in ids}
    assert [event_id.rpartition("-")[2] for event_id in ids] == ["1", "2", "3"]
    assert len(epochs) == 1


def test_subscriber_without_an_id_receives_only_new_events(client: httpx.Client, channel: str) -> None:
    publish(client, channel, "before")
    with closing(Listener(channel)) as listener:
        publish(client, channel, "after")
        assert [event.data for event in listener.events(1)] == ["after"]


@pytest.mark.parametrize("by", ["header", "query", "both"])
def test_reconnecting_subscriber_receives_missed_events_then_new_ones(
    client: httpx.Client, channel: str, by: str
) -> None:
    ids = [publish(client, channel, str(number)) for number in range(5)]
    header = ids[1] if by != "query" else ""
    query = {"header": "", "query": f"?last_event_id={ids[1]}", "both": f"?last_event_id={ids[3]}"}[by]
    with closing(Listener(channel, header, query)) as listener:
        publish(client, channel, "now")
        assert [event.data for event in listener.events(4)] == ["2", "3", "4", "now"]


def test_events_lost_from_the_history_are_announced_once(client: httpx.Client, channel: str) -> None:
    first = publish(client, channel, "first")
    for number in range(HISTORY_EVENTS + 10):
        publish(client, channel, str(number))
    with closing(Listener(channel, first)) as listener:
        gap, *events = listener.events(1 + HISTORY_EVENTS)
    assert gap.type == "gap"
    assert json.loads(gap.data) == {"after": first, "reason": "10 events are no longer in the history"}
    assert [event.data for event in events] == [str(number) for number in range(10, HISTORY_EVENTS + 10)]
    with closing(Listener(channel, gap.id)) as listener:
        assert listener.events(1)[0].data == "10"


def test_history_is_bounded_in_bytes(client: httpx.Client, channel: str) -> None:
    text = "x" * 60_000
    ids = [publish(client, channel, text) for _ in range(20)]
    kept = HISTORY_BYTES // len(encode_event(ids[-1], None, text))
    with closing(Listener(channel, ids[0])) as listener:
        gap, *events = listener.events(1 + kept)
    assert json.loads(gap.data)["reason"] == f"{19 - kept} events are no longer in the history"
    assert [event.id for event in events] == ids[-kept:]


@pytest.mark.parametrize("last_event_id", ["7", "abc", "0-1", "é-3", "-", "ffffff-99999999999999999999"])
def test_unknown_id_is_a_gap_and_receives_the_whole_history(
    client: httpx.Client, channel: str, last_event_id: str
) -> None:
    event_id = publish(client, channel, "known")
    with closing(Listener(channel, "", f"?last_event_id={last_event_id}")) as listener:
        gap, event = listener.events(2)
    assert (gap.type, json.loads(gap.data)["after"]) == ("gap", last_event_id)
    assert gap.id == event_id[:-1] + "0"
    assert event.data == "known"


def test_concurrent_events_reach_all_subscribers_in_the_same_order(client: httpx.Client, channel: str) -> None:
    listeners = [Listener(channel) for _ in range(20)]
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda number: publish(client, channel, str(number)), range(200)))
    heard = [[(event.id, event.data) for event in listener.events(200)] for listener in listeners]
    for listener in listeners:
        listener.close()
    assert sorted(ids) == sorted({event_id for event_id, _ in heard[0]})
    assert [int(event_id.rpartition("-")[2]) for event_id, _ in heard[0]] == list(range(1, 201))
    assert all(other == heard[0] for other in heard)


def test_slow_subscriber_is_dropped_with_a_reason_and_does_not_delay_others(client: httpx.Client, channel: str) -> None:
    text = "x" * 60_000
    with closing(Listener(channel, buffer_bytes=BUFFER_BYTES)) as slow, closing(Listener(channel)) as quick:
        for _ in range((MAX_BEHIND_BYTES + most_bytes_in_buffers()) // len(text) + 2):
            publish(client, channel, text)
            quick.body = quick.body[-200:] + quick.socket.recv(1 << 20)
        *events, dropped = slow.rest()
    assert dropped.type == "dropped"
    assert re.fullmatch(r'{"reason": "\d+ events \(\d+ bytes\) behind"}', dropped.data)
    assert dropped.id == events[-1].id  # a client continues after this event


def most_bytes_in_buffers() -> int:
    """Return the size of the kernel's buffers of the slow connection, both ends together."""
    sent = Path("/proc/sys/net/ipv4/tcp_wmem").read_text("ascii")
    return 2 * BUFFER_BYTES + int(sent.split()[2])  # the kernel doubles the size that it is given


def test_queue_of_a_slow_subscriber_is_bounded_in_events() -> None:
    assert MAX_BEHIND_EVENTS > HISTORY_EVENTS  # otherwise, a reconnecting subscriber would be dropped at once
    assert MAX_BEHIND_BYTES > HISTORY_BYTES


def test_disconnected_subscriber_is_not_counted(client: httpx.Client, server: str, channel: str) -> None:
    Listener(channel).close()
    until(lambda: client.post(channel, content="x").json()["subscribers"] == 0, timeout_s=1)


def test_silent_channel_sends_retry_and_heartbeats(client: httpx.Client, channel: str) -> None:
    with closing(Listener(channel, query="?retry=1234&heartbeat=0.05")) as listener:
        expected = b"retry: 1234\n\n: heartbeat\n\n: heartbeat\n\n"
        assert listener.read_bytes(len(expected)) == expected


def test_many_subscribers_receive_each_event_once_and_in_order(client: httpx.Client, server: str, channel: str) -> None:
    command = [*SSE, "bench", channel, "-n", "300", "--ramp-up", "0s", "-z", "20s", "--events", "30", "--json", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bench:
        until(lambda: streams_open(server) == 300)
        for number in range(30):
            client.post(channel, json={"seq": number})
        document = json.loads(bench.communicate()[0])
    assert document["streams"]["opened"] == 300
    assert document["events"]["received"] == 300 * 30
    assert {name: document["audit"][name] for name in ("lost", "duplicated", "out_of_order")} == dict.fromkeys(
        ("lost", "duplicated", "out_of_order"), 0
    )


@pytest.mark.parametrize("name", ["a%20b", "a" * 65, "%C3%A9", "a%2Fb"])
def test_invalid_channel_name_is_refused(client: httpx.Client, server: str, name: str) -> None:
    assert client.post(f"{server}/channels/{name}", content="x").status_code in (404, 422)
    assert client.get(f"{server}/channels/{name}").status_code in (404, 422)


@pytest.mark.parametrize(
    ("content", "content_type", "status", "words"),
    [
        (b"x" * 65_537, "text/plain", 413, "65536 bytes at most"),
        (b"\xff", "text/plain", 422, "not UTF-8"),
        (b"{", "application/json", 422, "is application/json, but the body is not JSON"),
        (b"NaN", "Application/JSON; charset=utf-8", 422, "NaN is not JSON"),
        (b"[" * 60_000, "application/json", 422, "is application/json, but the body is not JSON"),
    ],
)
def test_invalid_message_is_refused_with_a_reason(
    client: httpx.Client, channel: str, content: bytes, content_type: str, status: int, words: str
) -> None:
    response = client.post(channel, content=content, headers={"Content-Type": content_type})
    assert (response.status_code, words in response.text) == (status, True), response.text


@pytest.mark.parametrize("event", ["gap", "dropped", "a\nid: 7", "a\rb"])
def test_reserved_or_invalid_event_type_is_refused(client: httpx.Client, channel: str, event: str) -> None:
    response = client.post(channel, content="x", params={"event": event})
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", "event"]


def test_encoder_splits_lines_only_at_cr_and_lf() -> None:
    assert encode_event("1", None, "a\r\nb\rc\nd\x0be\u2028f") == (
        "id: 1\ndata: a\ndata: b\ndata: c\ndata: d\x0be\u2028f\n\n".encode()
    )
    assert encode_event(None, "t", "") == b"event: t\ndata: \n\n"
