"""The client's side of HTTP/2 without sockets, against h2's server side."""

import random

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes
from http2_frames import frame

from sseclient_cli.engine.http2 import ClientProtocol, Incoming
from sseclient_cli.engine.http2_fields import translated
from sseclient_cli.errors import Http2ProtocolError

REQUEST = b"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nAccept: text/event-stream\r\n\r\n"
FIELDS = [(":status", "200"), ("content-type", "text/event-stream"), ("set-cookie", "a"), ("set-cookie", "b")]
FIRST, SECOND = 1, 3


def pair(requests: int = 2) -> tuple[ClientProtocol, H2Connection]:
    """Return both sides of a connection with requests."""
    client, server = ClientProtocol("http"), H2Connection(H2Configuration(client_side=False))
    server.initiate_connection()
    server.receive_data(client.take_outgoing())
    client.feed(server.data_to_send())
    for _ in range(requests):
        client.request(REQUEST)
    server.receive_data(client.take_outgoing())
    server.clear_outbound_data_buffer()
    return client, server


def test_request_becomes_fields_without_those_of_a_connection() -> None:
    head = b"POST /p HTTP/1.1\r\nHost: a:1\r\nX-A: b: c\r\nConnection: close\r\nTE: gzip\r\nContent-Length: 3"
    fields, body = translated(head + b"\r\nLast-Event-ID: \xc3\xa9\r\n\r\n\r\n\r", b"https")
    assert fields == [
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":authority", b"a:1"),
        (b":path", b"/p"),
        (b"x-a", b"b: c"),
        (b"content-length", b"3"),
        (b"last-event-id", b"\xc3\xa9"),
    ]
    assert body == b"\r\n\r"


def test_read_is_sorted_by_stream() -> None:
    client, server = pair()
    for stream in (FIRST, SECOND):
        server.send_headers(stream, FIELDS)
    server.send_data(FIRST, b"a")
    server.send_data(SECOND, b"b", end_stream=True)
    server.send_data(FIRST, b"c")
    headers = {"content-type": "text/event-stream", "set-cookie": "a, b"}
    assert client.feed(server.data_to_send()) == {
        FIRST: Incoming(200, headers, b"ac"),
        SECOND: Incoming(200, headers, b"b", is_complete=True),
    }


def test_read_ends_with_the_last_data_only_if_nothing_follows() -> None:
    client, server = pair()
    server.send_headers(FIRST, FIELDS)
    client.feed(server.data_to_send())
    assert (client.head_ends, client.data_ends) == (FIRST, 0)
    server.send_data(FIRST, b"data: 1\n\n")
    frame = server.data_to_send()
    client.feed(frame)
    assert (client.head_ends, client.data_ends) == (0, FIRST)
    server.ping(b"12345678")
    ping = server.data_to_send()
    for data, ends in ((frame + ping, 0), (frame + frame[:4], 0), (frame[4:], FIRST)):
        client.feed(data)
        assert client.data_ends == ends
    server.send_data(FIRST, b"data: 2\n\n", pad_length=2)
    client.feed(server.data_to_send())
    assert client.data_ends == 0
    server.end_stream(FIRST)
    client.feed(server.data_to_send())
    assert client.data_ends == 0


def test_frames_may_be_split_at_every_byte() -> None:
    _, server = pair()
    server.send_headers(FIRST, FIELDS)
    server.send_data(FIRST, b"data: 1\n\n")
    data = server.data_to_send()
    for cut in range(1, len(data)):
        client, _ = pair()
        first, second = client.feed(data[:cut]), client.feed(data[cut:])
        parts = [each[FIRST] for each in (first, second) if FIRST in each]
        assert ("".join(str(part.status or "") for part in parts), b"".join(part.body for part in parts)) == (
            "200",
            b"data: 1\n\n",
        )


def test_frames_after_goaway_are_read() -> None:
    client, server = pair()
    server.send_headers(FIRST, FIELDS)
    server.send_data(FIRST, b"a")
    before = server.data_to_send()
    server.send_data(FIRST, b"b")
    after = server.data_to_send()
    goaway = bytes((0, 0, 10, 7, 0)) + bytes(4) + (FIRST).to_bytes(4) + (11).to_bytes(4) + b"no"
    assert client.feed(before + goaway + after)[FIRST].body == b"ab"
    assert client.goaway is not None
    assert (client.goaway.last_stream, client.goaway.code, client.goaway.data) == (FIRST, 11, b"no")
    assert client.data_ends == FIRST


def test_data_before_a_violation_arrives() -> None:
    client, server = pair()
    server.send_headers(FIRST, FIELDS)
    client.feed(server.data_to_send())
    assert client.feed(frame(0x0, FIRST, b"a") + frame(0x0, 99, b"x"))[FIRST].body == b"a"
    assert isinstance(client.violation, Http2ProtocolError)


