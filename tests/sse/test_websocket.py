from __future__ import annotations

from base64 import b64encode

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side

from sseclient_cli.errors import EventTooLargeError, InvalidResponseError, WebSocketClosedError
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.framing import StreamParser
from sseclient_cli.sse.websocket import WebSocketParser


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


def text(data: str) -> bytes:
    return frame(Opcode.TEXT, data.encode())


def close(code: int, reason: str = "") -> bytes:
    return frame(Opcode.CLOSE, Close(code, reason).serialize())


def sent_by(parser: WebSocketParser) -> list[Frame]:
    """Return the frames that a server would read."""
    server = Protocol(Side.SERVER)
    server.receive_data(parser.take_outgoing())
    return [each for each in server.events_received() if isinstance(each, Frame)]


def test_it_has_the_interface_of_every_parser() -> None:
    parser: StreamParser = WebSocketParser("7")
    assert (parser.last_event_id, parser.reconnection_time_ms, parser.finish()) == ("7", None, [])
    assert parser.feed(text("x"), 5) == [Event("message", "x", "")]
    assert parser.last_event_id == "7"


def test_a_message_is_an_event_with_its_arrival_time() -> None:
    [event] = WebSocketParser().feed(text("héllo"), 5)
    assert event == Event("message", "héllo", "")
    assert event.arrived_ns == 5


def test_any_split_gives_the_same_events() -> None:
    stream = (
        text("one")
        + frame(Opcode.BINARY, b"zwei")
        + frame(Opcode.TEXT, "dré".encode()[:3], fin=False)
        + frame(Opcode.PING, b"beat")
        + frame(Opcode.CONT, "é".encode()[1:] + b"i")
        + text("x" * 70_000)
    )
    whole = WebSocketParser().feed(stream)
    assert [event.data for event in whole] == ["one", "zwei", "dréi", "x" * 70_000]
    for size in (1, 2, 3, 1000):
        parser = WebSocketParser()
        pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
        assert [event for piece in pieces for event in parser.feed(piece)] == whole
        assert (parser.comment_count, parser.ends_with_event, parser.held_bytes) == (1, True, 0)


def test_binary_data_that_is_not_utf_8_is_base64_and_says_so() -> None:
    assert WebSocketParser().feed(frame(Opcode.BINARY, b"\xff\x00")) == [
        Event("binary", b64encode(b"\xff\x00").decode(), "")
    ]


def test_a_text_message_that_is_not_utf_8_ends_the_connection_with_1007() -> None:
    parser = WebSocketParser()
    assert parser.feed(text("good") + frame(Opcode.TEXT, b"\xff") + text("later")) == [Event("message", "good", "")]
    with pytest.raises(InvalidResponseError, match="not UTF-8"):
        parser.feed(b"")
    assert parser.is_over
    assert isinstance(parser.error, InvalidResponseError)
    [answer] = sent_by(parser)
    assert Close.parse(answer.data).code == 1007


def test_pings_are_answered_and_count_as_comments() -> None:
    parser = WebSocketParser()
    items = parser.feed_in_order(
        text("a") + frame(Opcode.PING, b"beat") + text("b") + frame(Opcode.PING, b"\0\xff") + frame(Opcode.PONG, b"")
    )
    assert items == [Event("message", "a", ""), "ping beat", Event("message", "b", ""), "ping", "pong"]
    assert parser.comment_count == 3
    assert not parser.ends_with_event
    assert [(each.opcode, bytes(each.data)) for each in sent_by(parser)] == [
        (Opcode.PONG, b"beat"),
        (Opcode.PONG, b"\0\xff"),
    ]
    assert parser.take_outgoing() == b""


def test_messages_of_the_client_are_masked_text() -> None:
    parser = WebSocketParser()
    parser.send(["subscribe é", "now"])
    assert [bytes(each.data).decode() for each in sent_by(parser)] == ["subscribe é", "now"]


@pytest.mark.parametrize("code", [1000, None])
def test_a_normal_close_is_the_end_of_the_stream(code: int | None) -> None:
    parser = WebSocketParser()
    data = b"" if code is None else Close(code, "bye").serialize()
    assert parser.feed(text("last") + frame(Opcode.CLOSE, data) + text("never")) == [Event("message", "last", "")]
    assert (parser.is_over, parser.is_done, parser.error) == (True, True, None)
    assert parser.feed(text("never")) == []
    [answer] = sent_by(parser)
    assert bytes(answer.data) == data
    assert parser.diagnosis(by_server=True) == (
        "close frame without a code" if code is None else "close code 1000 (OK) bye"
    )


def test_a_server_that_goes_away_is_not_done() -> None:
    parser = WebSocketParser()
    parser.feed(close(1001, "restart"))
    assert (parser.is_over, parser.is_done, parser.error) == (True, False, None)


@pytest.mark.parametrize("code", [1002, 1008, 1011, 1012, 1013, 4001])
def test_another_close_code_is_an_error_with_code_and_reason(code: int) -> None:
    parser = WebSocketParser()
    parser.feed(close(code, "no\x1b[31m token=secret"))
    error = parser.error
    assert isinstance(error, WebSocketClosedError)
    assert (error.close_code, error.kind) == (code, f"ws-{code}")
    assert f"the server closed the WebSocket with the close code {code} (" in str(error)
    assert "\x1b" not in str(error)
    assert not parser.is_done


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x83\x00", "invalid opcode"),
        (b"\x81\x80\0\0\0\0", "incorrect masking"),
        (b"\xc1\x00", "reserved bits must be 0"),
        (b"\x80\x00", "unexpected continuation frame"),
        (b"\x88\x01\x03", "close frame too short"),
        (b"\x88\x04\x03\xe8\xff\xff", "invalid text in a close frame"),
    ],
)
def test_a_violation_of_the_protocol_is_named(data: bytes, words: str) -> None:
    parser = WebSocketParser()
    with pytest.raises(InvalidResponseError, match=words):
        parser.feed(data)
    assert parser.is_over
    assert sent_by(parser)


def test_a_message_beyond_the_limit_is_refused_at_its_head() -> None:
    parser = WebSocketParser(max_event_bytes=10)
    assert parser.feed(text("x" * 10)) == [Event("message", "x" * 10, "")]
    with pytest.raises(EventTooLargeError, match="more than 10 bytes"):
        parser.feed(text("x" * 11)[:2])
    with pytest.raises(EventTooLargeError):
        parser.feed(b"")


def test_the_limit_applies_to_all_fragments_together_after_the_events_before() -> None:
    parser = WebSocketParser(max_event_bytes=10)
    stream = text("ok") + frame(Opcode.TEXT, b"x" * 6, fin=False) + frame(Opcode.CONT, b"x" * 6)
    assert parser.feed(stream) == [Event("message", "ok", "")]
    with pytest.raises(EventTooLargeError):
        parser.feed(b"")
    [answer] = sent_by(parser)
    assert Close.parse(answer.data).code == 1009


def test_an_unfinished_message_is_held_and_reported() -> None:
    parser = WebSocketParser()
    parser.feed(frame(Opcode.TEXT, b"x" * 5000, fin=False) + frame(Opcode.CONT, b"y" * 5000)[:3000])
    assert parser.held_bytes == 8000 - 4
    assert parser.has_unfinished_event
    assert parser.diagnosis(by_server=True) == "the connection ended inside a message, which is dropped"
    assert parser.diagnosis(by_server=False) == ""
    assert not parser.is_over
