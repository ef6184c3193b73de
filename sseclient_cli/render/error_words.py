"""Advice on each kind of error, in the summary of a run. ``docs/reference/errors.md`` lists all kinds."""

from __future__ import annotations

from http import HTTPStatus


def advice_on(kind: str) -> str:
    """Return advice for errors of a kind, without a full stop; empty if the message says it all.

    ``cli/advice.py`` adds advice for single causes, and for a command's own error.
    """
    status = kind.removeprefix("http-")
    return _of_status(int(status)) if status != kind else _ADVICE.get(kind, "")


def _of_status(status: int) -> str:
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    return "check the server's log at the time of the run" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""


_ADVICE = {
    "limit": "lower --connections, raise `ulimit -n`, or use more addresses with --source-address ADDRESS[,...]",
    "memory-limit": "lower --max-event-bytes or --connections",
    "event-too-large": "raise --max-event-bytes",
    "content-type": "read the response anyway with --any-content-type",
    "connect-refused": "check that the server listens on this port, and that its backlog is long enough for --ramp-up",
    "connect-timeout": "look for a firewall, use a longer --ramp-up, or wait longer with --timeout",
    "connection-lost": (
        "check the server's log and the limits of proxies in front of it (in nginx, `worker_connections` and "
        "`proxy_read_timeout`); --on-end reconnect continues"
    ),
    "read-timeout": "send heartbeats more often than --idle-timeout, or raise it",
    "unanswered": "send the response head before the first event, or wait longer with --timeout",
    "worker-lost": "check the system's log for a lack of memory, and lower --connections",
    "internal": "please report this bug; the other streams continued",
}

_UNAUTHORISED = "send credentials with --bearer-env NAME, --user or --header"
_OVERLOADED = "raise the server's limit or lower --connections; --on-end reconnect with --retry-status {} tries again"

_OF_STATUS = {
    401: _UNAUTHORISED,
    403: _UNAUTHORISED,
    404: "check the path of the URL",
    405: "use another method with --method",
    429: _OVERLOADED.format(429),
    502: "check whether the proxy reaches the server: in nginx, `proxy_pass` and the error log",
    503: _OVERLOADED.format(503),
    504: "raise the time limit of the proxy (in nginx, `proxy_read_timeout`), or answer before the first event",
}
