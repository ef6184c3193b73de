import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.sse.response_head import MAX_HEAD_BYTES, HeadMender, other_protocol

OK = b"HTTP/1.1 200 OK\r\n"
SETTINGS = bytes.fromhex("000006040000000000000300000080")


def repaired(*pieces: bytes) -> bytes:
    mender = HeadMender()
    passed = b"".join(piece if mender.is_done else mender.feed(piece) for piece in pieces)
    return passed if mender.is_done else passed + mender.finish()


@pytest.mark.parametrize(
    "message",
    [
        OK + b"A: b\r\n\r\nbody : x\r\n\r\n",
        OK + b"no colon\r\n: no name\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        OK + b"A : the head is not complete\r\n",
        b"data : x\n\n",
        SETTINGS,
        b"",
    ],
)
def test_ambiguous_heads_are_not_changed(message: bytes) -> None:
    assert repaired(message) == message


def test_a_body_is_not_changed() -> None:
    assert repaired(OK + b"A : b\r\n\r\nC : d\r\n\r\n") == OK + b"A: b\r\n\r\nC : d\r\n\r\n"


def test_an_endless_head_is_held_only_up_to_a_limit() -> None:
    mender = HeadMender()
    assert mender.feed(OK + b"A" * MAX_HEAD_BYTES) == OK + b"A" * MAX_HEAD_BYTES
    assert mender.is_done


@given(
    st.lists(
        st.sampled_from([OK, b"HTTP/1.1 100\r\n", b"A : b\r\n", b" c\r\n", b"\r\n", b"\n", b"X Y: z\n"]), max_size=8
    ),
    st.integers(0, 90),
)
def test_any_split_of_the_bytes_gives_the_same_result(lines: list[bytes], at: int) -> None:
    message = b"".join(lines)
    assert repaired(message) == repaired(message[:at], message[at:])
    assert repaired(message) == repaired(*(message[i : i + 1] for i in range(len(message))))


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x28", "this port speaks TLS: write https:// instead of http://"),
        (SETTINGS, "the server speaks HTTP/2 only"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "it has no response head and starts with 'SSH-2.0-OpenSSH_9.6'"),
        (b"\x1b[2J" + b"x" * 99, "it has no response head and starts with '\\x1b[2Jxxx"),
        (OK, ""),
        (b"HT", ""),
        (b"", ""),
    ],
)
def test_the_message_names_another_protocol(first: bytes, words: str) -> None:
    found = other_protocol(first)
    assert found.startswith(words)
    assert bool(found) == bool(words)
    assert found.isprintable()
