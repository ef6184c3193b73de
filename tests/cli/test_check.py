"""``sse check`` as a program: exit codes, output, and the requests that it sends."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from certificates import Authority
from in_process import InProcess
from plain_server import serving
from real_servers import serving_app
from scripted_server import Do, Script, ScriptedServer, head

from sseclient_cli.check.catalogue import Check
from sseclient_cli.check.doctor import Settings, examine
from sseclient_cli.check.probing import protocol_of
from sseclient_cli.errors import SseError
from sseclient_cli.report.check_model import CheckReport
from sseclient_cli.report.read import read_document
from sseclient_cli.request.target import Target

COMMAND = [sys.executable, "-m", "sseclient_cli"]


async def sse(*arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode()


@pytest.fixture(scope="module", name="url")
def serve_app() -> Iterator[str]:
    with serving_app("checked") as url:
        yield url


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("/ends-for-good", ["--strict", "--origin", "https://app.example", "--ignore", "cors"], 0),
        ("/ends", [], 0),
        ("/ends", ["--strict"], 1),
        ("/ends", ["--strict", "--ignore", "ids, ending"], 0),
        ("/ends-unfinished", [], 1),
    ],
)
def test_the_exit_code_says_whether_there_is_a_fault(
    path: str, options: list[str], expected: int, url: str, sse_in_process: InProcess
) -> None:
    assert sse_in_process("check", url + path, "-q", *options) == (expected, "", "")


async def test_json_on_stdout_moves_the_lines_to_stderr(url: str, tmp_path: Path) -> None:
    code, out, err = await sse("check", f"{url}/same-id?token=geheim", "--bearer", "geheim", "-z", "2s", "--json", "-")
    assert code == 1
    jsonschema.validate(json.loads(out), CheckReport.model_json_schema(by_alias=True))
    document = read_document(out, "stdout")
    assert isinstance(document, CheckReport)
    assert document.counts.faults == 1
    assert [each.name for each in document.checks if each.status == "fault"] == ["ids"]
    assert "geheim" not in out + err
    (tmp_path / "check.json").write_text(out, "utf-8")
    code, again, _ = await sse("report", str(tmp_path / "check.json"))
    assert (code, again) == (0, err)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ignore", "cors,nothing"], "--ignore 'nothing' is not a check: use redirects, content-type"),
        (["--origin", "app.example"], "--origin 'app.example' is not an origin: write it like https://"),
        (["-z", "0"], "--duration: '0' is not above 0"),
        (["-o", "check.html"], "a check has no form with this suffix: use .json, .txt"),
        (["--retry-status", "503"], "--retry-status has no effect on `sse check`"),
        (["--idle-timeout", "5s"], "--idle-timeout has no effect on `sse check`"),
    ],
)
def test_a_wrong_option_is_refused_before_any_request(
    arguments: list[str], words: str, sse_in_process: InProcess
) -> None:
    code, out, err = sse_in_process("check", "http://127.0.0.1:1/", *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_a_server_that_is_not_reachable_is_exit_code_3(sse_in_process: InProcess) -> None:
    code, _, err = sse_in_process("check", "http://127.0.0.1:1/")
    assert (code, "nothing listens" in err) == (3, True)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ([head(headers=b"Content-Type: text/html\r\n"), b"<p>"], "not text/event-stream"),
        ([head(204, b"")], "204"),
        ([Do.HOLD], "sent no response head within 1 s"),
    ],
    ids=["page", "204", "no-head"],
)
async def test_a_response_that_is_no_stream_is_an_error(script: Script, words: str) -> None:
    async with ScriptedServer(script) as server:
        with pytest.raises(SseError, match=words) as raised:
            await examine(Target.parse(server.url), Settings(duration_s=1 if Do.HOLD in script else 30))
    assert raised.value.exit_code == 3


async def test_a_request_that_may_change_something_is_sent_once() -> None:
    async with ScriptedServer([head(), b"data: 1\n\n"]) as server:
        made = await examine(Target.parse(server.url, body="{}"), Settings())
        assert [request.method for request in server.requests] == ["POST"]
    skipped = {result.check for result in made.results if "a POST may change something" in result.seen}
    assert skipped == {
        Check.REPLAY,
        Check.UNKNOWN_ID,
        Check.COMPRESSION,
        Check.HEAD,
        Check.CORS,
        Check.PREFLIGHT,
        Check.ENDING,
    }


async def test_only_safe_methods_are_sent() -> None:
    stream: Script = [head(), b"id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n", Do.HOLD]
    async with ScriptedServer(*[stream] * 9) as server:
        await examine(Target.parse(server.url), Settings(duration_s=4))
        methods = {request.method for request in server.requests}
        resumed = [request.header("last-event-id") for request in server.requests]
    assert methods == {"GET", "HEAD", "OPTIONS"}
    assert b"1" in resumed


async def test_a_reader_that_leaves_early_is_no_error(url: str) -> None:
    command = f"{' '.join(COMMAND)} check {url}/ok -z 1s | head -1; echo ${{PIPESTATUS[0]}}"
    process = await asyncio.create_subprocess_exec("bash", "-c", command, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    first, code = out.decode().splitlines()
    assert (first.startswith(f"GET {url}/ok"), code, err) == (True, "0", b"")


async def test_ctrl_c_ends_a_check() -> None:
    stream: Script = [head(), Do.HOLD]
    async with ScriptedServer(*[stream] * 9) as server:
        process = await asyncio.create_subprocess_exec(*COMMAND, "check", server.url, stdout=PIPE, stderr=PIPE)
        await server.requested(2)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")])
async def test_the_handshake_shows_whether_http2_is_offered(
    authority: Authority, offered: list[str], chosen: str
) -> None:
    context = authority.server("localhost")
    context.set_alpn_protocols(offered)

    async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(wait, ssl_context=context) as port:
        target = Target.parse(f"https://localhost:{port}/", ca_file=str(authority.file), connect_to=f"127.0.0.1:{port}")
        assert await protocol_of(target, 30) == (chosen, "")
        untrusting = Target.parse(f"https://localhost:{port}/", connect_to=f"127.0.0.1:{port}")
        protocol, problem = await protocol_of(untrusting, 30)
        assert protocol is None
        assert "certificate verify failed" in problem
