"""The streams of a worker over HTTP/2, against a scripted server."""

import gzip
import socket
import struct
from contextlib import suppress
from typing import Any

import pytest
from audits import audit_of
from certificates import Authority
from h2.errors import ErrorCodes
from h2.events import PingAckReceived
from h2.settings import SettingCodes
from http2_frames import frame
from scripted_http2 import Peer, Script, http2_server

from sseclient_cli.measure.field_choice import Choice, parse_field_choice
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

RUN_S = 20.0
"""A run ends earlier, when no stream is left."""


def ran(port: int, streams: int = 1, scheme: str = "http", settings: Any = None, **plan: Any) -> Totals:
    target = Target(url=f"{scheme}://127.0.0.1:{port}/", http2=True, **(settings or {}))
    resolved = ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", port)))
    options = {
        "connections": streams,
        "duration_s": RUN_S,
        "ramp_up_s": 0,
        "sequence": parse_field_choice("id"),
        **plan,
    }
    return Worker(Shard(chain=(resolved,), plan=Plan(**options))).run()


def outcome(totals: Totals) -> tuple[int, int, dict[str, int]]:
    return totals.opened, totals.events, {kind: each.count for kind, each in totals.errors.items()}


def answered(count: int, events: int = 2) -> Script:
    """Answer requests with events, each in a frame of its own, and end the responses."""

    def script(peer: Peer) -> None:
        peer.start()
        for stream in peer.take(count):
            peer.head(stream)
            for number in range(1, events + 1):
                peer.events_of(stream, number)
            peer.h2.end_stream(stream)
        peer.send()
        peer.hold()

    return script


def test_streams_share_a_connection_and_lose_nothing() -> None:
    with http2_server(answered(20, events=30)) as server:
        totals = ran(server.port, 20)
    assert outcome(totals) == (20, 600, {})
    assert (len(server.peers), totals.connections.total()) == (1, 1)
    assert (audit_of(totals).lost, audit_of(totals).duplicated) == (0, 0)
    assert totals.latencies[Latency.CONNECT].count == 1


def test_streams_are_divided_by_the_option() -> None:
    with http2_server(answered(2)) as server:
        totals = ran(server.port, 6, streams_per_connection=2)
    assert outcome(totals) == (6, 12, {})
    assert len(server.peers) == 3


def test_streams_are_divided_by_the_limit_of_the_server() -> None:
    limit = {SettingCodes.MAX_CONCURRENT_STREAMS: 3}
    with http2_server(answered(3), answered(3), answered(1), settings=limit) as server:
        totals = ran(server.port, 7)
    assert outcome(totals) == (7, 14, {})
    assert totals.max_concurrent_streams == 3


def test_server_that_allows_no_stream_is_an_error_for_each() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        peer.hold()

    with http2_server(script, settings={SettingCodes.MAX_CONCURRENT_STREAMS: 0}) as server:
        totals = ran(server.port, 2)
    assert outcome(totals) == (0, 0, {"http2-reset-refused-stream": 2})


def test_limit_that_is_lowered_later_applies_to_the_next_streams() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        first, _ = peer.take(2)
        peer.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 1})
        peer.send()
        for stream in peer.take(2):
            peer.head(stream)
        peer.events_of(first, 1, end=True)
        peer.send()
        peer.hold()

    with http2_server(script, answered(1)) as server:
        totals = ran(server.port, 2, on_end=OnEnd.RESTART, requests=3, duration_s=1.5)
    assert totals.opened == 3
    assert len(server.peers) == 2


@pytest.mark.parametrize("code", [code for code in ErrorCodes if code is not ErrorCodes.NO_ERROR])
def test_reset_stream_has_the_code_in_its_kind_and_the_others_go_on(code: ErrorCodes) -> None:
    def script(peer: Peer) -> None:
        peer.start()
        first, second = peer.take(2)
        peer.head(second)
        peer.h2.reset_stream(first, code)
        peer.events_of(second, 1, end=True)
        peer.send()
        peer.hold()

    with http2_server(script) as server:
        totals = ran(server.port, 2)
    assert outcome(totals) == (1, 1, {f"http2-reset-{code.name.lower().replace('_', '-')}": 1})


