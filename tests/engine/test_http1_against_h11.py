"""Compares ResponseReader with h11 for the same bytes, split anywhere. All known differences are listed here.

``sse watch`` and the preflight use h11. A response that they accept should not fail in a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.engine.http1 import ResponseReader
from sseclient_cli.sse.response_head import HeadMender


class End(Enum):
    """How a response ends."""

    COMPLETE = "complete"
    CUT = "cut"
    INVALID = "invalid"


@dataclass
class Answer:
    """The response that a parser reads. An invalid response has only ``end``."""

    end: End
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


INVALID = Answer(End.INVALID)


def ours(pieces: list[bytes]) -> Answer:
    reader = ResponseReader()
    body = b""
    for piece in pieces:
        body += reader.feed(piece)
        if reader.complete:
            break
        if reader.error is not None:
            return INVALID
    end = End.COMPLETE if reader.complete or reader.ends_with_connection else End.CUT
    return Answer(end, reader.status, reader.headers or {}, body)


def theirs(pieces: list[bytes]) -> Answer:
    """Read like ``sse watch``: HeadMender, then h11."""
    mender = HeadMender()
    mended = [piece if mender.is_done else mender.feed(piece) for piece in pieces]
    return by_h11([*mended, b"" if mender.is_done else mender.finish()])


def by_h11(pieces: list[bytes]) -> Answer:
    connection = h11.Connection(our_role=h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    answer = Answer(End.CUT)
    for piece in [*(piece for piece in pieces if piece), b""]:  # h11 takes empty bytes as the end of the connection
        try:
            connection.receive_data(piece)
            while (event := connection.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Response):
                    answer.status = event.status_code
                    for name, value in event.headers:
                        key, text = name.decode(), value.decode("latin-1")
                        answer.headers[key] = f"{answer.headers[key]}, {text}" if key in answer.headers else text
                elif isinstance(event, h11.Data):
                    answer.body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    answer.end = End.COMPLETE
                    return answer
                elif isinstance(event, h11.ConnectionClosed):
                    return answer
        except h11.RemoteProtocolError:
            return INVALID if piece else answer
    return answer


def cut(message: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(at), len(message)]
    return [message[start:stop] for start, stop in pairwise(edges)]


def bytewise(message: bytes) -> list[bytes]:
    return [message[i : i + 1] for i in range(len(message))]


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
X = b"1\r\nx\r\n"
LAST = b"0\r\n\r\n"


# Valid responses


TOKEN = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=8).map(str.encode)
VALUE = st.lists(st.text("!\"',:;=\\~09AZaz\xa0\xff", min_size=1, max_size=4), max_size=3).map(
    lambda words: " ".join(words).encode("latin-1")
)
OWS = st.sampled_from([b"", b" ", b"   ", b"\t", b" \t "])
LINE_END = st.sampled_from([b"\r\n", b"\r\n", b"\n"])
MORE: list[list[bytes]] = [
    [],
    [b"A: 1", b"a: 2", b"A:"],
    [b"Connection: close"],
    [b"Connection: keep-alive, Upgrade", b"Upgrade: h2c"],
]
FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection", b"upgrade"})


@st.composite
def heads(draw: st.DrawFn, status: int, framing: list[bytes]) -> bytes:
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    reason = draw(st.sampled_from([b"", b" ", b" OK", b" Not at all", b" \xff"]))
    names = TOKEN.filter(lambda name: name.lower() not in FRAMING)
    others = draw(st.lists(st.tuples(names, OWS, VALUE, OWS), max_size=4))
    lines = [name + b":" + before + value + behind for name, before, value, behind in others]
    lines = draw(st.permutations([*lines, *framing, *draw(st.sampled_from(MORE))]))
    return b"".join(line + draw(LINE_END) for line in [b"HTTP/%b %d%b" % (version, status, reason), *lines, b""])


@st.composite
def chunks(draw: st.DrawFn, body: bytes) -> bytes:
    edges = draw(st.lists(st.integers(0, len(body)), max_size=4))
    pieces = [piece for piece in cut(body, edges) if piece]
    extensions = st.sampled_from([b"", b"", b";a", b";a=b", b';a="b c";d=e', b"  "])
    sizes = st.sampled_from([b"%x", b"%X", b"%04x"])
    framed = [draw(sizes) % len(piece) + draw(extensions) + b"\r\n" + piece + b"\r\n" for piece in pieces]
    trailers = draw(st.sampled_from([b"", b"Trailer: t\r\n", b"Content-Type: x\r\nA:\r\n"]))
    return b"".join([*framed, b"0", draw(extensions), b"\r\n", trailers, b"\r\n"])


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Return a valid response after interim responses. It is often truncated and sometimes followed by other data."""
    interim = draw(
        st.lists(st.sampled_from([100, 102, 103, 199]).flatmap(lambda status: heads(status, [])), max_size=2)
    )
    status = draw(st.sampled_from([200, 200, 200, 204, 304, 404, 503, 999]))
    body = draw(st.binary(max_size=40))
    length = [b"Content-Length: %d" % len(body)]
    coding = [draw(st.sampled_from([b"Transfer-Encoding: chunked", b"transfer-encoding:  chunked "]))]
    framing = draw(st.sampled_from([[], length, coding, [*coding, *length]]))
    framed = draw(chunks(body)) if framing[:1] == coding else body
    if status in (204, 304):
        framed = b""
    if framing or status in (204, 304):
        framed += draw(st.sampled_from([b"", b"", b"more", OK + b"\r\n", b"\r\n"]))
    message = b"".join([*interim, draw(heads(status, framing)), framed])
    return message[: draw(st.integers(0, len(message)))] if draw(st.booleans()) else message


