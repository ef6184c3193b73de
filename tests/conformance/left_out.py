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

OVER_HTTP2 = (_ES, _ENGINE)
"""The clients that run cases over HTTP/2 as well."""

_FRAMING = "the bytes are a framing of HTTP/1.1"
_POLICY = "the wait depends on the stream and on how a connection ended, and one case of each end is run"
_PARSER = "the transport passes the bytes of the stream on, whatever they are"

NOT_OVER_HTTP2: dict[str, str] = {
    **dict.fromkeys(("reconnect-dedup", "chunk-extensions-and-trailers"), _FRAMING),
    **dict.fromkeys(
        (
            "reconnect-retry-honoured", "reconnect-retry-bogus-keeps", "reconnect-retry-persists",
            "reconnect-retry-zero", "reconnect-default-delay", "reconnect-backoff-reset",
        ),
        _POLICY,
    ),
    **dict.fromkeys(
        (
            "mime-case-insensitive", "mime-charset-variants", "leid-null-ignored", "leid-sequence",
            "leid-updates-each-reconnect", "retry-empty", "bom-then-line-end",
        ),
        _PARSER,
    ),
}  # fmt: skip
"""The cases that a run over HTTP/2 could not fail for a reason of its own."""

PARTLY: dict[tuple[str, Client], set[str]] = {
    ("transfer-modes", _CHROMIUM): {"HTTP/2 was not tested: over http, no browser speaks it"},
}
"""The parts of a case that are left out."""
