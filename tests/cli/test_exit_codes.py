"""The exit codes of docs/reference/exit-codes.md."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from typing import Any

import pytest
from scripted_server import Do, Script, ScriptedServer, head

COMMAND = [sys.executable, "-m", "sseclient_cli"]
ENDLESS = "50s"
"""Longer than a test takes: a run that ends earlier has another reason."""
ERROR = b'event: error\ndata: {"message": "too much\x1b[31m"}\n\n'


async def sse(*arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode()


async def watch(script: Script, *options: str) -> tuple[int | None, str, str]:
    async with ScriptedServer(script) as server:
        return await sse("watch", server.url, "--raw", *options)


async def bench(*scripts: Script, options: tuple[str, ...] = ()) -> tuple[int | None, dict[str, Any], str]:
    async with ScriptedServer(*scripts) as server:
        fixed = ("-c", str(len(scripts)), "-z", "2s", "--ramp-up", "0s", "--no-preflight", "--json", "-")
        code, out, err = await sse("bench", server.url, *fixed, *options)
    document: dict[str, Any] = json.loads(out)
    return code, document, err


# watch


@pytest.mark.parametrize("end", [(), (Do.HOLD,)], ids=["stream-ends", "duration-ends"])
async def test_fewer_events_than_count_are_exit_code_1(end: tuple[Do, ...]) -> None:
    code, out, err = await watch([head(), b"data: 1\n\n", *end], "-n", "5", "--duration", "2s", "--no-reconnect")
    assert (code, out, err) == (1, "1\n", "sse: received 1 of 5 events (-n)\n")


async def test_no_answer_within_the_duration_is_an_error() -> None:
    counted, (code, out, err) = await asyncio.gather(
        watch([Do.HOLD], "-n", "5", "--duration", "1s"), watch([Do.HOLD], "--duration", "1s")
    )
    assert counted == (1, "", "sse: received 0 of 5 events (-n): no stream was opened\n")
    assert (code, out) == (3, "")
    assert err.endswith("opened no stream within --duration 1s\n")


async def test_an_open_stream_without_expectations_may_be_silent() -> None:
    assert await watch([head(), Do.HOLD], "--duration", "1s") == (0, "", "")


async def test_until_stops_at_the_first_event_with_the_text() -> None:
    script: Script = [head(), b"data: hi\n\ndata: x [DONE]\n\ndata: later\n\n", Do.HOLD]
    assert await watch(script, "--until", "[DONE]", "--duration", ENDLESS) == (0, "hi\nx [DONE]\n", "")


async def test_until_that_does_not_come_is_exit_code_1() -> None:
    code, out, err = await watch([head(), b"data: hi\n\n"], "--until", "[DONE]", "--no-reconnect")
    assert (code, out) == (1, "hi\n")
    assert err == "sse: no event contains '[DONE]' (--until): received 1 event\n"


async def test_an_event_that_is_late_is_exit_code_1() -> None:
    code, out, err = await watch([head(), b": ping\n\n", Do.HOLD], "--expect-within", "1s", "--duration", ENDLESS)
    assert (code, out, err) == (1, "", "sse: no event within 1 s (--expect-within)\n")


@pytest.mark.parametrize("body", [b"", b": heartbeat\n\n", b"data 0\n\n"])
async def test_a_stream_that_ends_before_any_event_is_late_too(body: bytes) -> None:
    code, out, err = await watch([head(), body], "--no-reconnect", "--expect-within", ENDLESS)
    assert (code, out) == (1, "")
    assert "sse: no event within 50 s (--expect-within)" in err


async def test_a_stream_that_ends_without_an_event_is_reported() -> None:
    code, out, err = await watch([head(), b": heartbeat\n\n"], "--no-reconnect")
    assert (code, out, err) == (0, "", "the server ended the stream: 0 events\n")


@pytest.mark.parametrize("types", [",", "a,,b", " "])
async def test_an_empty_type_is_a_usage_error(types: str) -> None:
    code, _, err = await sse("watch", "http://127.0.0.1:1/", "--event", types)
    assert (code, err) == (2, "sse: --event has an empty type: write it like --event update,done\n")


async def test_a_url_instead_of_a_command_is_an_error_that_shows_the_command() -> None:
    code, _, err = await sse("http://127.0.0.1:1/")
    assert code == 2
    assert ": write `sse watch URL` or `sse bench URL`\n" in err


async def test_an_event_in_time_ends_the_wait_for_the_first() -> None:
    script: Script = [head(), b"data: 1\n\n", Do.HOLD]
    assert await watch(script, "--expect-within", "5s", "--duration", "6s") == (0, "1\n", "")


async def test_types_that_do_not_come_are_exit_code_1_with_those_that_did() -> None:
    body = b"event: tick\ndata: 1\n\nevent: tick\ndata: 2\n\nevent: \x1b[1m\ndata: 3\n\n"
    code, out, err = await watch([head(), body], "--event", "tock,tack", "--event", "tuck", "--no-reconnect")
    assert (code, out) == (1, "")
    assert err == "sse: no event of type tack, tock, tuck (--event); received types: tick (2), \\x1b[1m (1)\n"


async def test_types_may_have_commas_and_spaces_between_them() -> None:
    body = b"event: a\ndata: 1\n\nevent: b\ndata: 2\n\ndata: 3\n\n"
    assert await watch([head(), body, Do.HOLD], "--event", "a,b", "-n", "2") == (0, "1\n2\n", "")


@pytest.mark.parametrize("body", [ERROR, b'data: {"error": {"code": 7}}\n\n'], ids=["type", "json"])
async def test_fail_on_error_event_ends_watch_with_exit_code_1(body: bytes) -> None:
    script: Script = [head(), b'data: {"error": null}\n\n' + body + b"data: later\n\n", Do.HOLD]
    code, out, err = await watch(script, "--fail-on-error-event", "--duration", ENDLESS)
    assert (code, len(out.splitlines())) == (1, 2)
    assert err.startswith("sse: received an error event: ")
    assert "\x1b" not in err
    code, out, err = await watch(script, "-n", "3")
    assert (code, len(out.splitlines()), err) == (0, 3, "")


async def test_a_refused_request_is_exit_code_3_regardless_of_expectations() -> None:
    code, out, _ = await watch([head(404, b"Content-Length: 0\r\n")], "-n", "1", "--until", "x")
    assert (code, out) == (3, "")


async def test_a_quiet_watch_writes_events_and_errors_alone() -> None:
    async with ScriptedServer([head(), b"retry: 50\ndata: 1\n\n"], [head(), b"data: 2\n\n"]) as server:
        assert await sse("watch", server.url, "--raw", "-q") == (0, "1\n2\n", "")
    code, out, err = await watch([head(), b"data: 1\n\n"], "-n", "2", "-q", "--no-reconnect")
    assert (code, out, err) == (1, "1\n", "sse: received 1 of 2 events (-n)\n")


async def test_a_post_is_sent_once_without_reconnect() -> None:
    script: Script = [head(), b"retry: 50\ndata: 1\n\n"]
    async with ScriptedServer(script, script) as server:
        code, out, err = await sse("watch", server.url, "-d", "{}", "--raw")
        assert len(server.requests) == 1
    assert (code, out) == (0, "1\n")
    assert err == "the server ended the stream; --reconnect would send the POST again: 1 event\n"
    async with ScriptedServer(script, script) as server:
        code, out, _ = await sse("watch", server.url, "-d", "{}", "--raw", "--reconnect")
        assert [request.method for request in server.requests] == ["POST"] * 3  # the last one is answered with 204
    assert (code, out) == (0, "1\n1\n")


async def test_retry_statuses_repeat_a_post_only_after_these_statuses() -> None:
    refused: Script = [head(503, b"Content-Length: 0\r\n")]
    async with ScriptedServer(refused, [head(), b"data: 1\n\n"]) as server:
        code, out, _ = await sse("watch", server.url, "-d", "{}", "--raw", "--retry-status", "503")
        assert [request.method for request in server.requests] == ["POST"] * 2
    assert (code, out) == (0, "1\n")


# bench

GOOD: Script = [head(), b"data: 1\n\n", Do.HOLD]
REFUSED: Script = [head(503, b"Content-Length: 0\r\n")]


async def test_more_failed_streams_than_allowed_are_exit_code_6() -> None:
    async def check(limit: str, code: int) -> None:
        found, document, err = await bench(GOOD, GOOD, GOOD, REFUSED, options=("--max-failed", limit))
        assert (document["streams"]["opened"], document["streams"]["failed"]) == (3, 1)
        assert found == code, limit
        assert ("1 of 4 streams failed" in err) is (code == 6)

    await asyncio.gather(check("20%", 6), check("24.9", 6), check("25%", 0), check("100%", 0))


@pytest.mark.parametrize(
    ("scripts", "options", "code", "reason"),
    [
        ((GOOD, REFUSED), ("--strict",), 6, "1 of 2 streams failed (--strict)"),
        ((REFUSED,), (), 3, "no stream could be used"),
    ],
)
async def test_a_quiet_bench_says_why_it_fails(
    scripts: tuple[Script, ...], options: tuple[str, ...], code: int, reason: str
) -> None:
    found, _, err = await bench(*scripts, options=("-q", *options))
    if found != 4:  # on a busy machine, the load generator is the bottleneck
        assert (found, err) == (code, f"sse: {reason}\n")
    else:
        assert err == "sse: the load generator was the bottleneck (--strict)\n"


async def test_fail_on_error_event_ends_bench_with_exit_code_6() -> None:
    broken: Script = [head(), ERROR + b'data: {"error": "busy"}\n\ndata: {"error": null}\n\n', Do.HOLD]
    code, document, err = await bench(broken, GOOD, options=("--fail-on-error-event",))
    assert (code, document["events"]["error_events"]) == (6, 2)
    assert err.endswith("sse: received 2 error events (--fail-on-error-event)\n")
    assert "2 report an error" in err


async def test_error_events_are_counted_by_type_alone_without_the_option() -> None:
    code, document, err = await bench([head(), ERROR + b'data: {"error": "busy"}\n\n', Do.HOLD])
    assert (code, document["events"]["error_events"]) == (0, None)
    assert document["events"]["by_type"] == {"error": 1, "message": 1}
    assert "1 report an error" in err


async def test_several_workers_add_up_their_error_events() -> None:
    broken: Script = [head(), ERROR, Do.HOLD]
    code, document, _ = await bench(*[broken] * 4, options=("--fail-on-error-event", "--workers", "2"))
    assert (code, document["events"]["error_events"]) == (6, 4)
