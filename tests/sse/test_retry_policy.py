from __future__ import annotations

import pytest

from sseclient_cli.errors import (
    BadStatusError,
    ConnectError,
    ConnectionLostError,
    EventTooLargeError,
    InternalError,
    InvalidResponseError,
    LimitError,
    ReadTimeoutError,
    SseError,
    TlsError,
    UsageError,
    WrongContentTypeError,
)
from sseclient_cli.sse.event_stream import EventStreamParser
from sseclient_cli.sse.retry_policy import (
    MAX_RECONNECTION_TIME_MS,
    MIN_BACKOFF_MS,
    Reconnection,
    last_event_id_header,
    retry_after_ms,
)


def after_retry(reconnection_time_ms: int) -> Reconnection:
    """Return the state after a stream that has set this ``retry``."""
    reconnection = Reconnection()
    parser = EventStreamParser()
    parser.feed(
        b"retry: %b\n" % str(reconnection_time_ms).encode()
        if reconnection_time_ms < 10**9
        else b"retry: 1" + b"0" * 4000 + b"\n"
    )
    reconnection.remember(parser)
    return reconnection


def after_end(reconnection: Reconnection, *, delivered: bool = True) -> int | None:
    return reconnection.delay_ms(None, opened=True, delivered=delivered, random=0.5)


def after_failure(reconnection: Reconnection, random: float) -> int | None:
    return reconnection.delay_ms(ConnectError(""), opened=False, delivered=False, random=random)


@pytest.mark.parametrize("delivered", [True, False])
def test_an_ended_connection_reconnects_after_three_seconds_without_a_retry(delivered: bool) -> None:
    assert after_end(Reconnection(), delivered=delivered) == 3000


def test_the_reconnection_time_applies_to_all_later_connections() -> None:
    reconnection = after_retry(1234)
    for _ in range(3):
        reconnection.connection_opened()
        assert after_end(reconnection) == 1234


def test_a_reconnection_time_is_clamped_to_a_day() -> None:
    reconnection = after_retry(10**4000)
    assert after_end(reconnection) == 86_400_000
    assert after_failure(reconnection, 0.0) == 86_400_000


def test_retry_zero_reconnects_at_once_after_a_connection_with_an_event() -> None:
    reconnection = after_retry(0)
    assert after_end(reconnection) == 0


def test_retry_zero_without_an_event_does_not_cause_a_busy_loop() -> None:
    reconnection = after_retry(0)
    assert after_end(reconnection, delivered=False) == MIN_BACKOFF_MS
    delays_ms = [after_failure(reconnection, 0.0) for _ in range(4)]
    assert delays_ms == [100, 200, 400, 800]


def test_consecutive_failures_double_the_wait_up_to_thirty_seconds() -> None:
    reconnection = Reconnection()
    delays_ms = [after_failure(reconnection, 0.0) for _ in range(6)]
    assert delays_ms == [3000, 6000, 12000, 24000, 30000, 30000]


def test_jitter_reduces_the_wait_by_up_to_half_but_not_below_the_reconnection_time() -> None:
    reconnection = Reconnection()
    delays_ms = [after_failure(reconnection, 1.0) for _ in range(6)]
    assert delays_ms == [3000, 3000, 6000, 12000, 15000, 15000]


def test_a_reconnection_time_above_the_limit_of_the_backoff_is_kept() -> None:
    reconnection = after_retry(45_000)
    assert [after_failure(reconnection, 1.0) for _ in range(3)] == [45_000] * 3


def test_an_opened_connection_resets_the_backoff() -> None:
    reconnection = Reconnection()
    for _ in range(5):
        after_failure(reconnection, 0.5)
    reconnection.connection_opened()
    assert after_failure(reconnection, 0.0) == 3000


def test_ten_thousand_failures_still_wait_thirty_seconds() -> None:
    reconnection = Reconnection()
    delay_ms: int | None = 0
    for _ in range(10_000):
        delay_ms = after_failure(reconnection, 0.0)
    assert delay_ms == 30_000


@pytest.mark.parametrize(
    "error",
    [ConnectError(""), TlsError(""), ConnectionLostError(""), ReadTimeoutError(""), InvalidResponseError(""),
     LimitError("")],
    ids=lambda error: error.kind,
)  # fmt: skip
def test_transient_errors_are_retried(error: SseError) -> None:
    assert after_retry(50).delay_ms(error, opened=True, delivered=True, random=0) == 50
    assert after_retry(50).delay_ms(error, opened=False, delivered=False, random=0) == MIN_BACKOFF_MS


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize(
    "error",
    [BadStatusError("", status=503), BadStatusError("", status=204), WrongContentTypeError("", status=200),
     EventTooLargeError(""), UsageError(""), InternalError("")],
    ids=lambda error: error.kind,
)  # fmt: skip
def test_permanent_errors_are_final(error: SseError, opened: bool) -> None:
    assert Reconnection().delay_ms(error, opened=opened, delivered=False, random=0) is None


def test_a_retried_status_backs_off_like_a_failure() -> None:
    reconnection = Reconnection(retry_statuses={503})
    busy = BadStatusError("", status=503)
    delays_ms = [reconnection.delay_ms(busy, opened=False, delivered=False, random=0) for _ in range(3)]
    assert delays_ms == [3000, 6000, 12000]
    assert reconnection.delay_ms(BadStatusError("", status=500), opened=False, delivered=False, random=0) is None


@pytest.mark.parametrize("statuses", [{204}, {200, 503}, {"503"}, {600}])
def test_only_error_statuses_can_be_retried(statuses: set[int]) -> None:
    with pytest.raises(UsageError, match=r"^status [0-9]+ cannot be retried: only 400 to 599 can$"):
        Reconnection(retry_statuses=statuses)


def test_retry_after_makes_the_wait_longer_and_never_shorter() -> None:
    for seconds, delay_ms in (("1", 3000), ("7", 7000)):
        busy = BadStatusError("", status=429, headers={"retry-after": seconds})
        found = Reconnection(retry_statuses={429}).delay_ms(busy, opened=False, delivered=False, random=0)
        assert found == delay_ms


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        ({}, 0),
        ({"retry-after": "120"}, 120_000),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": "0000000000007"}, 7_000),
        ({"retry-after": "9" * 5000}, MAX_RECONNECTION_TIME_MS),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "1.5"}, 0),
        ({"retry-after": "²"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT", "date": "Fri, 31 Dec 1999 23:59:29 GMT"}, 30_000),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT", "date": "Sat, 01 Jan 2000 00:00:00 GMT"}, 0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT", "date": "Sat, 01 Jan 2000 00:00:00 GMT"}, 86_400_000),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59", "date": "Sat, 01 Jan 2000 00:00:00 GMT"}, 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_on_the_servers_clock(headers: dict[str, str], wait_ms: int) -> None:
    assert retry_after_ms(headers) == wait_ms


def test_the_header_has_the_latest_event_id() -> None:
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
def test_an_event_id_is_encoded_as_a_valid_header_value(event_id: str, value: bytes | None) -> None:
    assert last_event_id_header(event_id) == value
