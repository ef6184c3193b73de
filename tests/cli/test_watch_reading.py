"""The data of events, read by the command: each API of an LLM, filters, values, formats, expectations."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from in_process import InProcess
from llm_streams import ANTHROPIC, GEMINI, OLLAMA_CHAT, OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_RESPONSES, Events, body
from scripted_server import Do, Script, ScriptedServer, head
from terminal import Terminal

Serve = Callable[..., str]

ENDED = "the server ended the stream; --reconnect would send the POST again: {}\n"


@contextmanager
def scripted_server(*steps: bytes | Do) -> Iterator[str]:
    """Serve one script from a thread; yield the URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    scripts: list[Script] = [[head(), *steps]]
    server = ScriptedServer(*scripts)
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        yield server.url
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda *steps: stack.enter_context(scripted_server(*steps))


def watch(sse_in_process: InProcess, url: str, *arguments: str) -> tuple[int, str, str]:
    return sse_in_process("watch", url, "-d", "{}", *arguments)


@pytest.mark.parametrize(
    "events",
    [OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_RESPONSES, ANTHROPIC, OLLAMA_CHAT],
    ids=["chat", "completions", "responses", "anthropic", "ollama"],
)
def test_the_text_of_an_answer_ends_the_command(events: Events, serve: Serve, sse_in_process: InProcess) -> None:
    url = serve(body(events), Do.HOLD)  # the connection stays open: the mark of the end is enough
    code, out, err = watch(sse_in_process, url, "--text")
    assert (code, out) == (0, "Hello\n")
    assert "not shown" in err or events is OPENAI_COMPLETIONS


def test_a_text_without_a_mark_ends_with_the_stream(serve: Serve, sse_in_process: InProcess) -> None:
    code, out, err = watch(sse_in_process, serve(body(GEMINI)), "--text")
    assert (code, out) == (0, "Hello\n")
    assert err == "pieces not shown: 1 of reasoning (reasoning is shown on a terminal)\n" + ENDED.format("2 events")


def test_quiet_leaves_the_notes_out(serve: Serve, sse_in_process: InProcess) -> None:
    assert watch(sse_in_process, serve(body(OPENAI_COMPLETIONS)), "--text", "-q") == (0, "Hello\n", "")


def test_a_cut_answer_and_an_error_are_exit_code_1(serve: Serve, sse_in_process: InProcess) -> None:
    assert watch(sse_in_process, serve(body(ANTHROPIC[:6])), "--text", "-q") == (
        1,
        "He\n",
        "sse: the answer did not end: no finish reason and no mark of its end\n",
    )
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    assert watch(sse_in_process, serve(body(ANTHROPIC[:6]) + error, Do.HOLD), "--text", "-q") == (
        1,
        "He\n",
        "sse: the stream reported an error: Overloaded (overloaded_error)\n",
    )


def test_an_unknown_stream_gets_the_advice_to_pick(serve: Serve, sse_in_process: InProcess) -> None:
    tokens = b"".join(b'data: {"tok": "%d "}\n\n' % number for number in range(6))
    code, out, err = watch(sse_in_process, serve(tokens), "--text")
    assert (code, out, err.count("--pick delta.text")) == (1, "", 2)
    assert watch(sse_in_process, serve(tokens), "--pick", "tok", "-q") == (0, "0 1 2 3 4 5 \n", "")


KNOWN_FIELDS = r"%t %e %i %d %s %n %g %l %% \n \t \r \0 \\"

JSON = b"".join(
    b'event: %b\nid: %d\ndata: {"n": %d, "s": "%b"}\n\n' % (kind, number, number, state)
    for number, (kind, state) in enumerate([(b"a", b"on"), (b"b", b"on"), (b"a", b"off"), (b"a", b"on")])
)


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["--where", "n > `0` && s == 'on'", "--select", "n", "--raw"], "1\n3\n"),
        (["--event", "a", "--grep", '"n": [1-9]', "--select", "s", "--raw"], "off\non\n"),
        (["--select", "[n, s]", "--event", "b", "--format-string", r"%n %i %e %s %d;\n"], '1 1 b 8 [1,"on"];\n'),
        (["--select", "n", "--raw", "-n", "2"], "0\n1\n"),
        (["--expect", "s == 'off'", "--within", "60s", "--select", "n", "--raw"], "0\n1\n2\n"),
        (["--format-string", r"%g\0", "-n", "1"], "-\0"),
    ],
)
def test_events_are_filtered_selected_and_formatted(
    arguments: list[str], out: str, serve: Serve, sse_in_process: InProcess
) -> None:
    assert watch(sse_in_process, serve(JSON), "-q", *arguments) == (0, out, "")