def test_data_within_a_head_is_a_violation_also_in_the_next_read() -> None:
    client, server = pair()
    server.send_headers(FIRST, FIELDS)
    client.feed(server.data_to_send())
    client.feed(frame(0x1, SECOND, b"\x88"))
    with pytest.raises(Http2ProtocolError):
        client.feed(frame(0x0, FIRST, b"a"))


@pytest.mark.parametrize("status", ["20", "0200", "2" * 5000, "two"])
def test_status_has_three_digits(status: str) -> None:
    client, server = pair()
    server.send_headers(FIRST, [(":status", status)])
    with pytest.raises(Http2ProtocolError, match="the status is"):
        client.feed(server.data_to_send())


def test_reserved_bit_has_no_meaning() -> None:
    client, server = pair()
    server.send_headers(FIRST, FIELDS)
    client.feed(server.data_to_send())
    assert client.feed(frame(0x0, FIRST | 2**31, b"a"))[FIRST].body == b"a"
    assert client.data_ends == FIRST


def test_goaway_of_a_stream_is_a_violation() -> None:
    client, _ = pair()
    with pytest.raises(Http2ProtocolError):
        client.feed(frame(0x7, FIRST, bytes(8)))
    assert client.goaway is None


def test_any_order_and_any_cut_of_frames_gives_the_bodies_that_were_sent() -> None:
    chance = random.Random(9113)
    for _ in range(300):
        client, server = pair(3)
        sent, got = {1: b"", 3: b"", 5: b""}, {1: b"", 3: b"", 5: b""}
        ended: set[int] = set()
        completed: set[int] = set()
        server.send_headers(1, FIELDS)
        server.send_headers(3, FIELDS)
        for number in range(chance.randrange(1, 30)):
            stream = chance.choice((1, 3, 5))
            if number == 3:
                server.send_headers(5, [*FIELDS, ("content-length", "1000000")])
            if stream in ended or (stream == 5 and number < 3):
                server.ping(b"12345678")
                continue
            body, is_last = b"%d;" % number, stream != 5 and not chance.randrange(12)
            server.send_data(stream, body, end_stream=is_last, pad_length=chance.choice((None, None, None, 0, 9)))
            sent[stream] += body
            ended.update({stream} if is_last else ())
        data = server.data_to_send()
        while data:
            size = chance.randrange(1, 60)
            for stream, incoming in client.feed(data[:size]).items():
                got[stream] += incoming.body
                completed.update({stream} if incoming.is_complete else ())
            data = data[size:]
        assert (got, completed) == (sent, ended)


def test_windows_are_renewed_for_data_that_h2_does_not_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sseclient_cli.engine.http2.RENEWAL_BYTES", 1000)
    client, server = pair()
    for stream in (FIRST, SECOND):
        server.send_headers(stream, FIELDS)
    client.feed(server.data_to_send())
    windows = [server.local_flow_control_window(stream) for stream in (FIRST, SECOND)]
    for _ in range(10):
        server.send_data(FIRST, bytes(70))
        server.send_data(SECOND, bytes(30))
    assert server.local_flow_control_window(FIRST) == windows[0] - 1000  # the smaller one: the connection's
    client.feed(server.data_to_send())
    server.receive_data(client.take_outgoing())
    assert [server.local_flow_control_window(stream) for stream in (FIRST, SECOND)] == windows


def test_length_of_a_body_is_compared_with_its_content_length() -> None:
    client, server = pair()
    server.send_headers(FIRST, [*FIELDS, ("content-length", "3")])
    client.feed(server.data_to_send())
    with pytest.raises(Http2ProtocolError):
        client.feed((4).to_bytes(3) + b"\0\0" + FIRST.to_bytes(4) + b"four")


def test_windows_do_not_limit_a_stream() -> None:
    client, server = pair()
    server.send_headers(FIRST, FIELDS)
    for _ in range(10):
        server.send_data(FIRST, bytes(16_384))
    client.feed(server.data_to_send())
    server.receive_data(client.take_outgoing())
    assert server.local_flow_control_window(FIRST) > 2**30


def test_table_of_requests_is_limited_whatever_the_server_allows() -> None:
    client, server = pair(0)
    server.update_settings({SettingCodes.HEADER_TABLE_SIZE: 2**20})
    client.feed(server.data_to_send())
    for number in range(50):
        client.request(REQUEST[:-2] + b"X-Value: %0200d\r\n\r\n" % number)
    server.receive_data(client.take_outgoing())
    assert len(server.decoder.header_table.dynamic_entries) < 20
