import json

import pytest

from sseclient_cli.errors import BadStatusError, WrongContentTypeError
from sseclient_cli.redaction import MAX_SHOWN_CHARS
from sseclient_cli.request.redirection import redirected
from sseclient_cli.request.target import Target
from sseclient_cli.response_errors import MAX_BODY_BYTES, body_message, response_error
from sseclient_cli.sse.response_check import StopReason

TARGET = Target.parse("http://h/x?token=hush")


def bad_status(
    status: int, body: bytes = b"", target: Target = TARGET, redirected_from: Target | None = None, **headers: str
) -> str:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    error = response_error(target, status, names, body, StopReason.BAD_STATUS, redirected_from=redirected_from)
    assert isinstance(error, BadStatusError)
    return str(error)


def wrong_type(content_type: str, body: bytes = b"", target: Target = TARGET) -> str:
    headers = {"content-type": content_type} if content_type else {}
    error = response_error(target, 200, headers, body, StopReason.WRONG_CONTENT_TYPE, redirected_from=None)
    assert isinstance(error, WrongContentTypeError)
    return str(error)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"error": {"message": "there is no such model", "code": "model_not_found"}}, "there is no such model"),
        ({"code": 1113, "msg": "no balance left"}, "no balance left"),
        (
            {"detail": [{"loc": ["body", "messages"], "msg": "messages is missing"}]},
            "body.messages: messages is missing",
        ),
        ({"jsonrpc": "2.0", "error": {"code": -32600, "message": "wants Accept"}}, "wants Accept"),
        ({"error": "invalid_token", "error_description": "it has expired"}, "it has expired"),
        ({"title": "Too Many", "status": 429}, "Too Many"),
        ({"errors": 3}, '{"errors": 3}'),
    ],
)
def test_the_message_of_a_json_error_is_found(document: object, words: str) -> None:
    assert body_message(json.dumps(document).encode()) == words
    assert bad_status(404, json.dumps(document).encode()).endswith(f"; the server says: {words}")


def test_a_websocket_endpoint_is_named_with_the_scheme_to_write() -> None:
    assert bad_status(426, upgrade="websocket").endswith("Upgrade: websocket; write ws:// or wss:// for a WebSocket")
    assert "ws://" not in bad_status(426, upgrade="h2c")


def test_other_bodies_are_shown_in_one_line_escaped_and_truncated() -> None:
    assert body_message(b"<h1>502</h1>\n  Bad\tGateway") == "<h1>502</h1> Bad Gateway"
    assert body_message(b"\x1b[31mred\x00") == "\\x1b[31mred\\x00"
    assert body_message(b"x" * 1000) == "x" * MAX_SHOWN_CHARS + "…"
    assert body_message(b"") == ""
    assert body_message(b"[" * 100_000).startswith("[[[")
    assert body_message("größer".encode()) == "größer"


def test_the_error_has_the_start_of_the_body() -> None:
    error = response_error(TARGET, 500, {}, b"x" * 100_000, StopReason.BAD_STATUS, redirected_from=None)
    assert error.body == b"x" * MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "404 Not Found: check the path"),
        (405, "405 Method Not Allowed: use another method"),
        (406, "406 Not Acceptable: send an Accept header with the types that the server offers"),
        (502, "502 Bad Gateway: the proxy got no valid response from the server behind it"),
        (599, "599: check the server's log"),
        (418, "418 I'm a Teapot: check the URL"),
    ],
)
def test_the_hint_depends_on_the_status(status: int, words: str) -> None:
    assert words in bad_status(status)


def test_the_message_has_the_relevant_headers() -> None:
    assert "; Allow: GET, HEAD" in bad_status(405, allow="GET, HEAD")
    assert "; WWW-Authenticate: Bearer realm" in bad_status(401, www_authenticate="Bearer realm")
    assert "; Retry-After: 60" in bad_status(429, retry_after="60")
    assert "\x1b" not in bad_status(503, retry_after="\x1b[31m")


def test_credentials_of_the_url_are_redacted() -> None:
    assert "hush" not in bad_status(401)


def test_the_message_mentions_a_redirect_that_dropped_credentials() -> None:
    first = Target.parse("http://h/x", bearer="abc")
    second = redirected(first, 308, {"location": "https://other/y"})
    words = bad_status(401, target=second, redirected_from=first)
    assert "a redirect to another origin dropped Authorization: give the stream's own URL" in words


def test_the_message_mentions_a_redirect_that_turned_post_into_get() -> None:
    first = Target.parse("http://h/x", body="{}")
    second = redirected(first, 302, {"location": "/y"})
    words = bad_status(405, target=second, redirected_from=first)
    assert "answered 405 Method Not Allowed: a redirect turned POST into GET: give the stream's own URL" in words
    assert words.count("a redirect turned POST into GET") == 1
    assert "a redirect turned POST into GET" in bad_status(400, target=second, redirected_from=first)


@pytest.mark.parametrize(
    ("content_type", "words"),
    [
        ("", "no Content-Type, not text/event-stream: the server must send Content-Type: text/event-stream"),
        ("text/plain; charset=utf-8", "not text/event-stream: the server must send Content-Type: text/event-stream"),
        ("application/x-ndjson", "this is newline-delimited JSON, which is another format"),
        ("text/html", "this is a web page: check the URL"),
        ("application/json", "this is a single JSON response, not a stream"),
        ("image/png", "check the URL, and whether it needs parameters to stream"),
    ],
)
def test_the_message_explains_a_wrong_content_type(content_type: str, words: str) -> None:
    assert words in wrong_type(content_type)


def test_the_message_suggests_stream_true_after_a_json_response() -> None:
    asks = Target.parse("http://h/x", body='{"model": "m"}')
    assert 'does the request need "stream": true?' in wrong_type("application/json", target=asks)
    streams = Target.parse("http://h/x", body='{"model": "m", "stream": true}')
    assert "does the request need" not in wrong_type("application/json", target=streams)
