from __future__ import annotations

import pytest

from sseclient_cli.protocol.reconnection import (
    MAX_RECONNECTION_TIME_MS,
    MIN_BACKOFF_MS,
    Reconnection,
    StopReason,
    last_event_id_header,
    refusal_of,
)


def told(reconnection_time_ms: int) -> Reconnection:
    """Return one that was told so by ``retry``."""
    reconnection = Reconnection()
    reconnection.reconnection_time_ms = reconnection_time_ms
    return reconnection


@pytest.mark.parametrize("delivered", [True, False])
def test_an_ended_connection_reconnects_after_three_seconds_when_the_server_named_no_time(delivered: bool) -> None:
    assert Reconnection().delay_ms_after_end(delivered=delivered) == 3000


def test_the_reconnection_time_holds_for_every_later_connection() -> None:
    reconnection = Reconnection()
    reconnection.reconnection_time_ms = 1234
    for _ in range(3):
        reconnection.connection_opened()
        assert reconnection.delay_ms_after_end(delivered=True) == 1234


def test_a_reconnection_time_is_clamped_to_a_day() -> None:
    reconnection = told(10**4000)
    assert reconnection.reconnection_time_ms == MAX_RECONNECTION_TIME_MS
    assert reconnection.delay_ms_after_end(delivered=True) == 86_400_000
    assert reconnection.delay_ms_after_failure(0.0) == 86_400_000


def test_retry_zero_reconnects_at_once_after_a_connection_that_delivered() -> None:
    reconnection = told(0)
    assert reconnection.delay_ms_after_end(delivered=True) == 0


def test_retry_zero_is_no_busy_loop_when_nothing_is_delivered() -> None:
    reconnection = told(0)
    assert reconnection.delay_ms_after_end(delivered=False) == MIN_BACKOFF_MS
    delays_ms = [reconnection.delay_ms_after_failure(0.0) for _ in range(4)]
    assert delays_ms == [100, 200, 400, 800]


def test_failures_in_a_row_double_up_to_thirty_seconds() -> None:
    reconnection = Reconnection()
    delays_ms = [reconnection.delay_ms_after_failure(0.0) for _ in range(6)]
    assert delays_ms == [3000, 6000, 12000, 24000, 30000, 30000]


def test_jitter_takes_up_to_half_but_never_goes_below_the_reconnection_time() -> None:
    reconnection = Reconnection()
    delays_ms = [reconnection.delay_ms_after_failure(1.0) for _ in range(6)]
    assert delays_ms == [3000, 3000, 6000, 12000, 15000, 15000]


def test_a_reconnection_time_above_the_limit_of_the_backoff_is_kept() -> None:
    reconnection = told(45_000)
    assert [reconnection.delay_ms_after_failure(1.0) for _ in range(3)] == [45_000] * 3


def test_an_opened_connection_ends_the_backoff() -> None:
    reconnection = Reconnection()
    for _ in range(5):
        reconnection.delay_ms_after_failure(0.5)
    reconnection.connection_opened()
    assert reconnection.delay_ms_after_failure(0.0) == 3000


def test_ten_thousand_failures_still_wait_thirty_seconds() -> None:
    reconnection = Reconnection()
    delay_ms = 0
    for _ in range(10_000):
        delay_ms = reconnection.delay_ms_after_failure(0.0)
    assert delay_ms == 30_000


def test_the_header_is_that_of_the_newest_event_id() -> None:
    reconnection = Reconnection("1")
    assert reconnection.header == b"1"
    reconnection.last_event_id = "2"
    assert reconnection.header == b"2"
    reconnection.last_event_id = ""
    assert reconnection.header is None


@pytest.mark.parametrize(
    ("event_id", "value"),
    [
        ("", None),
        ("abc", b"abc"),
        ("a" * 255, b"a" * 255),
        (" 7 ", b"7"),
        ("   ", None),
        ("a b", b"a b"),
        ("… 火", "… 火".encode()),
        ("a\x01b", None),
        ("a\x7fb", None),
        ("a\nb", None),
        ("\ud800", b"?"),
    ],
)
def test_an_event_id_becomes_a_header_value_that_http_can_carry(event_id: str, value: bytes | None) -> None:
    assert last_event_id_header(event_id) == value


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
def test_the_essence_of_the_content_type_decides(content_type: str) -> None:
    assert refusal_of(200, content_type) is None


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/html", "text/event-stream-foobar", "application/x-text/event-stream", "text/event"],
)
def test_any_other_content_type_is_refused(content_type: str | None) -> None:
    assert refusal_of(200, content_type) is StopReason.WRONG_CONTENT_TYPE


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
    assert (refusal_of(200, content_type) is None) is accepted


@pytest.mark.parametrize("status", [201, 202, 205, 210, 299, 301, 304, 400, 404, 429, 500, 503])
def test_any_status_but_200_is_refused_even_with_the_right_type(status: int) -> None:
    assert refusal_of(status, "text/event-stream") is StopReason.BAD_STATUS


def test_204_is_the_servers_way_to_say_stop() -> None:
    assert refusal_of(204, "text/event-stream") is StopReason.NO_CONTENT
