from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.client.chunk_joiner import ChunkJoiner
from sseclient_cli.sse.response_head import MAX_HEAD_BYTES


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%X;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nTrailer: x\r\n\r\n"


def unchunked(data: bytes) -> tuple[bytes, bool]:
    """Return the body that h11 reads, and whether it is complete."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    client.send(h11.EndOfMessage())
    client.receive_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
    body = b""
    while True:
        event = client.next_event()
        if isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return body, True
        elif event is h11.NEED_DATA:
            return body, False


def test_the_chunks_of_one_read_become_one() -> None:
    joiner = ChunkJoiner()
    assert joiner.feed(chunked(b"ab", b"c" * 20)[:-18]) == b"16\r\nab" + b"c" * 20 + b"\r\n"
    assert not joiner.is_done


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.lists(st.integers(0, 300), max_size=5))
def test_any_split_gives_the_same_body_at_the_earliest_byte(pieces: list[bytes], cuts: list[int]) -> None:
    whole = chunked(*pieces)
    joiner, joined, begun = ChunkJoiner(), b"", 0
    for end in sorted({*(min(cut, len(whole)) for cut in cuts), len(whole)}):
        joined += joiner.feed(whole[begun:end]) if end > begun else b""
        begun = end
        body, is_complete = unchunked(whole[:end])
        assert unchunked(joined) == (body, is_complete)
    assert (joiner.is_done, joiner.error) == (True, "")


@pytest.mark.parametrize("fault", [b"zz\r\n", b"-1\r\n", b"\r\n", b"3\r\nabcd\r\n"])
def test_a_fault_is_an_error_after_the_bytes_before_it(fault: bytes) -> None:
    joiner = ChunkJoiner()
    joined = joiner.feed(b"2\r\nab\r\n" + fault)
    assert unchunked(joined)[0].startswith(b"ab")
    assert joiner.error


def test_endless_trailers_are_an_error_instead_of_growing_memory() -> None:
    joiner = ChunkJoiner()
    assert joiner.feed(b"2\r\nab\r\n0\r\n") == b"2\r\nab\r\n"
    for _ in range(MAX_HEAD_BYTES // 1000 + 2):
        joiner.feed(b"X-A: " + b"b" * 993 + b"\r\n")
    assert "trailers" in joiner.error
