from __future__ import annotations

import pytest

from sseclient_cli.sse.response_check import StopReason, stop_reason_for


@pytest.mark.parametrize(
    "content_type",
    [
        "text/event-stream",
        "text/event-stream;",
        "Text/Event-Stream",
        "text/event-stream ; charset=windows-1251",
        ' text/event-stream;charset="UTF-8"',
    ],
)
def test_only_the_essence_of_the_content_type_is_compared(content_type: str) -> None:
    assert stop_reason_for(200, content_type) is None


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/html", "text/event-stream-foobar", "application/x-text/event-stream", "text/event"],
)
def test_any_other_content_type_is_wrong(content_type: str | None) -> None:
    assert stop_reason_for(200, content_type) is StopReason.WRONG_CONTENT_TYPE


@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        ("text/html, text/event-stream", True),
        ("text/event-stream, text/html", False),
        ("text/event-stream, */*", True),
        ("text/event-stream, nonsense", True),
        ("text/event-stream,", True),
        ("text/event-stream;a=1, text/event-stream;b=2", True),
        ('text/event-stream;a="x, text/html"', True),
        ('text/event-stream;a="x\\", text/html', True),
        ('text/html;a="x, text/event-stream', False),
        ("text/event-stream text/html", False),
    ],
)
def test_of_several_content_types_the_last_valid_one_counts(content_type: str, accepted: bool) -> None:
    assert (stop_reason_for(200, content_type) is None) is accepted


@pytest.mark.parametrize("status", [201, 202, 205, 210, 299, 301, 304, 400, 404, 429, 500, 503])
def test_any_status_except_200_is_bad_even_with_the_right_content_type(status: int) -> None:
    assert stop_reason_for(status, "text/event-stream") is StopReason.BAD_STATUS


def test_status_204_ends_the_stream_for_good() -> None:
    assert stop_reason_for(204, "text/event-stream") is StopReason.NO_CONTENT
