"""Every example of the pages runs against a server and prints the output of the page.

An example is a ```python block under a heading; the ```text block right behind it is its output.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest
from certificates import Authority
from scripted_server import CHUNKED, LAST_CHUNK, Do, Script, ScriptedServer, chunk, head

from sseclient_cli import errors

ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
DEMO_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Example:
    """One block of a page."""

    heading: str
    code: str
    output: str


def examples(page: str) -> Iterator[Example]:
    for section in (ROOT / page).read_text("utf-8").split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        for found in EXAMPLE.finditer(section):
            yield Example(heading, found["code"], found["output"] or "")


LIBRARY = {example.heading: example for example in examples("docs/reference/library.md")}


async def run(code: str, output: io.StringIO) -> None:
    """Run the code in a thread beside the server's, in an event loop of its own if it awaits anything."""
    compiled = compile(code, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)

    def example() -> None:
        done = eval(compiled, {"__name__": "example"})
        if inspect.iscoroutine(done):
            asyncio.run(done)

    with contextlib.redirect_stdout(output):
        await asyncio.to_thread(example)


def without_repetitions(text: str) -> list[str]:
    """Return the lines; a machine that is busy may well wait one turn more."""
    return [line for line, _ in groupby(text.splitlines())]


async def printed_by(code: str, server: ScriptedServer, replaced: Mapping[str, str] | None = None) -> list[str]:
    output = io.StringIO()
    for there, here in {**(replaced or {}), DEMO_URL: server.url}.items():
        assert there in code
        code = code.replace(there, here)
    await run(code, output)
    return without_repetitions(output.getvalue())


def delta(content: str) -> bytes:
    return chunk(b'data: {"choices": [{"delta": {"content": "%b"}}]}\n\n' % content.encode())


ANSWER: Script = [head(headers=CHUNKED), delta("Hello"), delta(" there.")]


@pytest.fixture(autouse=True)
def what_the_examples_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLM_TOKEN", "secret")
    Path("our-ca.pem").write_bytes(Path(authority.file).read_bytes())


@pytest.mark.parametrize("page", ["README.md", "docs/reference/library.md"])
async def test_events_are_printed(page: str) -> None:
    example = next(iter(examples(page)))
    script = [head(), b'retry: 1\nid: 1\ndata: {"seq": 1}\n\nevent: price\nid: 2\ndata: {"EUR": 1.08}\n\n']
    async with ScriptedServer(script) as server:
        printed = await printed_by(example.code, server)
    assert printed == LIBRARY["Print events"].output.splitlines()


async def test_the_next_run_continues_after_the_last_event_id() -> None:
    example = LIBRARY["Resume where the last run stopped"]
    script = [head(), b'retry: 1\nid: 41\ndata: {"seq": 41}\n\nid: 42\ndata: {"seq": 42}\n\n']
    async with ScriptedServer(script) as server:
        assert await printed_by(example.code, server) == example.output.splitlines()
    async with ScriptedServer() as server:
        assert await printed_by(example.code, server) == []
        assert server.requests[0].header("last-event-id") == b"42"


async def test_a_question_is_posted_once_and_its_answer_printed() -> None:
    example = LIBRARY["POST to a language model"]
    async with ScriptedServer([*ANSWER, chunk(b"data: [DONE]\n\n"), Do.HOLD]) as server:
        printed = await printed_by(example.code.replace("https://llm.example", DEMO_URL), server)
        assert printed == example.output.splitlines()
        (request,) = server.requests
        assert (request.method, request.path) == ("POST", "/v1/chat/completions")
        assert request.header("authorization") == b"Bearer secret"
        assert request.header("content-type") == b"application/json"
        assert json.loads(request.body)["stream"] is True


async def test_an_answer_that_ends_too_early_is_an_error() -> None:
    async with ScriptedServer([*ANSWER, LAST_CHUNK]) as server:
        with pytest.raises(EOFError):
            await printed_by(LIBRARY["POST to a language model"].code.replace("https://llm.example", DEMO_URL), server)


async def test_silence_and_states_are_shown() -> None:
    example = LIBRARY["Detect silence, and show the state"]
    async with ScriptedServer([head(), b"retry: 100\n: heartbeat\ndata: Hello\n\n", Do.HOLD]) as server:
        printed = await printed_by(example.code, server, {"read_timeout_s=30": "read_timeout_s=1"})
        assert printed == [
            line.replace("no bytes for 30 s", "no bytes for 1 s") for line in example.output.splitlines()
        ]


async def test_something_else_is_done_while_nothing_comes() -> None:
    example = LIBRARY["Do something else while waiting"]
    code = example.code.replace("timeout=5", "timeout=0.1")
    output, go_on = io.StringIO(), asyncio.Event()
    async with ScriptedServer([head(), go_on, b"data: Hello\n\n"]) as server:
        running = asyncio.ensure_future(run(code.replace(DEMO_URL, server.url), output))
        while not (output.getvalue() or running.done()):  # noqa: ASYNC110  the page's code has no event to await
            await asyncio.sleep(0.01)
        go_on.set()
        await running
    assert without_repetitions(output.getvalue()) == example.output.splitlines()


