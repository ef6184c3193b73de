import pytest

from sseclient_cli.cli.advice import advice_of
from sseclient_cli.errors import BadStatusError, ConnectError, EventTooLargeError, SseError, WrongContentTypeError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        *((BadStatusError("", status=status), f" (try --retry-status {status})") for status in (429, 502, 503, 504)),
        (BadStatusError("", status=406), " (try -H 'Accept: application/json, text/event-stream')"),
        (BadStatusError("", status=405), " (try -X METHOD)"),
        (BadStatusError("", status=405, headers={"allow": "OPTIONS, POST"}), " (try -X POST)"),
        (WrongContentTypeError("", status=200), " (try --any-content-type to read it anyway)"),
        (EventTooLargeError(""), " (try --max-event-bytes SIZE)"),
        (BadStatusError("", status=401), ""),
        (BadStatusError("", status=500), ""),
        (ConnectError(""), ""),
    ],
)
def test_an_option_is_named_where_one_helps(error: SseError, words: str) -> None:
    assert advice_of(error) == words


def test_in_bench_the_advice_is_one_that_bench_takes() -> None:
    assert advice_of(BadStatusError("", status=503), "bench") == " (try --on-end reconnect --retry-status 503)"
