from __future__ import annotations

import pytest

from sseclient_cli.protocol.reconnection import (
    MAX_RECONNECTION_TIME_MS,
    MIN_BACKOFF_MS,
    Reconnect,
    Reconnection,
    ReconnectReason,
    StopReason,
    last_event_id_header,
    refusal_of,
)

END = ReconnectReason.END_OF_STREAM
LOST = ReconnectReason.CONNECTION_LOST


@pytest.mark.parametrize("reason", [END, LOST])
def test_an_ended_connection_reconnects_after_three_seconds_when_the_server_named_no_time(
    reason: ReconnectReason,
) -> None:
    decision = Reconnection().connection_ended(reason, delivered=True)
    assert decision == Reconnect(delay_ms=3000, last_event_id=None, reason=reason)


def test_the_reconnection_time_holds_for_every_later_connection() -> None:
    reconnection = Reconnection()
    reconnection.reconnection_time_ms = 1234
    for _ in range(3):
        reconnection.connection_opened()
        assert reconnection.connection_ended(END, delivered=True).delay_ms == 1234


def test_a_reconnection_time_is_clamped_to_a_day() -> None:
    reconnection = Reconnection(reconnection_time_ms=10**4000)
    assert reconnection.reconnection_time_ms == MAX_RECONNECTION_TIME_MS
    assert reconnection.connection_ended(END, delivered=True).delay_ms == 86_400_000
    assert reconnection.attempt_failed(0.0).delay_ms == 86_400_000


def test_retry_zero_reconnects_at_once_after_a_connection_that_delivered() -> None:
    reconnection = Reconnection(reconnection_time_ms=0)
    assert reconnection.connection_ended(END, delivered=True).delay_ms == 0


def test_retry_zero_is_no_busy_loop_when_nothing_is_delivered() -> None:
    reconnection = Reconnection(reconnection_time_ms=0)
    assert reconnection.connection_ended(END, delivered=False).delay_ms == MIN_BACKOFF_MS
    delays_ms = [reconnection.attempt_failed(0.0).delay_ms for _ in range(4)]
    assert delays_ms == [100, 200, 400, 800]


def test_failures_in_a_row_double_up_to_thirty_seconds() -> None:
    reconnection = Reconnection()
    delays_ms = [reconnection.attempt_failed(0.0).delay_ms for _ in range(6)]
    assert delays_ms == [3000, 6000, 12000, 24000, 30000, 30000]


def test_jitter_takes_up_to_half_but_never_goes_below_the_reconnection_time() -> None:
    reconnection = Reconnection()
    delays_ms = [reconnection.attempt_failed(1.0).delay_ms for _ in range(6)]
    assert delays_ms == [3000, 3000, 6000, 12000, 15000, 15000]


def test_a_reconnection_time_above_the_limit_of_the_backoff_is_kept() -> None:
    reconnection = Reconnection(reconnection_time_ms=45_000)
    assert [reconnection.attempt_failed(1.0).delay_ms for _ in range(3)] == [45_000] * 3


def test_an_opened_connection_ends_the_backoff() -> None:
    reconnection = Reconnection()
    for _ in range(5):
        reconnection.attempt_failed(0.5)
    reconnection.connection_opened()
    assert reconnection.attempt_failed(0.0).delay_ms == 3000


def test_ten_thousand_failures_still_wait_thirty_seconds() -> None:
    reconnection = Reconnection()
    delay_ms = 0
    for _ in range(10_000):
        delay_ms = reconnection.attempt_failed(0.0).delay_ms
    assert delay_ms == 30_000


def test_every_decision_carries_the_newest_event_id() -> None:
    reconnection = Reconnection("1")
    assert reconnection.header == b"1"
    assert reconnection.attempt_failed(0.0).last_event_id == b"1"
    reconnection.last_event_id = "2"
    assert reconnection.connection_ended(LOST, delivered=True).last_event_id == b"2"
    reconnection.last_event_id = ""
    assert reconnection.connection_ended(END, delivered=True).last_event_id is None


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


@pytest.mark.parametrize("status", [201, 202, 205, 210, 299, 301, 304, 400, 404, 429, 500, 503])
def test_any_status_but_200_is_refused_even_with_the_right_type(status: int) -> None:
    assert refusal_of(status, "text/event-stream") is StopReason.BAD_STATUS


def test_204_is_the_servers_way_to_say_stop() -> None:
    assert refusal_of(204, "text/event-stream") is StopReason.NO_CONTENT
