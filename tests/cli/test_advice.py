import pytest

from sseclient_cli.cli.advice import advice_of
from sseclient_cli.errors import BadStatusError, ConnectError, EventTooLargeError, SseError, WrongContentTypeError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        *((BadStatusError("", status=status), f" (try --retry-status {status})") for status in (429, 502, 503, 504)),
        (BadStatusError("", status=406), " (try -H 'Accept: application/json, text/event-stream')"),
        (BadStatusError("", status=405), " (try -X METHOD)"),
        (WrongContentTypeError("", status=200), " (try --any-content-type to read it all the same)"),
        (EventTooLargeError(""), " (try --max-event-bytes SIZE)"),
        (BadStatusError("", status=401), ""),
        (BadStatusError("", status=500), ""),
        (ConnectError(""), ""),
    ],
)
def test_an_option_is_named_where_one_helps(error: SseError, words: str) -> None:
    assert advice_of(error) == words
