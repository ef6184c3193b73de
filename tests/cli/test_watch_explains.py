"""Errors of ``sse watch`` and of the preflight of ``sse bench`` for a server that does not stream events."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from asyncio.subprocess import PIPE

import pytest
from certificates import Authority
from scripted_server import CHUNKED, LAST_CHUNK, SSE, Do, Script, ScriptedServer, chunk, head

JSON = b"Content-Type: application/json\r\n"
EVENT = b"data: x\n\n"


async def sse(*arguments: str) -> tuple[int | None, str, str]:
    """Run a command to its end; return its exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sseclient_cli", *arguments, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert b"Traceback" not in err
    return process.returncode, out.decode(), " ".join(err.decode().split())


def answer(status: int, body: bytes, headers: bytes = b"") -> bytes:
    return head(status, JSON + headers + b"Content-Length: %d\r\n" % len(body)) + body


@pytest.mark.parametrize("command", [("watch",), ("bench", "-n", "1")])
@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(404, b'{"error": {"message": "no such model"}}'), "the server says: no such model"),
        (answer(500, gzip.compress(b"it broke"), b"Content-Encoding: gzip\r\n"), "the server says: it broke"),
        (answer(406, b""), "(try -H 'Accept: application/json, text/event-stream')"),
        (answer(503, b"", b"Retry-After: 7\r\n"), "--retry-status 503)"),
        (answer(405, b"", b"Allow: POST\r\n"), "Allow: POST (try -X POST)"),
        (
            answer(200, b'{"msg": "no balance"}'),
            "the server says: no balance (read the response anyway with --any-content-type",
        ),
        (b"\x15\x03\x03\x00\x02\x02\x50", "this port speaks TLS: write https:// instead of http://"),
        (answer(400, b"The plain HTTP request was sent to HTTPS port"), "this port speaks TLS: write https://"),
        (b"", "closed the connection before it answered; does this port speak TLS (https://)?"),
        (bytes.fromhex("000006 04 00 00000000 000300000080"), "the server speaks HTTP/2 only"),
        (head(101, b"Upgrade: websocket\r\nConnection: Upgrade\r\n"), "101"),
        (b"data: x\n\n", "it has no response head and starts with 'data: x'"),
    ],
)
async def test_an_error_names_the_cause_and_the_option(command: tuple[str, ...], response: bytes, words: str) -> None:
    async with ScriptedServer([response]) as server:
        code, out, err = await sse(*command, server.url)
    assert (code, out) == (3, "")
    assert words in err


async def test_a_body_without_end_does_not_hold_the_error_up() -> None:
    async with ScriptedServer([head(500, CHUNKED), chunk(b"it broke"), Do.HOLD]) as server:
        code, _, err = await sse("watch", server.url)
    assert code == 3
    assert "the server says: it broke" in err


async def test_an_error_status_at_a_reconnection_names_the_option_that_retries() -> None:
    async with ScriptedServer([head(), b"retry: 1\n", EVENT], [answer(502, b"")]) as server:
        code, out, err = await sse("watch", server.url, "--raw")
    assert (code, out) == (3, "x\n")
    assert err.endswith("(try --retry-status 502)")


async def test_credentials_that_a_redirect_dropped_are_named() -> None:
    async with (
        ScriptedServer([answer(401, b"")]) as behind,
        ScriptedServer([head(308, b"Location: %b\r\n" % behind.url.encode())]) as front,
    ):
        code, _, err = await sse("watch", front.url, "--bearer", "abc")
    assert code == 3
    assert "a redirect to another origin dropped Authorization" in err


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"data: 1\ndata: 2\n", "16 bytes received but no event: no blank line ends the event"),
        (b'{"message": "no"}', "it is JSON, not an event stream"),
        (b"data 0\n\n", "line 1 'data 0' has no colon"),
        (EVENT + b"data: half", "the stream ended inside an event, which is dropped"),
    ],
)
async def test_bytes_that_made_no_event_are_explained(body: bytes, words: str) -> None:
    async with ScriptedServer([head(), body], [head(), b"retry: 1\n", body]) as server:
        code, _, err = await sse("watch", server.url, "--no-reconnect")
        assert code == 0
        assert words in err


async def test_each_lost_connection_explains_its_bytes() -> None:
    async with ScriptedServer([head(), b"retry: 1\n\n", b"data: 1\n"]) as server:
        code, _, err = await sse("watch", server.url)
    assert code == 0
    assert "the server ended the stream; 18 bytes received but no event: no blank line ends the event" in err


