"""The cases that a client does not run, and the reasons."""

from __future__ import annotations

from conformance.clients import Client

_ES, _ENGINE, _CHROMIUM = Client.EVENT_SOURCE, Client.ENGINE, Client.CHROMIUM

_NO_HEADERS = "a page cannot give an EventSource headers"
_NO_SUCH_OPTION = "a page's EventSource has no such option"

LEFT_OUT: dict[tuple[str, Client], str] = {
    ("request-custom-headers", _CHROMIUM): _NO_HEADERS,
    ("request-header-none-skipped", _ENGINE): "its headers are text, so a header without a value is simply not given",
    ("request-header-none-skipped", _CHROMIUM): _NO_HEADERS,
    **{
        (
            "request-query-params-dynamic",
            client,
        ): "there is no callback: a source has one request, checked once; for another query, create another "
        "EventSource with this last_event_id"
        for client in (_ES, _ENGINE)
    },
    ("request-query-params-dynamic", _CHROMIUM): _NO_SUCH_OPTION,
    ("error-has-status-and-headers", _ENGINE): "it counts errors by kind, which names the status (`http-400`)",
    ("error-has-status-and-headers", _CHROMIUM): "its error event has neither",
    (
        "redirect-url-unchanged",
        _ENGINE,
    ): "its streams have no program that could read the URL; the report has both URLs",
    ("redirect-cross-origin-drops-auth", _CHROMIUM): _NO_HEADERS,
    ("reconnect-dns-failure", _ENGINE): "it resolves the name once, before the run; a failure ends the run",
    ("reconnect-forced-restart", _CHROMIUM): _NO_SUCH_OPTION,
    ("read-timeout", _ENGINE): "silence of a stream is a result here; --lifetime replaces such streams",
    ("read-timeout", _CHROMIUM): _NO_SUCH_OPTION,
    ("comments-capability", _CHROMIUM): _NO_SUCH_OPTION,
    ("event-size-limit", _CHROMIUM): _NO_SUCH_OPTION,
    ("many-connections", _CHROMIUM): "it opens six connections per origin over HTTP/1.1",
}

PARTLY: dict[tuple[str, Client], set[str]] = {
    **{("transfer-modes", client): {"HTTP/2 is not supported"} for client in (_ES, _ENGINE)},
    ("transfer-modes", _CHROMIUM): {"HTTP/2 was not tested: no other client supports it"},
}
"""The parts of a case that are left out."""
