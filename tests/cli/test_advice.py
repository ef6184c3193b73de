"""The line for an error: arguments become options, and each code has its advice."""

from __future__ import annotations

import pytest

from sseclient_cli.cli.advice import BY_ARGUMENT, BY_CODE, SENT_ONCE, line_of, message_of
from sseclient_cli.cli.commands import ENTRIES, function_of
from sseclient_cli.cli.options.grouped import options_of
from sseclient_cli.errors import (
    BadStatusError,
    ConnectError,
    ConnectTimeoutError,
    EventTooLargeError,
    LimitError,
    ReadTimeoutError,
    SseError,
    TlsError,
    UsageError,
    WrongContentTypeError,
)

COMMANDS = {name: function_of(name) for name, entry in ENTRIES.items() if entry.has_request}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        *((BadStatusError("x", status=status), f"x (try --retry-status {status})") for status in (429, 502, 503, 504)),
        (BadStatusError("x", status=406), "x (try -H 'Accept: application/json, text/event-stream')"),
        (BadStatusError("x", status=405), "x (try -X METHOD)"),
        (BadStatusError("x", status=405, headers={"allow": "OPTIONS, POST"}), "x (try -X POST)"),
        (WrongContentTypeError("x", status=200), "x (read the response anyway with --any-content-type)"),
        (BadStatusError("x", status=401), "x"),
        (BadStatusError("x", status=500), "x"),
        (ConnectError("x"), "x"),
    ],
)
def test_an_option_is_named_where_one_helps(error: SseError, words: str) -> None:
    assert line_of(error) == words


@pytest.mark.parametrize("status", [405, 429])
def test_a_refusal_of_a_request_that_is_sent_once_has_no_advice_to_send_it_in_another_way(status: int) -> None:
    error = BadStatusError("x", status=status, headers={"allow": "GET"}, code=SENT_ONCE)
    assert line_of(error, COMMANDS["bench"]) == "x"


def test_the_advice_of_bench_names_options_of_bench() -> None:
    assert (
        line_of(BadStatusError("x", status=503), COMMANDS["bench"]) == "x (try --on-end reconnect --retry-status 503)"
    )


def test_a_method_that_a_redirect_changed_is_not_suggested_again() -> None:
    error = BadStatusError("x", status=405, headers={"allow": "POST"}, code="redirect-changed-method")
    assert line_of(error, COMMANDS["watch"]) == "x"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            UsageError("`ca_file` and `insecure` exclude each other", arguments=["ca_file", "insecure"]),
            "--cacert and --insecure exclude each other",
        ),
        (ReadTimeoutError("raise `head_timeout_s`", arguments=["head_timeout_s"]), "raise --timeout"),
        (ConnectTimeoutError("raise `connect_timeout_s`", arguments=["connect_timeout_s"]), "raise --timeout"),
        (ReadTimeoutError("raise `read_timeout_s`", arguments=["read_timeout_s"]), "raise --idle-timeout"),
        (EventTooLargeError("raise `max_event_bytes`", arguments=["max_event_bytes"]), "raise --max-event-bytes"),
        (UsageError("`bearer` is empty", arguments=["bearer"]), "--bearer is empty"),
        (ConnectError("the server says `proxy`"), "the server says `proxy`"),
    ],
)
def test_an_argument_becomes_the_option_that_sets_it(error: SseError, words: str) -> None:
    for command in COMMANDS.values():
        assert message_of(error, command) == line_of(error, command) == words
    assert line_of(error) == str(error)


@pytest.mark.parametrize(
    ("command", "error", "words"),
    [
        (
            "watch",
            TlsError("no TLS: unknown issuer", code="unknown-issuer"),
            "no TLS: unknown issuer; trust it with --cacert FILE or skip verification with --insecure",
        ),
        ("watch", TlsError("a certificate is missing", code="client-certificate-required"),
         "a certificate is missing: give one with --cert FILE"),
        ("bench", UsageError("a proxy", code="environment-proxy"),
         "a proxy: use it anyway with --proxy URL, or connect directly with --proxy ''"),
        ("bench", UsageError("a proxy", code="socks-proxy"),
         "a proxy: use an http:// proxy with --proxy URL, or none with --proxy ''"),
        ("bench", LimitError("too many: few ports", code="local-ports"),
         "too many: few ports; use more addresses with --source-address ADDRESS[,...], or widen "
         "net.ipv4.ip_local_port_range"),
        ("bench", LimitError("no memory", code="memory"),
         "no memory: lower --connections or --workers, or use a larger machine"),
        ("bench", LimitError("few files", code="open-files"),
         "few files: raise it with `ulimit -Hn`, or divide the connections with more --workers"),
        ("bench", LimitError("no worker", code="worker-processes"), "no worker: lower --workers"),
        ("bench", ReadTimeoutError("no answer", code="preflight-timeout", arguments=["head_timeout_s"]),
         "no answer: wait longer with --timeout TIME, or skip this request with --no-preflight"),
        ("bench", UsageError("`ramp_up_s` is long", code="plan", arguments=["ramp_up_s"]),
         "--ramp-up is long: raise --duration or lower --ramp-up"),
        ("bench", UsageError("`retry_statuses` need that", code="plan", arguments=["retry_statuses"]),
         "--retry-status need that: add --on-end reconnect"),
        ("watch", UsageError("not read: leave it out", code="curl-option", arguments=["duration_s"]),
         "not read: leave it out; use --duration TIME"),
        ("watch", UsageError("not read", code="curl-option", arguments=["body"]),
         "not read: use --data @FILE, and --header for its Content-Type"),
        ("watch", UsageError("not read", code="curl-option"), "not read"),
        ("watch", UsageError("$KEY", code="curl-variable", values={"variable": "KEY"}),
         "$KEY: use --bearer-env KEY for a token"),
        ("watch", LimitError("no memory", code="memory"), "no memory"),
        ("demo", LimitError("no memory", code="memory"), "no memory"),
    ],
)  # fmt: skip
def test_a_code_has_its_advice_where_the_command_has_the_options(command: str, error: SseError, words: str) -> None:
    assert line_of(error, COMMANDS.get(command)) == words


def test_notes_come_before_the_advice() -> None:
    error = TlsError("no TLS: unknown issuer", code="invalid-certificate")
    error.add_note("a redirect led there")
    assert line_of(error, COMMANDS["watch"]) == (
        "no TLS: unknown issuer; a redirect led there; skip verification with --insecure"
    )


@pytest.mark.parametrize("template", sorted({*BY_CODE.values(), *BY_ARGUMENT.values()}))
def test_each_advice_fits_a_command(template: str) -> None:
    fitting = []
    for command in COMMANDS.values():
        try:
            fitting.append(template.format(**options_of(command), variable="KEY"))
        except KeyError:
            continue
    assert fitting
