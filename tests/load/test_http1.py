import pytest

from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.load.http1 import ResponseReader, request_bytes
from sseclient_cli.target import Target

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4;name=value\r\ndata\r\n3\r\n: x\r\n0\r\nTrailer: t\r\n\r\n"
)


def read(*pieces: bytes) -> tuple[ResponseReader, bytes]:
    reader = ResponseReader()
    return reader, b"".join(reader.feed(piece) for piece in pieces)


def test_a_request_says_what_an_event_source_says() -> None:
    assert request_bytes(Target.parse("http://example.com:8000/a b?q=1")) == (
        b"GET /a%20b?q=1 HTTP/1.1\r\n"
        b"Host: example.com:8000\r\n"
        b"Accept: text/event-stream\r\n"
        b"Cache-Control: no-cache\r\n"
        b"Accept-Encoding: identity\r\n"
        b"User-Agent: sseclient-cli/0.1.0\r\n"
        b"\r\n"
    )


def test_the_callers_headers_and_body_are_sent_and_come_first() -> None:
    target = Target.parse("http://h/", headers=["accept: */*", "Host: other"], body="hi", bearer="t")
    lines = request_bytes(target).split(b"\r\n")
    assert lines[:4] == [b"POST / HTTP/1.1", b"accept: */*", b"Host: other", b"Authorization: Bearer t"]
    assert lines[-3:] == [b"Content-Length: 2", b"", b"hi"]
    assert b"Accept: text/event-stream" not in lines


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_chunked_body_comes_out_without_its_frame(size: int) -> None:
    reader, body = read(*(CHUNKED[start : start + size] for start in range(0, len(CHUNKED), size)))
    assert (reader.status, body, reader.complete) == (200, b"data: x", True)
    assert reader.headers == {"content-type": "text/event-stream", "transfer-encoding": "chunked"}


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    reader, body = read(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata", b": x\n")
    assert (body, reader.complete, reader.ends_with_connection) == (b"data: x\n", False, True)


def test_a_body_with_a_length_is_complete_at_that_length() -> None:
    reader, body = read(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nda", b"ta")
    assert (body, reader.complete, reader.ends_with_connection) == (b"data", True, False)


def test_interim_responses_are_skipped() -> None:
    reader, body = read(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", CHUNKED)
    assert (reader.status, body) == (200, b"data: x")
    assert reader.headers is not None
    assert "link" not in reader.headers


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "not valid HTTP", id="not-http"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X-Pad: x\r\n" * 50_000, "larger", id="head-without-end"),
        pytest.param(b"HTTP/1.1 101 Sure\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "101", id="upgrade"),
    ],
)
def test_what_is_no_response_is_a_typed_error(data: bytes, words: str) -> None:
    reader, body = read(data)
    assert isinstance(reader.error, InvalidResponseError)
    assert words in str(reader.error)
    assert body == b""


def test_what_came_before_an_error_is_not_lost() -> None:
    reader, body = read(CHUNKED[: -len(b"0\r\nTrailer: t\r\n\r\n")] + b"zz\r\n")
    assert body == b"data: x"
    assert reader.error is not None


def test_a_post_without_a_body_says_so() -> None:
    assert b"\r\nContent-Length: 0\r\n" in request_bytes(Target.parse("http://h/", method="POST"))
    assert b"Content-Length" not in request_bytes(Target.parse("http://h/"))