async def test_stopping_in_the_middle_of_an_event_is_nothing_to_explain() -> None:
    async with ScriptedServer([head(), EVENT + b"data: half", Do.HOLD]) as server:
        code, out, err = await sse("watch", server.url, "-n", "1", "--raw")
    assert (code, out, err) == (0, "x\n", "")


@pytest.mark.parametrize("headers", [b"", b"Content-Type: text/plain\r\n"])
async def test_any_content_type_is_read_on_request_by_both(headers: bytes) -> None:
    script: Script = [head(headers=headers), EVENT]
    async with ScriptedServer(script, script, [*script, Do.HOLD]) as server:
        code, out, _ = await sse("watch", server.url, "--any-content-type", "--no-reconnect", "--raw")
        assert (code, out) == (0, "x\n")
        code, out, err = await sse("bench", server.url, "--any-content-type", "-n", "1", "--events", "1", "--json", "-")
    assert code == 0, err
    assert json.loads(out)["streams"]["opened"] == 1


async def test_the_request_before_a_run_is_retried_too() -> None:
    script: Script = [head(), EVENT, Do.HOLD]
    async with ScriptedServer([answer(429, b"busy", b"Retry-After: 0\r\n")], script, script) as server:
        retry = ("--on-end", "reconnect", "--retry-status", "429")
        code, out, err = await sse("bench", server.url, "-n", "1", "--events", "1", *retry, "--json", "-")
    assert code == 0, err
    assert json.loads(out)["streams"]["opened"] == 1
    assert "the server says: busy; next request in " in err


@pytest.mark.parametrize("verb", ["watch", "bench"])
async def test_compressed_accepts_only_codings_that_can_be_decoded(verb: str) -> None:
    packed = gzip.compress(EVENT)
    script: Script = [head(headers=SSE + b"Content-Encoding: gzip\r\n"), packed]
    more = ("--raw", "-n", "1") if verb == "watch" else ("-n", "1", "--events", "1")
    async with ScriptedServer(script, script) as server:
        code, _, err = await sse(verb, server.url, "--compressed", *more)
        assert [request.header("accept-encoding") for request in server.requests] == [b"gzip, deflate, br"] * len(
            server.requests
        )
    assert code == 0, err


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Encoding: none\r\n",
        b"X-Policy: a;\r\n  b;\r\n",
        b"X Powered By: foo\r\n",
        b"X-Name : v\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 29\r\nContent-Length: 29\r\n",
    ],
)
async def test_both_commands_read_headers_that_curl_reads(headers: bytes) -> None:
    # Chunk and length cover the same 29 bytes, so that one body serves all.
    is_chunked = b"chunked" in headers
    event = b"data: twenty-nine bytes, ok\n\n"
    body = chunk(event) + LAST_CHUNK if is_chunked else event
    script: Script = [head(headers=SSE + headers), body]
    async with ScriptedServer(script, script, script) as server:
        code, out, err = await sse("watch", server.url, "--no-reconnect", "--raw")
        assert (code, out) == (0, "twenty-nine bytes, ok\n"), err
        code, out, err = await sse("bench", server.url, "-n", "1", "--events", "1", "--json", "-")
    assert code == 0, err
    assert json.loads(out)["events"]["received"] == 1


async def test_verbose_shows_requests_responses_and_redirects_without_secrets() -> None:
    async with ScriptedServer(
        [head(307, b"Location: /b?token=hush\r\n")], [head(headers=SSE + b"Set-Cookie: sid=hush\r\n"), EVENT]
    ) as server:
        code, out, err = await sse("watch", "-v", server.url + "/a?token=hush", "--bearer", "hush", "-n", "1", "--raw")
    assert (code, out) == (0, "x\n")
    assert "hush" not in err
    for words in (
        f"* connected to 127.0.0.1:{server.port} > GET /a?token=REDACTED HTTP/1.1 > Host: 127.0.0.1:{server.port}",
        "> Authorization: REDACTED",
        "< HTTP/1.1 307 Whatever < Location: ",
        "* redirected to GET ",
        "> GET /b?token=REDACTED HTTP/1.1",
        "< HTTP/1.1 200 Whatever < Content-Type: text/event-stream < Set-Cookie: REDACTED <",
    ):
        assert words in err


async def test_verbose_names_version_and_cipher_of_tls(authority: Authority) -> None:
    context = authority.server()
    async with ScriptedServer([head(), EVENT], ssl_context=context) as server:
        code, _, err = await sse("watch", "-v", "-k", server.url, "-n", "1")
    assert code == 0
    assert "* TLSv1.3, cipher " in err
    assert ", ALPN " in err
