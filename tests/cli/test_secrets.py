"""No credential of a command line or of a server is in anything that a command prints or saves."""

import asyncio
import contextlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from real_processes import SSE
from scripted_server import Do, Script, ScriptedServer, head

SECRET = "hush"
QUERY = (
    f"access_token={SECRET}&jwt={SECRET}&pwd={SECRET}&sid={SECRET}&code={SECRET}&to=http%3A%2F%2Fx%2F%3Fotp%3D{SECRET}"
)
HEADERS = ("X-Api-Key: hush", "X-Auth-Token: hush", "X-JWT: hush", "X-Pwd: hush", "Cookie: a=hush",
           "Referer: http://x/?token=hush", "X-Mine: Bearer hush")  # fmt: skip
STREAM: Script = [head(), b"data: x\n\n", Do.HOLD]
CUT: Script = [head(), b"data: x\n\n"]


def to(location: str, status: int = 307) -> Script:
    return [head(status, b"Location: %b\r\nContent-Length: 0\r\n" % location.encode())]


async def said(command: str, url: str, *arguments: str, folder: Path) -> tuple[int, str]:
    """Run a command with every secret; return its exit code and all that it printed and saved."""
    path = folder / "run.json"
    options = ["--json", str(path)] if command == "bench" else []
    headers = [word for header in HEADERS for word in ("-H", header)]

    def run() -> subprocess.CompletedProcess[str]:
        words = [*SSE, command, url, *headers, *options, *arguments]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    done = await asyncio.to_thread(run)
    saved = path.read_text("utf-8") if path.exists() else ""
    if saved:
        json.loads(saved)
    return done.returncode, done.stdout + done.stderr + saved


WATCH = ("--duration", "1s")
BENCH = ("-n", "2", "-z", "700ms", "--no-preflight")
ANSWERS: list[tuple[str, Script, str]] = [
    ("not-found", [head(404)], "404"),
    ("unauthorized", [head(401, b"WWW-Authenticate: Bearer\r\n")], "401"),
    ("unavailable", [head(503)], "503"),
    ("wrong type", [head(200, b"Content-Type: text/html\r\n")], "text/html"),
    ("loop", to(f"/x?{QUERY}"), "redirects"),
    ("bad scheme", to(f"ftp://me:{SECRET}@h/?{QUERY}"), "ftp"),
    ("bad host", to(f":https://me:{SECRET}@[x?{QUERY}"), "redirects"),
    ("bad port", to(f"http://me:{SECRET}/{SECRET}@h:y/"), "redirects"),
    ("not HTTP", [b"\x00\x01 \r\n\r\n"], ""),
    ("closed", [], ""),
    ("events and the end", CUT, ""),
    ("a stream", STREAM, ""),
    ("no answer", [Do.HOLD], ""),
]


@pytest.mark.parametrize(("script", "word"), [answer[1:] for answer in ANSWERS], ids=[answer[0] for answer in ANSWERS])
@pytest.mark.parametrize("command", ["watch", "bench"])
async def test_no_answer_of_a_server_makes_a_secret_appear(
    command: str, script: Script, word: str, tmp_path: Path
) -> None:
    async with ScriptedServer(*[script] * 60) as server:
        options = WATCH if command == "watch" else BENCH
        _, text = await said(command, f"{server.url}/s?{QUERY}", *options, folder=tmp_path)
        if command == "bench":
            text += (await said("bench", f"{server.url}/s?{QUERY}", *BENCH[:4], "--timeout", "1s", folder=tmp_path))[1]
    assert word in text
    assert SECRET not in text
    assert "Traceback" not in text


async def test_a_reconnection_tells_no_secret(tmp_path: Path) -> None:
    async with ScriptedServer(CUT, [head(503)], STREAM) as server:
        _, text = await said(
            "watch", f"{server.url}/s?{QUERY}", "--retry-status", "503", "--duration", "8s", "-n", "2", folder=tmp_path
        )
    assert text.count("reconnecting in") == 2
    assert "answered 503" in text
    assert SECRET not in text


@pytest.mark.parametrize("command", ["watch", "bench"])
@pytest.mark.parametrize("url", ["http://joe:hu/hush@127.0.0.1:1/x", "http://joe:hush@127.0.0.1:1/x?token=hush",
                                 "http://joe:hush@h:99999/", "joe:hush@a..b/"])  # fmt: skip
async def test_no_password_of_a_url_is_shown(command: str, url: str, tmp_path: Path) -> None:
    code, text = await said(command, url, folder=tmp_path)
    assert code in (2, 3)
    assert SECRET not in text


async def test_a_body_and_credentials_do_not_follow_a_redirect_to_another_origin(tmp_path: Path) -> None:
    async with ScriptedServer(*[STREAM] * 8) as there, ScriptedServer(*[to(f"{there.url}/y")] * 8) as here:
        for command, options in (("watch", ("-n", "1")), ("bench", ("-n", "1", "-z", "500ms"))):
            code, text = await said(command, f"{here.url}/s", *options, "--data", "{}", folder=tmp_path)
            assert code == 3
            assert f"to another origin, {there.url}/y: its body is not sent there" in text
            assert there.requests == []
            code, text = await said(command, f"{here.url}/s", *options, folder=tmp_path)
            assert code == 0
            assert not any(b"hush" in value for _, value in there.requests[-1].headers)
            there.requests.clear()


async def test_a_name_that_idna_does_not_allow_is_connected_to(tmp_path: Path) -> None:
    async with ScriptedServer(*[STREAM] * 4) as server:
        place = ("--connect-to", f"127.0.0.1:{server.port}")
        for command, options in (("watch", ("-n", "1")), ("bench", ("-n", "1", "-z", "500ms"))):
            code, text = await said(command, "http://xn--ls8h.la/s", *options, *place, folder=tmp_path)
            assert (code, "Traceback" in text) == (0, False)
        assert {request.header("host") for request in server.requests} == {b"xn--ls8h.la"}


async def test_a_non_blocking_pipe_gets_every_event_and_the_whole_report() -> None:
    events = b"".join(b"data: %d %b\n\n" % (number, b"x" * 100) for number in range(5000))
    async with ScriptedServer([head(), events], *[STREAM] * 3) as server:
        for command, size in ((("watch", server.url, "-n", "5000", "--raw"), 500_000),
                              (("bench", server.url, "-n", "1", "-z", "500ms", "--json", "-"), 1_000)):  # fmt: skip
            code, data = await asyncio.to_thread(read_slowly, *command)
            assert code == 0
            assert len(data) > size


def read_slowly(*command: str) -> tuple[int, bytes]:
    """Run a command with a stdout that is full at once and does not block."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    process = subprocess.Popen([*SSE, *command], stdout=writer, stderr=subprocess.DEVNULL)
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.5)
        os.close(writer)
        with open(reader, "rb") as file:
            data = file.read()
        return process.wait(30), data
    finally:
        process.kill()
        process.wait()
