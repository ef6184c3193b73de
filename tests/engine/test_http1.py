import gc
from concurrent.futures import ThreadPoolExecutor

import pytest

from sseclient_cli.engine.http1 import ResponseReader, request_bytes
from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.request.target import Target

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4;name=value\r\ndata\r\n3\r\n: x\r\n0\r\nTrailer: t\r\n\r\n"
)


def read(*pieces: bytes) -> tuple[ResponseReader, bytes]:
    reader = ResponseReader()
    return reader, b"".join(reader.feed(piece) for piece in pieces)


def test_request_has_the_headers_of_an_event_source() -> None:
    assert request_bytes(Target.parse("http://example.com:8000/a b?q=1")) == (
        b"GET /a%20b?q=1 HTTP/1.1\r\n"
        b"Host: example.com:8000\r\n"
        b"Accept: text/event-stream\r\n"
        b"Cache-Control: no-cache\r\n"
        b"Accept-Encoding: identity\r\n"
        b"User-Agent: sseclient-cli/0.1.0\r\n"
        b"\r\n"
    )


def test_callers_headers_and_body_are_sent_and_take_precedence() -> None:
    target = Target.parse("http://h/", headers=["accept: */*", "Host: other"], body="hi", bearer="t")
    lines = request_bytes(target).split(b"\r\n")
    assert lines[:4] == [b"POST / HTTP/1.1", b"accept: */*", b"Host: other", b"Authorization: Bearer t"]
    assert lines[-3:] == [b"Content-Length: 2", b"", b"hi"]
    assert b"Accept: text/event-stream" not in lines


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_chunked_body_is_returned_without_framing(size: int) -> None:
    reader, body = read(*(CHUNKED[start : start + size] for start in range(0, len(CHUNKED), size)))
    assert (reader.status, body, reader.complete) == (200, b"data: x", True)
    assert reader.headers == {"content-type": "text/event-stream", "transfer-encoding": "chunked"}


def test_body_without_a_length_ends_with_the_connection() -> None:
    reader, body = read(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata", b": x\n")
    assert (body, reader.complete, reader.ends_with_connection) == (b"data: x\n", False, True)


def test_body_with_a_length_is_complete_at_that_length() -> None:
    reader, body = read(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nda", b"ta")
    assert (body, reader.complete, reader.ends_with_connection) == (b"data", True, False)


def test_interim_responses_are_skipped() -> None:
    reader, body = read(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", CHUNKED)
    assert (reader.status, body) == (200, b"data: x")
    assert reader.headers is not None
    assert "link" not in reader.headers


def test_values_of_a_repeated_header_are_joined() -> None:
    reader, _ = read(b"HTTP/1.1 200 OK\r\nA: 1\r\nB:  x \r\na:2\r\n\r\n")
    assert reader.headers == {"a": "1, 2", "b": "x"}


@pytest.mark.parametrize("status", [204, 304])
def test_response_without_a_body_is_complete_with_its_head(status: int) -> None:
    reader, body = read(b"HTTP/1.1 %d Whatever\r\nContent-Length: 4\r\n\r\ndata" % status)
    assert (reader.status, body, reader.complete, reader.error) == (status, b"", True, None)


@pytest.mark.parametrize("rest", [b"garbage", CHUNKED, b"\r\n"])
def test_data_after_the_end_of_the_message_is_ignored(rest: bytes) -> None:
    reader, body = read(CHUNKED + rest, rest)
    assert (reader.status, body, reader.complete, reader.error) == (200, b"data: x", True, None)


def test_large_body_in_the_same_read_is_not_counted_as_head() -> None:
    reader, body = read(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000)
    assert (len(body), reader.error) == (300_000, None)


def test_interleaved_responses_do_not_mix() -> None:
    readers = [ResponseReader() for _ in range(3)]
    bodies = [b""] * 3
    for start in range(len(CHUNKED)):
        for index, reader in enumerate(readers):
            bodies[index] += reader.feed(CHUNKED[start : start + 1].replace(b"x", b"%d" % index))
    assert bodies == [b"data: 0", b"data: 1", b"data: 2"]
    assert all(reader.complete for reader in readers)


def test_readers_in_different_threads_have_separate_callbacks() -> None:
    with ThreadPoolExecutor() as threads:
        assert list(threads.map(lambda _: read(CHUNKED)[1], range(8))) == [b"data: x"] * 8


def test_reader_forms_no_reference_cycle() -> None:
    gc.collect()
    for data in (CHUNKED, CHUNKED[:-9], b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 101 x\r\n\r\n", b"x"):
        read(data)
    assert gc.collect() == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", "Transfer-Encoding 'gzip'", id="coding"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "not valid HTTP", id="not-http"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X-Pad: x\r\n" * 50_000, "larger", id="head-without-end"),
        pytest.param(b"HTTP/1.1 101 Sure\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "101", id="upgrade"),
    ],
)
def test_invalid_response_is_a_typed_error(data: bytes, words: str) -> None:
    reader, body = read(data)
    assert isinstance(reader.error, InvalidResponseError)
    assert words in str(reader.error)
    assert body == b""


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_body_with_an_unsupported_transfer_coding_is_not_returned(size: int) -> None:
    # Found by the fuzz target: with damaged data in the same read as the head, the body was returned undecoded.
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\nno chunk"
    reader, body = read(*(data[start : start + size] for start in range(0, len(data), size)))
    assert (reader.status, reader.headers, body) == (0, None, b"")
    assert "Transfer-Encoding 'gzip, chunked'" in str(reader.error)


def test_body_before_an_error_is_returned() -> None:
    reader, body = read(CHUNKED[: -len(b"0\r\nTrailer: t\r\n\r\n")] + b"zz\r\n")
    assert body == b"data: x"
    assert reader.error is not None


def test_endless_trailers_are_an_error_and_tiny_chunks_are_not() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader, body = read(head, *[b"1\r\n", b"x", b"\r\n"] * 60_000)
    assert (len(body), reader.error) == (60_000, None)
    reader, body = read(head, b"1\r\nx\r\n", b"0\r\nA: ", *[b"x" * 1000] * 300)
    assert body == b"x"
    assert "larger" in str(reader.error)


def test_post_without_a_body_sends_content_length_zero() -> None:
    assert b"\r\nContent-Length: 0\r\n" in request_bytes(Target.parse("http://h/", method="POST"))
    assert b"Content-Length" not in request_bytes(Target.parse("http://h/"))
