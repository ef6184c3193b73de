"""The cases that a client is not put to, and why."""

from __future__ import annotations

from conformance.clients import Client

_ES, _ENGINE, _CHROMIUM = Client.EVENT_SOURCE, Client.ENGINE, Client.CHROMIUM

_NO_HEADERS = "a page cannot give an EventSource headers"
_NO_SUCH_OPTION = "a page's EventSource has no such option"

LEFT_OUT: dict[tuple[str, Client], str] = {
    ("request-custom-headers", _CHROMIUM): _NO_HEADERS,
    ("request-header-none-skipped", _ENGINE): "its headers are lines of text, which have a value or are not there",
    ("request-header-none-skipped", _CHROMIUM): _NO_HEADERS,
    **{
        ("request-query-params-dynamic", client): "no callback: the request of a stream is one value, checked once; "
        "another query is another EventSource, with the last_event_id of this one"
        for client in (_ES, _ENGINE)
    },
    ("request-query-params-dynamic", _CHROMIUM): _NO_SUCH_OPTION,
    ("error-has-status-and-headers", _ENGINE): "it counts errors by kind, which names the status (`http-400`)",
    ("error-has-status-and-headers", _CHROMIUM): "its error event says neither",
    ("redirect-url-unchanged", _ENGINE): "no program looks at one of its streams; the document names both URLs",
    ("redirect-cross-origin-drops-auth", _CHROMIUM): _NO_HEADERS,
    ("reconnect-dns-failure", _ENGINE): "it resolves a name once, before the run, which ends if that fails",
    ("reconnect-forced-restart", _CHROMIUM): _NO_SUCH_OPTION,
    ("read-timeout", _ENGINE): "a stream that is silent is what is measured; --lifetime replaces it",
    ("read-timeout", _CHROMIUM): _NO_SUCH_OPTION,
    ("comments-capability", _CHROMIUM): _NO_SUCH_OPTION,
    ("event-size-limit", _CHROMIUM): _NO_SUCH_OPTION,
    ("many-connections", _CHROMIUM): "it opens six connections per origin over HTTP/1.1",
}

PARTLY: dict[tuple[str, Client], set[str]] = {
    **{("transfer-modes", client): {"HTTP/2 is not spoken"} for client in (_ES, _ENGINE)},
    ("transfer-modes", _CHROMIUM): {"HTTP/2 was not tried: there is nothing to compare it with"},
}
"""The parts of a case that are left out."""
