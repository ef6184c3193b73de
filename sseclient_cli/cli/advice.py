"""What to type after an error: the options of the command line that fit it.

Messages of errors name facts and arguments, because a program that uses the library reads them, too.
"""

from __future__ import annotations

from sseclient_cli.errors import BadStatusError, EventTooLargeError, SseError, WrongContentTypeError

_OF_STATUS = {
    405: "-X METHOD",
    406: "-H 'Accept: application/json, text/event-stream'",
    415: "-H 'Content-Type: application/json'",
}
# They pass: the request was right, and the server could not answer it just then.
_PASSING = frozenset({429, 502, 503, 504})


def advice_of(error: SseError) -> str:
    """Return what to add to the error's line, separator included; empty where no option helps."""
    options = _options_of(error)
    return f" (try {options})" if options else ""


def _options_of(error: SseError) -> str:
    if isinstance(error, BadStatusError):
        return f"--retry-status {error.status}" if error.status in _PASSING else _OF_STATUS.get(error.status, "")
    if isinstance(error, WrongContentTypeError):
        return "--any-content-type to read it all the same"
    if isinstance(error, EventTooLargeError):
        return "--max-event-bytes SIZE"
    return ""