@given(responses(), st.lists(st.integers(0, 400), max_size=6))
def test_valid_response_is_read_the_same_for_any_split(message: bytes, at: list[int]) -> None:
    pieces = cut(message, [min(edge, len(message)) for edge in at])
    expected = theirs([message])
    assert expected.end is not End.INVALID
    assert ours([message]) == ours(pieces) == ours(bytewise(message)) == expected == theirs(pieces)


# Invalid responses


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="not-http"),
        pytest.param(b"HTTP/1.1 20 OK\r\n\r\n", id="status-of-two-digits"),
        pytest.param(b"HTTP/1.1 099 OK\r\n\r\n", id="status-below-100"),
        pytest.param(b"HTTP/1.1 101 Sure\r\n\r\n" + OK + b"\r\n", id="unsolicited-upgrade"),
        pytest.param(OK + b"no colon\r\n\r\n", id="header-without-colon"),
        pytest.param(OK + b": x\r\n\r\n", id="header-without-name"),
        pytest.param(OK + b"A: \0\r\n\r\n", id="nul-in-a-value"),
        pytest.param(OK + b"Content-Length: x\r\n\r\n", id="length-that-is-no-number"),
        pytest.param(OK + b"Content-Length: -1\r\n\r\n", id="negative-length"),
        pytest.param(OK + b"Content-Length: +1\r\n\r\nx", id="length-with-a-sign"),
        pytest.param(OK + b"Content-Length:\r\n\r\n", id="empty-length"),
        pytest.param(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy", id="two-lengths"),
        pytest.param(OK + b"Content-Length: %d\r\n\r\n" % 10**30, id="length-beyond-64-bits"),
        pytest.param(OK + b"Transfer-Encoding: gzip\r\n\r\nx", id="unsolicited-transfer-coding"),
        pytest.param(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + X + LAST, id="two-codings"),
        pytest.param(OK + b"Transfer-Encoding:\r\n\r\nx", id="no-coding"),
        pytest.param(CHUNKED + b"g\r\nx\r\n", id="size-that-is-no-number"),
        pytest.param(CHUNKED + b"\r\nx\r\n", id="chunk-without-a-size"),
        pytest.param(CHUNKED + b"-1\r\nx\r\n", id="negative-size"),
        pytest.param(CHUNKED + b"0x1\r\nx\r\n", id="size-with-a-prefix"),
        pytest.param(CHUNKED + b"1" * 21 + b"\r\nx\r\n", id="size-beyond-64-bits"),
        pytest.param(CHUNKED + b"1\r\nxy\r\n", id="chunk-longer-than-it-says"),
        pytest.param(CHUNKED + b"2\r\nx\r\n" + LAST, id="chunk-shorter-than-it-says"),
        pytest.param(CHUNKED + b"1\nx\r\n", id="lf-after-a-size"),
        pytest.param(CHUNKED + X + b"0\r\nno colon\r\n\r\n", id="trailer-without-colon"),
    ],
)
def test_invalid_response_is_rejected_by_both_for_any_split(message: bytes) -> None:
    assert theirs([message]) == theirs(bytewise(message)) == INVALID
    for edge in range(len(message) + 1):
        assert ours(cut(message, [edge])) == INVALID
    assert ours(bytewise(message)) == INVALID


def read(body: bytes = b"", **headers: str) -> Answer:
    return Answer(End.COMPLETE, 200, {name.replace("_", "-"): value for name, value in headers.items()}, body)


TE = {"transfer_encoding": "chunked"}


