"""The request as people type or paste it, as it arrives at a server, from `watch` and from `bench`."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from in_process import InProcess
from scripted_server import SSE as SSE_HEADERS
from scripted_server import Do, Request, Script, ScriptedServer, head

COMMAND = [sys.executable, "-m", "sseclient_cli"]
ANSWER: Script = [head(), b"data: 1\n\n", Do.HOLD]
WATCH = ("watch", "-n", "1", "--raw")
BENCH = ("bench", "-n", "1", "-z", "30s", "--events", "1", "--no-preflight", "-q")


async def sse(*arguments: str, stdin: bytes = b"", **variables: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={**os.environ, **variables}
    )
    out, err = await process.communicate(stdin)
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode()


async def asked(
    command: tuple[str, ...], url: str, *options: str, script: Script = ANSWER, stdin: bytes = b"", **variables: str
) -> Request:
    """Run a command whose URL may have {} for the server's; return the request that arrived."""
    async with ScriptedServer(script) as server:
        code, _, err = await sse(*command, url.format(server.url), *options, stdin=stdin, **variables)
        assert (code, err) == (0, "")
        (request,) = server.requests
        return request


@pytest.mark.parametrize("command", [WATCH, BENCH], ids=["watch", "bench"])
async def test_a_body_comes_from_a_file_byte_for_byte(command: tuple[str, ...], tmp_path: Path) -> None:
    content = b'{"stream": true,\r\n "bytes": "\xff\xc3\xbc"}\n'
    (tmp_path / "body").write_bytes(content)
    request = await asked(command, "{}", "-d", f"@{tmp_path / 'body'}")
    assert (request.method, request.body) == ("POST", content)


@pytest.mark.parametrize("command", [WATCH, BENCH], ids=["watch", "bench"])
async def test_a_body_comes_from_stdin(command: tuple[str, ...]) -> None:
    request = await asked(command, "{}", "--data", "@-", stdin=b'{"a": 1}')
    assert request.body == b'{"a": 1}'
    assert request.header("content-type") == b"application/json"


@pytest.mark.parametrize("command", [WATCH, BENCH], ids=["watch", "bench"])
async def test_users_cookies_and_tokens_of_the_environment_are_headers(command: tuple[str, ...]) -> None:
    request = await asked(command, "{}", "-u", "änn:p:w", "-b", "a=1; b=2", "--cookie", "c=3")
    assert request.header("authorization") == b"Basic w6RubjpwOnc="
    assert request.header("cookie") == b"a=1; b=2; c=3"
    request = await asked(command, "{}", "--bearer-env", "A_TOKEN", A_TOKEN="tok en\n")
    assert request.header("authorization") == b"Bearer tok en"


@pytest.mark.parametrize("command", [WATCH, BENCH], ids=["watch", "bench"])
async def test_a_pasted_curl_command_is_the_request(command: tuple[str, ...]) -> None:
    pasted = (
        "curl '{}/chat?x=1' \\\n  -H 'content-type: text/plain' -H 'x-key: pasted' \\\n  -b 'sid=1' "
        "--data-raw $'it\\'s' --compressed -sSN"
    )
    request = await asked(command, pasted, "-H", "X-Key: mine", "-b", "more=2")
    assert (request.method, request.path, request.body) == ("POST", "/chat?x=1", b"it's")
    assert request.header("content-type") == b"text/plain"
    assert request.header("x-key") == b"mine"
    assert request.header("cookie") == b"sid=1; more=2"
    assert request.header("accept-encoding") == b"gzip, deflate, br"


async def test_a_curl_command_without_a_content_type_sends_the_one_of_curl(tmp_path: Path) -> None:
    (tmp_path / "form").write_bytes(b"b=2\r\n")
    request = await asked(WATCH, f"curl {{}} -d a=1 -d @{tmp_path / 'form'} -u ann:pw")
    assert request.body == b"a=1&b=2"
    assert request.header("content-type") == b"application/x-www-form-urlencoded"
    assert request.header("authorization") == b"Basic YW5uOnB3"
    request = await asked(WATCH, "curl {} -d '{{}}' -H 'Authorization: pasted'", "--bearer", "mine")
    assert request.header("content-type") == b"application/json"
    assert request.header("authorization") == b"Bearer mine"


@pytest.mark.parametrize("command", [WATCH, BENCH], ids=["watch", "bench"])
async def test_a_cookie_that_a_redirect_sets_is_sent_back(command: tuple[str, ...]) -> None:
    gate: Script = [head(302, b"Set-Cookie: sid=42; Path=/\r\nLocation: /in\r\nContent-Length: 0\r\n")]
    async with ScriptedServer(gate, ANSWER) as server:
        code, _, err = await sse(*command, server.url, "-b", "mine=1")
        first, second = server.requests
    assert (code, err) == (0, "")
    assert (first.header("cookie"), second.header("cookie")) == (b"mine=1", b"mine=1; sid=42")


async def test_an_error_names_the_cookie_that_was_not_sent_back() -> None:
    sticky = head(200, SSE_HEADERS + b"Set-Cookie: NODE=a; Path=/\r\n")
    gone = head(404, b"Content-Length: 0\r\n")
    async with ScriptedServer([sticky, b"retry: 50\nid: 1\ndata: 1\n\n"], [gone]) as server:
        code, out, err = await sse("watch", server.url, "--raw")
    assert (code, out) == (3, "1\n")
    assert (
        "the server set the cookie NODE, which was not sent back: send it with --cookie 'NODE=...'"
        in err.splitlines()[-1]
    )


