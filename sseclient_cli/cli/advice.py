"""What to type after an error: the options of the command line that fit it.

Messages of errors name facts and arguments, because a program that uses the library reads them, too.
"""

from __future__ import annotations

from sseclient_cli.errors import BadStatusError, EventTooLargeError, ProxyError, SseError, WrongContentTypeError

_OF_STATUS = {
    405: "-X METHOD",
    406: "-H 'Accept: application/json, text/event-stream'",
    415: "-H 'Content-Type: application/json'",
}
# They pass: the request was right, and the server could not answer it just then.
_PASSING = frozenset({429, 502, 503, 504})


def advice_of(error: SseError, command: str = "") -> str:
    """Return what to add to the error's line, separator included; empty where no option of the command helps."""
    options = _options_of(error, command)
    return f" (try {options})" if options else ""


def _of_status(error: BadStatusError, command: str) -> str:
    if error.status in _PASSING:
        # Of a run, only streams that reconnect retry.
        return f"{'--on-end reconnect ' if command == 'bench' else ''}--retry-status {error.status}"
    allowed = [name.strip() for name in error.headers.get("allow", "").split(",")]
    if error.status == 405:
        usable = [name for name in allowed if name in ("GET", "POST", "PUT", "PATCH")]
        return f"-X {usable[0]}" if usable else _OF_STATUS[405]
    return _OF_STATUS.get(error.status, "")


def _options_of(error: SseError, command: str) -> str:
    if isinstance(error, BadStatusError):
        return _of_status(error, command)
    if isinstance(error, WrongContentTypeError):
        return "--any-content-type to read it anyway"
    if isinstance(error, EventTooLargeError):
        return "--max-event-bytes SIZE"
    if isinstance(error, ProxyError):
        return "--proxy URL for another proxy, --proxy '' for none"
    return ""