INTERIM = b"HTTP/1.1 103 Early\r\nL : x\r\n\r\n"


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        # RFC 9112 5.2: a user agent "MUST replace" folds by spaces.
        pytest.param(OK + b"A: b\r\n c\r\n\td \r\n\r\n", read(a="b c d"), id="folded-lines"),
        # RFC 9112 5.1: a proxy "MUST remove any such whitespace from a response message".
        pytest.param(OK + b"A : x\r\nB: y\r\n\r\n", read(a="x", b="y"), id="space-before-the-colon"),
        pytest.param(OK + b"A(: x\r\nB: y\r\n\r\n", read(b="y"), id="name-that-is-no-token"),
        pytest.param(OK + b"PHP Warning: x: y\r\nB: y\r\n\r\n", read(b="y"), id="name-with-spaces"),
        pytest.param(OK + b"X Y: z\nB: y\n\nbody", read(b"body", b="y"), id="line-ends-without-cr"),
        # RFC 9110 8.6: a recipient "MUST either reject the message as invalid or replace" them with one.
        pytest.param(
            OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
            read(b"x", content_length="1"),
            id="the-same-length-twice",
        ),
        pytest.param(
            OK + b"Content-Length: 1, 1\r\n\r\nx", read(b"x", content_length="1"), id="the-same-length-in-a-list"
        ),
        pytest.param(
            OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + X + LAST,
            read(b"x", **TE),
            id="chunked-twice",
        ),
        pytest.param(
            OK + b"Transfer-Encoding: chunked, Chunked\r\n\r\n" + X + LAST, read(b"x", **TE), id="chunked-in-a-list"
        ),
        pytest.param(OK + b"Transfer-Encoding: identity\r\n\r\nx", read(b"x"), id="identity"),
        pytest.param(
            INTERIM + OK + b"A : x\r\nContent-Length: 1\r\n\r\nx",
            read(b"x", a="x", content_length="1"),
            id="after-an-interim-response",
        ),
    ],
)
def test_response_that_curl_accepts_is_accepted_by_both_for_any_split(message: bytes, answer: Answer) -> None:
    assert theirs([message]) == theirs(bytewise(message)) == answer
    for edge in range(len(message) + 1):
        assert ours(cut(message, [edge])) == theirs(cut(message, [edge])) == answer
    assert ours(bytewise(message)) == answer


@pytest.mark.parametrize(
    ("message", "our_answer", "their_answer"),
    [
        # RFC 9110 5.5 does not allow them, and terminals interpret them.
        pytest.param(OK + b"A: \x01\r\n\r\n", INVALID, read(a="\x01"), id="control-characters-in-values"),
        # RFC 9110 6.5.1: trailers must not contain framing fields.
        pytest.param(
            OK + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n" + X + b"0\r\nContent-Length: 1\r\n\r\n",
            INVALID,
            read(b"x", content_length="1", **TE),
            id="the-same-length-in-a-trailer",
        ),
        # This version does not exist (RFC 9112 2.3).
        pytest.param(b"HTTP/1.5 200 OK\r\n\r\n", INVALID, read(), id="unknown-version"),
        # RFC 9112 7.1.1 allows "BWS" around the parts of an extension. Each parser accepts only one of the two cases.
        pytest.param(CHUNKED + b"1 ;a=b\r\nx\r\n" + LAST, read(b"x", **TE), INVALID, id="space-before-an-extension"),
        pytest.param(CHUNKED + b"1; a = b\r\nx\r\n" + LAST, INVALID, read(b"x", **TE), id="spaces-inside-an-extension"),
        # llhttp requires the grammar of RFC 9112 7.1.1; h11 skips to the end of the line.
        pytest.param(CHUNKED + b"1;\x01\r\nx\r\n" + LAST, INVALID, read(b"x", **TE), id="invalid-extension"),
        # llhttp accepts a single LF in a head, as RFC 9112 2.2 allows. In a body this would accept chunks that are one
        # byte shorter than their size.
        pytest.param(CHUNKED + X + b"0\r\nT: t\n\r\n", INVALID, read(b"x", **TE), id="lf-after-a-trailer"),
        # Codings are "case-insensitive" (RFC 9112 7): h11 converts them to lower case.
        pytest.param(
            OK + b"Transfer-Encoding: Chunked\r\n\r\n" + X + LAST,
            read(b"x", transfer_encoding="Chunked"),
            read(b"x", **TE),
            id="the-case-of-the-coding",
        ),
        # RFC 9112 2.2, for requests: "SHOULD ignore at least one empty line (CRLF) received prior".
        pytest.param(b"\r\n\r\n" + OK + b"\r\n", read(), INVALID, id="empty-lines-before-the-response"),
        # llhttp ignores the reason phrase.
        pytest.param(b"HTTP/1.1 200 \0\r\n\r\n", read(), INVALID, id="nul-in-the-reason-phrase"),
        # llhttp parses byte by byte; h11 waits for the end of the line.
        pytest.param(b"FTP/1", INVALID, Answer(End.CUT), id="invalid-before-the-end-of-the-line"),
    ],
)
def test_differences_between_the_parsers_are_known(message: bytes, our_answer: Answer, their_answer: Answer) -> None:
    assert ours([message]) == ours(bytewise(message)) == our_answer
    assert theirs([message]) == theirs(bytewise(message)) == their_answer


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    message = draw(responses())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(message)))
        patch = draw(
            st.sampled_from([b"", b"\r", b"\n", b" ", b"\t", b"\0", b":", b"0", b"f", b";", b"\r\n\r\n", b"\xff"])
        )
        message = message[:at] + patch + message[at + draw(st.integers(0, 2)) :]
    return message


@given(damaged(), st.lists(st.integers(0, 400), max_size=6))
def test_damaged_response_never_crashes_and_is_read_the_same_for_any_split(message: bytes, at: list[int]) -> None:
    pieces = cut(message, [min(edge, len(message)) for edge in at])
    assert ours([message]) == ours(pieces) == ours(bytewise(message))