async def test_events_are_printed_without_an_event_loop() -> None:
    example = LIBRARY["Read without an event loop"]
    async with ScriptedServer([head(), b"retry: 1\ndata: 1\n\nevent: price\ndata: 2\n\n"]) as server:
        assert await printed_by(example.code, server) == example.output.splitlines()


async def test_a_new_token_is_sent_with_the_last_event_id() -> None:
    example = LIBRARY["Reconnect with a new token"]
    scripts: list[Script] = [
        [head(), b"retry: 1\nid: 1\ndata: 1\n\n", Do.HOLD],
        [head(), b"id: 2\ndata: 2\n\n"],
    ]
    async with ScriptedServer(*scripts) as server:
        assert await printed_by(example.code, server, {"sleep(3600)": "sleep(1)"}) == example.output.splitlines()
        sent = [(asked.header("authorization"), asked.header("last-event-id")) for asked in server.requests]
    assert sent == [(b"Bearer old", None), (b"Bearer new", b"1"), (b"Bearer new", b"2")]


async def test_a_client_of_the_callers_own_makes_the_requests() -> None:
    example = LIBRARY["Use your own httpx client"]
    async with ScriptedServer([head(), b"retry: 1\ndata: Hello\n\n"]) as server:
        assert await printed_by(example.code, server) == example.output.splitlines()
        request = server.requests[0]
        assert (request.path, request.header("x-team")) == ("/stream", b"blue")
        assert (request.header("authorization") or b"").startswith(b"Basic ")


async def test_an_application_is_read_without_a_server() -> None:
    example = LIBRARY["Test an application without a server"]
    output = io.StringIO()
    await run(example.code, output)
    assert output.getvalue() == example.output


async def test_errors_are_told_apart() -> None:
    example = LIBRARY["Tell errors apart"]
    async with ScriptedServer([head(503, b"Retry-After: 7\r\n")]) as server:
        assert await printed_by(example.code, server) == example.output.splitlines()
    async with ScriptedServer([]) as server:
        assert (await printed_by(example.code, server))[0].startswith("connection-lost: ")


async def test_two_streams_are_followed_at_once(authority: Authority) -> None:
    example = LIBRARY["Read two streams, and set the address"]
    script = [head(), b"retry: 1\ndata: 1\n\n"]
    async with (
        ScriptedServer(script, ssl_context=authority.server("events.example")) as elsewhere,
        ScriptedServer(script) as server,
    ):
        printed = await printed_by(example.code, server, {"127.0.0.1:8443": f"127.0.0.1:{elsewhere.port}"})
        assert elsewhere.requests[0].header("authorization") == b"Bearer secret"
        assert elsewhere.requests[0].header("host") == b"events.example"
    # The order is not promised.
    assert sorted(printed) == example.output.splitlines()


async def test_the_parser_works_with_another_http_library() -> None:
    example = LIBRARY["Use the parser alone, with any HTTP library"]
    script = [head(), b"retry: 500\nid: 1\ndata: 1\n\nid: 2\ndata: 2\n\ndata: unfinished\n"]
    async with ScriptedServer(script) as server:
        assert await printed_by(example.code, server) == example.output.splitlines()


def test_every_example_of_the_pages_is_run_here() -> None:
    source = Path(__file__).read_text("utf-8")
    assert [heading for heading in LIBRARY if f'LIBRARY["{heading}"]' not in source] == []
    for page, count in (("docs/reference/library.md", len(LIBRARY)), ("README.md", 1)):
        assert (ROOT / page).read_text("utf-8").count("```python") == len(list(examples(page))) == count


def test_the_table_of_errors_is_that_of_the_code() -> None:
    table = (ROOT / "docs/reference/library.md").read_text("utf-8").partition("## Errors")[2]
    raised_elsewhere = {
        "error",
        "unexpected-response",
        "unanswered",
        "http2",
        "internal",
        "worker-lost",
        "host-lost",
        "memory-limit",
        "cluster",
        "output",
        "publish-command",
        "answer-error",
        "answer-incomplete",
        "rpc-error",
        "tool-error",
        "no-result",
        "mcp-session",
    }
    kinds = {
        value.kind for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.SseError)
    }
    assert {kind for kind in kinds if f"`{kind}`" not in table} == raised_elsewhere


def test_the_page_of_errors_has_each_kind_once_and_no_other() -> None:
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.SseError)
    ]
    # BadStatusError has a kind for each status.
    kinds = {each.kind for each in classes if each is not errors.BadStatusError} | {"http-404"}
    rows = [
        line.split("|")[1]
        for line in (ROOT / "docs/reference/errors.md").read_text("utf-8").splitlines()
        if line[:3] == "| `"
    ]
    listed = [kind for row in rows for kind in re.findall("`([^`]+)`", row)]
    assert sorted(listed) == sorted(kinds)