@pytest.mark.parametrize("command", ["watch", "bench"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["http://h/", "-d", "@/no/such/file"], "cannot read the request body from '/no/such", id="file"),
        pytest.param(["http://h/", "-d", "@"], "@FILE", id="no-file"),
        pytest.param(["http://h/", "-d", "@/dev/zero"], "larger than 64 MiB", id="endless"),
        pytest.param(["http://h/", "-u", "ann"], "write --user USER:PASS", id="no-password"),
        pytest.param(["http://h/", "-u", "a:b", "--bearer", "x"], "leave one out", id="user-and-bearer"),
        pytest.param(["http://h/", "-b", "cookies.txt"], "cookie files are not supported", id="cookie-file"),
        pytest.param(["http://h/", "-b", "a=1", "-H", "cookie: b=2"], "leave one out", id="two-cookies"),
        pytest.param(["http://h/", "-b", "a=\x01"], "control character", id="cookie-control"),
        pytest.param(["http://h/", "--bearer-env", "NO_SUCH_TOKEN"], "export NO_SUCH_TOKEN=TOKEN", id="no-variable"),
        pytest.param(["curl http://h/ -F a=b"], "-F of the curl command is not supported", id="curl-form"),
        pytest.param(["curl http://h/ -b jar"], "cookie files are not supported", id="curl-cookie-file"),
        pytest.param(["curl http://h/ -d @/no/such/file"], "cannot read the request body", id="curl-file"),
        pytest.param(["http://h/", "-N"], "events are shown as they arrive", id="habit-no-buffer"),
        pytest.param(["http://h/", "--max-time", "3"], "use --duration TIME for the run", id="habit-max-time"),
        pytest.param(["http://h/", "-T", "text/plain"], "Content-Type", id="habit-type"),
        pytest.param(["http://h/", "-t", "4"], "use --timeout TIME for a time limit", id="habit-threads"),
        pytest.param(["http://h/", "-z", "5x"], "10s, 500ms, 2m, 1h or 1m30s", id="no-time"),
        pytest.param(["http://h/", "-n", "0.5k"], "500, 1k or 2M", id="no-count"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line_and_exit_code_2(
    command: str, arguments: list[str], words: str, sse_in_process: InProcess
) -> None:
    code, out, err = sse_in_process(command, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("sse: ")
    assert err.count("\n") == 1
    assert words in err


@pytest.mark.parametrize("value", ["10s", "500ms", "1m30s", "10", " 2m"])
async def test_a_duration_as_the_body_of_a_bench_sends_nothing_and_names_z(value: str) -> None:
    async with ScriptedServer(ANSWER) as server:
        code, out, err = await sse("bench", server.url, "-n", "1", "-d", value)
        assert server.requests == []
    assert (code, out) == (2, "")
    assert err.startswith(f"sse: -d is the request body: write -z {value.strip()} for the duration")


@pytest.mark.parametrize(
    ("url", "path"), [("demo", "/load"), ("demo?rate=50", "/load?rate=50"), ("demo/stream?rate=50", "/stream?rate=50")]
)
async def test_demo_may_have_a_path_and_a_query(url: str, path: str) -> None:
    code, out, err = await sse("bench", url, "-c", "2", "--events", "1", "-z", "1m")
    assert (code, err) == (0, "")
    first, *_ = out.splitlines()
    assert first.split()[1].endswith(path)


async def test_watch_takes_demo_with_a_query() -> None:
    code, out, _ = await sse("watch", "demo?rate=50&event=tick", "-n", "2", "--event", "tick", "--raw")
    assert code == 0
    assert len(out.splitlines()) == 2


async def test_a_quiet_bench_writes_only_its_report() -> None:
    async with ScriptedServer(ANSWER) as server:
        code, out, err = await sse(*BENCH, server.url, "--json", "-")
        assert (code, err) == (0, "")
        assert out.startswith("{")
    async with ScriptedServer(ANSWER) as server:
        assert await sse(*BENCH, server.url) == (0, "", "")


@pytest.mark.parametrize(
    "command",
    [("watch", "-n", "1", "-v"), ("bench", "-n", "1", "-z", "30s", "--events", "1", "--json", "-")],
    ids=["watch", "bench"],
)
@pytest.mark.parametrize(
    ("request_text", "options", "sent"),
    [
        ("curl '{}/?token=S3CRET' -b 'sid=S3CRET' --oauth2-bearer S3CRET -H 'X-Api-Key: S3CRET'", (), 4),
        ("curl {} -u me:S3CRET -H 'Referer: http://h/?otp=S3CRET'", (), 1),
        ("{}", ("--bearer-env", "TOKEN", "-b", "sid=S3CRET"), 2),
    ],
    ids=["curl", "curl-user", "options"],
)
async def test_no_secret_of_a_request_is_shown(
    command: tuple[str, ...], request_text: str, options: tuple[str, ...], sent: int
) -> None:
    async with ScriptedServer(ANSWER, ANSWER) as server:
        code, out, err = await sse(*command, request_text.format(server.url), *options, TOKEN="S3CRET")
    assert code == 0
    for request in server.requests:
        text = f"{request.path} {request.headers}"
        assert text.count("S3CRET") == sent
        _, credentials = (request.header("authorization") or b"").decode().split(" ")
        assert credentials not in out + err
    assert "S3CRET" not in out + err
    assert "127.0.0.1" in out + err  # the request is told, without its secrets
