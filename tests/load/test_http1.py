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


def test_what_is_not_http_is_a_typed_error() -> None:
    with pytest.raises(InvalidResponseError):
        read(b"SSH-2.0-OpenSSH_9.2\r\n")


def test_a_head_without_end_is_a_typed_error() -> None:
    with pytest.raises(InvalidResponseError, match="larger"):
        read(b"HTTP/1.1 200 OK\r\n", *[b"X-Pad: " + b"x" * 1000 + b"\r\n"] * 1000)