def goes_away(code: int) -> Script:
    """Answer the first of three requests; the others are not processed."""

    def script(peer: Peer) -> None:
        peer.start()
        first, _, _ = peer.take(3)
        peer.head(first)
        peer.send()
        peer.socket.sendall((8).to_bytes(3) + b"\x07\x00" + bytes(4) + first.to_bytes(4) + code.to_bytes(4))
        peer.events_of(first, 1)
        peer.send()
        peer.events_of(first, 2, end=True)
        peer.send()
        peer.hold()

    return script


def test_goaway_with_an_error_refuses_the_streams_above_and_lets_the_others_go_on() -> None:
    with http2_server(goes_away(ErrorCodes.ENHANCE_YOUR_CALM)) as server:
        totals = ran(server.port, 3)
    assert outcome(totals) == (1, 2, {"http2-goaway": 2})


def test_requests_that_a_graceful_goaway_leaves_out_are_repeated_on_another_connection() -> None:
    with http2_server(goes_away(0), answered(2)) as server:
        totals = ran(server.port, 3)
    assert outcome(totals) == (3, 6, {})
    assert len(server.peers) == 2


def test_request_is_repeated_only_once() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        peer.take(1)
        peer.socket.sendall((8).to_bytes(3) + b"\x07\x00" + bytes(4) + bytes(8))
        peer.hold()

    with http2_server(script) as server:
        totals = ran(server.port)
    assert outcome(totals) == (0, 0, {"http2-goaway": 1})
    assert len(server.peers) == 2


def test_server_that_goes_away_before_any_request_is_not_connected_to_without_end() -> None:
    def script(peer: Peer) -> None:
        peer.h2.initiate_connection()
        peer.socket.sendall(peer.h2.data_to_send() + frame(0x7, 0, bytes(8)))
        peer.hold()

    with http2_server(script) as server:
        totals = ran(server.port, 2)
    assert outcome(totals) == (0, 0, {"http2-goaway": 2})
    assert len(server.peers) <= 4


def test_goaway_instead_of_settings_ends_the_streams() -> None:
    def script(peer: Peer) -> None:
        peer.socket.sendall(frame(0x7, 0, bytes(8)))
        peer.hold()

    with http2_server(script) as server:
        totals = ran(server.port, 2)
    assert outcome(totals) == (0, 0, {"http2-goaway": 2})


def test_lost_connection_is_noticed_while_a_body_is_decoded() -> None:
    # The wrong checksum makes the client reset the stream, on a connection that is no more.
    encoded = gzip.compress((b"data: " + b"x" * 50 + b"\n\n") * 60_000)[:-8] + bytes(8)

    def script(peer: Peer) -> None:
        peer.start()
        first, second = peer.take(2)
        peer.head(first, content_encoding="gzip")
        peer.head(second)
        for begin in range(0, len(encoded), 16_384):
            peer.h2.send_data(first, encoded[begin : begin + 16_384])
        peer.h2.ping(b"12345678")
        peer.send()
        peer.until(lambda: any(isinstance(event, PingAckReceived) for event in peer.events))  # RST discards unread data
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() sends RST

    with http2_server(script) as server:
        totals = ran(server.port, 2)
    assert totals.opened == totals.broken == 2


def test_goaway_with_an_error_explains_the_end_of_the_connection() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        (stream,) = peer.take(1)
        peer.head(stream)
        peer.events_of(stream, 1)
        peer.h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM, b"too many requests", stream)
        peer.send()

    with http2_server(script) as server:
        totals = ran(server.port)
    assert outcome(totals) == (1, 1, {"http2-goaway": 1})
    (error,) = totals.errors.values()
    assert "ENHANCE_YOUR_CALM" in error.example
    assert "too many requests" in error.example


def test_connection_that_is_cut_ends_all_its_streams() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        first, _ = peer.take(2)
        peer.head(first)
        peer.events_of(first, 1)
        peer.send()

    with http2_server(script) as server:
        totals = ran(server.port, 2)
    assert outcome(totals) == (1, 1, {"connection-lost": 2})


