import pytest

from sseclient_cli.sse.diagnosis import MAX_BYTES, explain, explain_line


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"data 0\n\ndata 1\n\n", "line 1 'data 0' has no colon after the field's name"),
        (b": hello\n\n data: 0\n\n", "line 3 ' data: 0' has spaces around the field's name"),
        (b"data: 0\ndata: 1\n", "no blank line ends the event"),
        (b"id: 1\n\ndata: 0\n", "no blank line ends the event"),
        (b'{"message":"Internal error"}', 'it is JSON, not an event stream: \'{"message":"Internal error"}\''),
        (
            b"\r\n<b>Warning</b>: broken<br />\n",
            "it is HTML or XML, not an event stream: '<b>Warning</b>: broken<br />'",
        ),
        (b"hello\n\n", "no line is a data field; line 1 is 'hello'"),
        (b"event: x\nid: 5\n\n", "no line is a data field; line 1 is 'event: x'"),
        (b"\x1b[31mevil\n\n", "no line is a data field; line 1 is '\\x1b[31mevil'"),
    ],
)
def test_the_message_names_the_cause(body: bytes, cause: str) -> None:
    assert explain(body, len(body)) == f"{len(body):,} bytes received but no event: {cause}"


def test_a_long_body_is_diagnosed_by_its_start_and_counted_in_full() -> None:
    body = b"id: 1\n\n" + b"data: x\n" * 10_000
    assert explain(body[:MAX_BYTES], len(body)).startswith(
        "80,007 bytes received but no event: the last event is not complete"
    )


@pytest.mark.parametrize(
    "body", [b"", b": ping\n\n: ping\n\n", b"\n\n\n", b"\xef\xbb\xbf: hi\n", b"retry:2000\n\n:\n\n"]
)
def test_heartbeats_and_a_reconnection_time_need_no_explanation(body: bytes) -> None:
    assert explain(body, len(body)) == ""


def test_text_without_a_line_end_is_no_line() -> None:
    start = b'{"n":1}{"n":2}'
    assert explain_line(start, 9_000) == (
        '9,000 bytes received but no event: no line end follows \'{"n":1}{"n":2}\'; the format `chunks` needs none'
    )


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\r\n", b" "])
def test_blank_lines_need_no_explanation(body: bytes) -> None:
    assert explain_line(body, len(body)) == ""
