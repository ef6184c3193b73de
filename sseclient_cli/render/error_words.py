"""Advice on each kind of error, in the summary of a run. ``docs/reference/errors.md`` lists all kinds."""

from __future__ import annotations


def advice_on(kind: str, *, of_requests: bool = False) -> str:
    """Return advice for errors of a kind, without a full stop; empty if the message says it all.

    ``of_requests`` is for requests that are sent once. ``cli/advice.py`` adds advice for single causes, and for a
    command's own error.
    """
    return (_OF_REQUESTS.get(kind) if of_requests else None) or _ADVICE.get(kind, "")


_UNAUTHORISED = "send credentials with --bearer-env NAME, --user or --header"
_OVERLOADED = "raise the server's limit or lower --connections; --on-end reconnect with --retry-status {} tries again"
_TOO_MANY = "lower --connections or --rate, or raise the server's limit; a connection waits for Retry-After, or 1 s"

_OF_REQUESTS = {"http-429": _TOO_MANY, "http-503": _TOO_MANY}

_ADVICE = {
    "limit": "lower --connections, raise `ulimit -n`, or use more addresses with --source-address ADDRESS[,...]",
    "memory-limit": "lower --max-event-bytes or --connections",
    "event-too-large": "raise --max-event-bytes",
    "content-type": "read the response anyway with --any-content-type",
    "connect-refused": "check that the server listens on this port, and that its backlog is long enough for --ramp-up",
    "connect-timeout": "look for a firewall, use a longer --ramp-up, or wait longer with --timeout",
    "connection-lost": (
        "check the server's log, and the limits of a proxy (in nginx, `worker_connections` and `proxy_read_timeout`)"
    ),
    "read-timeout": "send heartbeats more often than --idle-timeout, or raise it",
    "unanswered": "send the response head before the first event, or wait longer with --timeout",
    "worker-lost": "check the system's log for a lack of memory, and lower --connections",
    "host-lost": "check the machine, its network, and the log of its Dask worker",
    "mcp-session": "check whether the server restarted during the run, or ends idle sessions early",
    "internal": "please report this bug; the other streams continued",
    "http-401": _UNAUTHORISED,
    "http-403": _UNAUTHORISED,
    "http-429": _OVERLOADED.format(429),
    "http-502": "check the address of the server in the proxy (in nginx, `proxy_pass`) and the log of the proxy",
    "http-503": _OVERLOADED.format(503),
    "http-504": "raise the time limit of the proxy (in nginx, `proxy_read_timeout`), or answer before the first event",
}