def test_a_selected_value_is_the_data_of_each_form(serve: Serve, sse_in_process: InProcess, tmp_path: Path) -> None:
    code, out, _ = watch(sse_in_process, serve(JSON), "-q", "--json", "--select", "[n]", "-n", "1")
    assert (code, re.sub(r"[\d.]{10,}", "TIME", out)) == (
        0,
        '{"time": TIME, "type": "a", "id": "0", "data": "[0]"}\n',
    )
    code, out, _ = watch(
        sse_in_process, serve(JSON), "-q", "--select", "s", "--format-string", "%d", "-o", f"{tmp_path}/f"
    )
    assert (code, out, (tmp_path / "f").read_text()) == (0, "", "ononoffon")


def test_events_without_a_value_are_counted(serve: Serve, sse_in_process: InProcess) -> None:
    code, out, err = watch(sse_in_process, serve(b"data: 5\n\n" + JSON), "--select", "n", "--raw")
    assert (code, out) == (0, "0\n1\n2\n3\n")
    assert err == "1 event without a value of --select not shown\n" + ENDED.format("4 events")


def test_an_expected_event_that_is_late_is_exit_code_1(serve: Serve, sse_in_process: InProcess) -> None:
    url = serve(JSON, Do.HOLD)
    code, _, err = watch(sse_in_process, url, "-q", "--expect", "n > `5`", "--within", "2s")
    assert (code, err) == (
        1,
        "sse: no event meets 'n > `5`' within 2 s (--expect, read as JMESPath): received 4 events\n",
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--json", "--text"], "--json and --text exclude each other: leave one out"),
        (["--pick", "a", "--raw"], "--raw and --pick exclude each other: leave one out"),
        (["--text", "--pick", "a"], "--text and --pick exclude each other: leave one out"),
        (["--format-string", "%d", "--json"], "--json and --format-string exclude each other: leave one out"),
        (["--select", "a", "--text"], "--select and --text exclude each other: leave one out"),
        (["--until", "a", "--expect", "a"], "--until and --expect exclude each other: leave one out"),
        (["--text", "--comments"], "--text and --comments exclude each other: leave one out, or use --json"),
        (["--text", "http://127.0.0.1:2/"], "--text joins the text of one stream: give one URL"),
        (["--within", "1s"], "--within needs an end to wait for: add --expect, --until or -n, or use --duration"),
        (["--expect", ""], "--expect has no text: every event contains the empty text"),
        (["--where", "a b"], "--where 'a b' is not a JMESPath expression: 'b' at position 3 is not expected"),
        (["--select", ""], "--select '' is not a JMESPath expression: it is empty"),
        (["--pick", "a b"], "--pick 'a b' is not a JMESPath expression: 'b' at position 3 is not expected"),
        (["--grep", "["], "--grep '[' is not a regular expression: unterminated character set at position 1"),
        (["--format-string", "%"], r"--format-string has '%' at position 1: known are " + KNOWN_FIELDS),
    ],
)  # fmt: skip
def test_wrong_options_are_one_line(arguments: list[str], says: str, sse_in_process: InProcess) -> None:
    assert sse_in_process("watch", "http://127.0.0.1:1/", *arguments) == (2, "", f"sse: {says}\n")


def test_the_demo_answers_in_text(sse_in_process: InProcess) -> None:
    prompt = '{"stream": true, "messages": [], "max_tokens": 5}'
    url = "demo/v1/chat/completions?ttft=0&rate=1000"
    code, out, err = sse_in_process("watch", url, "-d", prompt, "--text")
    assert (code, err) == (0, "finish reason: length\n")
    assert len(out.split()) == 5


@pytest.mark.parametrize(
    ("sent", "option", "read"),
    [(body(OPENAI_CHAT[:6]), "--text", b"Hello"), (b"data: Hello\n\n" * 50_000, "--raw", b"Hello\n")],
    ids=["a piece of text", "the first of many lines"],
)
def test_head_ends_the_command_quietly(sent: bytes, option: str, read: bytes, serve: Serve) -> None:
    command = [sys.executable, "-m", "sseclient_cli", "watch", serve(sent, Do.HOLD), "-d", "{}", option]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(len(read)) == read
    process.stdout.close()
    _, err = process.communicate()
    assert (process.returncode, err) == (0, b"")


@pytest.mark.parametrize(("no_color", "reasoning"), [("", "\x1b[2mHm.\x1b[22m\r\n\r\n"), ("1", "")])
async def test_a_terminal_shows_dim_reasoning_before_the_answer(no_color: str, reasoning: str) -> None:
    terminal = Terminal(80)
    async with ScriptedServer([head(), body(ANTHROPIC), Do.HOLD]) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sseclient_cli", "watch", server.url, "-d", "{}", "--text", "-q"),
            stdin=terminal.follower,
            stdout=terminal.follower,
            stderr=terminal.follower,
            env={**os.environ, "TERM": "xterm-256color", "NO_COLOR": no_color},
        )
        try:
            await terminal.until(lambda text: text.endswith("o\r\n"))
            assert await process.wait() == 0
            assert terminal.text == f"{reasoning}Hello\r\n"
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            terminal.close()