def test_frames_are_read_byte_by_byte() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        first, second = peer.take(2)
        for stream in (first, second):
            peer.head(stream)
            peer.events_of(stream, 1)
        peer.h2.ping(b"abcdefgh")
        peer.events_of(second, 2, end=True)
        peer.h2.send_headers(first, [("x-checksum", "1")], end_stream=True)  # trailers
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in peer.h2.data_to_send():
            peer.socket.sendall(bytes((byte,)))
        peer.hold()

    with http2_server(script) as server:
        totals = ran(server.port, 2)
    assert outcome(totals) == (2, 3, {})
    assert any(type(event).__name__ == "PingAckReceived" for event in server.peers[0].events)


def test_interim_response_precedes_the_response() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        (stream,) = peer.take(1)
        peer.h2.send_headers(stream, [(":status", "103"), ("link", "</a.css>")])
        peer.head(stream)
        peer.events_of(stream, 1, end=True)
        peer.send()
        peer.hold()

    with http2_server(script) as server:
        assert outcome(ran(server.port)) == (1, 1, {})


def test_request_body_is_sent_as_the_windows_of_the_server_allow() -> None:
    body = bytes(range(256)) * 400

    def script(peer: Peer) -> None:
        peer.start()

        def is_whole() -> bool:
            waiting = len(peer.body)
            if waiting > script_state["credited"]:
                gained = waiting - script_state["credited"]
                script_state["credited"] = waiting
                peer.h2.acknowledge_received_data(gained, peer.requests[0].stream_id or 0)
                peer.send()
            return waiting == len(body)

        script_state = {"credited": 0}
        peer.until(is_whole)
        stream = peer.requests[0].stream_id or 0
        peer.head(stream)
        peer.events_of(stream, 1, end=True)
        peer.send()
        peer.hold()

    with http2_server(script, settings={SettingCodes.INITIAL_WINDOW_SIZE: 1000}) as server:
        totals = ran(server.port, settings={"method": "POST", "body": body})
    assert outcome(totals) == (1, 1, {})
    assert server.peers[0].body == body


def test_head_that_does_not_arrive_exceeds_the_timeout() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        peer.take(1)
        peer.hold()

    with http2_server(script) as server:
        totals = ran(server.port, settings={"head_timeout_s": 0.3})
    assert outcome(totals) == (0, 0, {"unanswered": 1})


def test_settings_that_do_not_arrive_exceed_the_connect_timeout() -> None:
    with http2_server(Peer.hold) as server:
        totals = ran(server.port, 2, settings={"connect_timeout_s": 0.3})
    assert outcome(totals) == (0, 0, {"connect-timeout": 2})


def test_server_of_http1_is_named() -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(1000)
        peer.socket.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with http2_server(script) as server:
        totals = ran(server.port, 2)
    assert outcome(totals) == (0, 0, {"http2-not-offered": 2})


@pytest.mark.parametrize("protocols", [["http/1.1"], []])
def test_server_that_does_not_choose_http2_is_an_error(authority: Authority, protocols: list[str]) -> None:
    context = authority.server()
    context.set_alpn_protocols(protocols)
    with http2_server(Peer.hold, ssl_context=context) as server:
        totals = ran(
            server.port,
            scheme="https",
            settings={"tls": Target.parse("https://a/", ca_file=authority.file).tls},
        )
    assert outcome(totals) == (0, 0, {"http2-not-offered": 1})


def test_streams_share_a_tls_connection(authority: Authority) -> None:
    tls = Target.parse("https://a/", ca_file=authority.file).tls
    with http2_server(answered(5), ssl_context=authority.server()) as server:
        totals = ran(server.port, 5, scheme="https", settings={"tls": tls})
    assert outcome(totals) == (5, 10, {})
    assert totals.connections.total() == 1


def test_violation_of_the_protocol_ends_the_connection() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        peer.take(1)
        peer.socket.sendall(bytes((0, 0, 1, 0, 0)) + (99).to_bytes(4) + b"x")
        peer.hold()

    with http2_server(script) as server:
        totals = ran(server.port)
    assert outcome(totals) == (0, 0, {"http2-protocol": 1})


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (frame(0x0, 9, b"x"), "no request has opened stream 9"),
        (frame(0x1, 1, b"\x88") + frame(0x9, 1, b"x" * 16_000) * 70, "Too many continuation frames"),
        (frame(0x5, 1, (2).to_bytes(4) + b"\x82", flags=4), "Received pushed stream"),
        (frame(0x8, 1, b"\x7f\xff\xff\xff"), "FLOW_CONTROL_ERROR"),
        (frame(0x8, 0, b"\x7f\xff\xff\xff"), "flow control window"),
        (frame(0x6, 0, b"12345678") * 301, "301 frames without a response or data"),
        (frame(0x4, 0, b"") * 301, "301 frames without a response or data"),
        (frame(0x0, 1, b"") * 301, "301 frames without a response or data"),
        (frame(0x0, 1, b"\xff" + bytes(255), flags=8) * 301, "frames without a response or data"),
    ],
)
def test_hostile_frames_end_the_stream(monkeypatch: pytest.MonkeyPatch, payload: bytes, message: str) -> None:
    monkeypatch.setattr("sseclient_cli.engine.http2.MAX_FRAMES_WITHOUT_DATA", 300)

    def script(peer: Peer) -> None:
        peer.start()
        (stream,) = peer.take(1)
        if payload[3] != 1:
            peer.head(stream)
            peer.h2.ping(b"12345678")
            peer.send()
            peer.until(lambda: any(isinstance(event, PingAckReceived) for event in peer.events))
        with suppress(OSError):
            peer.socket.sendall(payload)
            while peer.socket.recv(65_536):
                pass

    with http2_server(script) as server:
        totals = ran(server.port)
    assert list(totals.errors) == ["http2-protocol"]
    assert message in totals.errors["http2-protocol"].example


def test_encoded_bodies_of_several_streams_are_decoded() -> None:
    encoded = gzip.compress(b"".join(b"id: %d\ndata: %s\n\n" % (number, b"x" * 500) for number in range(1, 1001)))

    def script(peer: Peer) -> None:
        peer.start()
        for stream in peer.take(3):
            peer.head(stream, content_encoding="gzip")
            peer.h2.send_data(stream, encoded, end_stream=True)
        peer.send()
        peer.hold()

    with http2_server(script) as server:
        totals = ran(server.port, 3)
    assert outcome(totals) == (3, 3000, {})
    assert audit_of(totals).lost == 0


def test_stream_reconnects_on_the_same_connection_with_its_last_event_id() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        first, second = peer.take(2)
        for stream in (first, second):
            peer.head(stream)
        peer.h2.send_data(first, b"retry: 1\nid: 1\ndata: x\n\n", end_stream=True)
        peer.events_of(second, 1)
        peer.send()
        third = peer.take(3)[-1]
        peer.head(third)
        peer.events_of(third, 2)
        peer.send()
        peer.hold()

    with http2_server(script) as server:
        totals = ran(server.port, 2, on_end=OnEnd.RECONNECT, duration_s=1.5)
    assert (totals.opened, totals.reconnected, totals.events, totals.errors) == (2, 1, 3, {})
    assert (b"last-event-id", b"1") in (server.peers[0].requests[-1].headers or [])


def test_redirect_stays_on_the_connection() -> None:
    def script(peer: Peer) -> None:
        peer.start()
        (stream,) = peer.take(1)
        peer.h2.send_headers(stream, [(":status", "307"), ("location", "/there")], end_stream=True)
        peer.send()
        stream = peer.take(2)[-1]
        peer.head(stream)
        peer.events_of(stream, 1, end=True)
        peer.send()
        peer.hold()

    with http2_server(script) as server:
        totals = ran(server.port)
    assert outcome(totals) == (1, 1, {})
    assert len(server.peers) == 1


def test_storm_drops_all_streams_and_connections() -> None:
    with http2_server(answered_and_held) as server:
        totals = ran(server.port, 3, on_end=OnEnd.RECONNECT, storm_s=0.5, duration_s=1.5, sequence=Choice.NONE)
    assert (totals.opened, totals.reconnected, totals.errors) == (3, 3, {})
    assert len(server.peers) == 2


def answered_and_held(peer: Peer) -> None:
    peer.start()
    for stream in peer.take(3):
        peer.head(stream)
        peer.events_of(stream, 1)
    peer.send()
    peer.hold()
