"""`sse bench --mcp`: requests to an MCP server, in both versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import pytest
from in_process import InProcess
from mcp_server import SESSIONS, STATELESS, mcp_server

COUNT = ("--mcp", "tools/call", "--tool", "count")


class Bench(Protocol):
    """Runs 6 requests in 2 slots, and returns the report."""

    def __call__(self, url: str, *arguments: str, code: int = 0) -> dict[str, Any]: ...


@pytest.fixture(name="bench")
def bench_in_process(sse_in_process: InProcess, tmp_path: Path) -> Bench:
    def bench(url: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        file = tmp_path / "report.json"
        load = ("-c", "2", "--requests", "6", "-z", "60s", "--workers", "1", "--no-tui", "-q")
        found, _, err = sse_in_process("bench", url, *load, *arguments, "--json", str(file))
        assert found == code, err
        report: dict[str, Any] = json.loads(file.read_text())
        return report

    return bench


@pytest.mark.parametrize("answers_json", [False, True])
@pytest.mark.parametrize("version", [STATELESS, SESSIONS])
def test_requests_succeed_in_both_versions_and_both_forms(bench: Bench, version: str, answers_json: bool) -> None:
    with mcp_server(versions=(version,), answers_json=answers_json) as server:
        report = bench(server.url, *COUNT, "--args", '{"n": 3, "number": {n}}')
    assert report["errors"] == []
    requests = report["requests"]
    assert (requests["succeeded"], requests["failed"], requests["unfinished"]) == (6, 0, 0)
    assert requests["duration"]["count"] == 6
    assert report["mcp"] == {
        "sessions": 2 if version == SESSIONS else 0,
        "in_streams": 0 if answers_json else 6,
        "in_bodies": 6 if answers_json else 0,
        "notifications": 0 if answers_json else 18,
        "notifications_per_request": 0.0 if answers_json else 3.0,
    }
    assert report["run"]["plan"]["mcp"] == {
        "method": "tools/call",
        "tool": "count",
        "version": version,
        "server_name": "small",
        "server_version": "1.0",
    }
    calls = [each.message for each in server.of("tools/call")]
    assert sorted(call["id"] for call in calls) == list(range(6))
    assert all(call["params"]["arguments"] == {"n": 3, "number": call["id"]} for call in calls)
    assert all(call["params"]["_meta"]["progressToken"] == call["id"] for call in calls)


def test_each_slot_has_a_session_of_its_own_which_the_run_opens_and_closes(bench: Bench) -> None:
    with mcp_server() as server:
        report = bench(server.url, *COUNT, "--mcp-version", SESSIONS)
        assert server.open_sessions == set()
    calls = server.of("tools/call")
    used = {each.headers["mcp-session-id"] for each in calls}
    assert len(used) == report["mcp"]["sessions"] == 2
    initialized = [each.headers["mcp-session-id"] for each in server.of("notifications/initialized")]
    assert len(server.of("initialize")) == len(initialized) == 3  # one that asked the server before the run
    assert used < set(initialized)
    assert all(each.headers["mcp-protocol-version"] == SESSIONS for each in calls)
    assert not any("mcp-method" in each.headers for each in server.received)
    assert sorted(each.headers["mcp-session-id"] for each in server.http("DELETE")) == sorted(initialized)
    assert "secret-session" not in json.dumps(report)


def test_a_server_without_sessions_gets_none(bench: Bench) -> None:
    with mcp_server(versions=(SESSIONS,), has_sessions=False) as server:
        report = bench(server.url, *COUNT)
    assert (report["requests"]["succeeded"], report["mcp"]["sessions"]) == (6, 0)
    assert not any("mcp-session-id" in each.headers for each in server.received)
    assert server.http("DELETE") == []


def test_auto_asks_in_the_newest_version_first_and_then_in_the_older_one(bench: Bench) -> None:
    with mcp_server() as both, mcp_server(versions=(SESSIONS,)) as older:
        assert bench(both.url, *COUNT)["run"]["plan"]["mcp"]["version"] == STATELESS
        assert bench(older.url, *COUNT)["run"]["plan"]["mcp"]["version"] == SESSIONS
    assert [each.message["method"] for each in both.received[:2]] == ["server/discover", "tools/call"]
    assert [each.message["method"] for each in older.received[:2]] == ["server/discover", "initialize"]


def test_another_method_and_values_of_a_file(bench: Bench, tmp_path: Path) -> None:
    values = tmp_path / "values.csv"
    values.write_text('cursor\nfirst "page"\n')
    with mcp_server() as server:
        report = bench(server.url, "--mcp", "tools/list", "--args", '{"cursor": "{cursor}"}', "--values", str(values))
    assert (report["requests"]["succeeded"], report["run"]["plan"]["mcp"]["tool"]) == (6, None)
    assert {each.message["params"]["cursor"] for each in server.of("tools/list")} == {'first "page"'}
    assert "progressToken" not in server.of("tools/list")[0].message["params"]["_meta"]


@pytest.mark.parametrize(
    ("version", "request_of", "kind", "words"),
    [
        (STATELESS, "tools/call --tool fail", "tool-error", "the tool reports an error: no luck\\x1b[2J with {}"),
        (SESSIONS, "tools/call --tool absent", "rpc-32602", "the JSON-RPC error -32602: Unknown tool: absent"),
        (SESSIONS, "tools/call --tool silent", "no-result", "an answer has the ID 'not "),
        (STATELESS, "tools/call --tool ask", "no-result", "the server asks for input"),
        (STATELESS, "resources/list", "rpc-32601", "the JSON-RPC error -32601: Method not found"),
        (SESSIONS, "resources/list", "rpc-32601", "the JSON-RPC error -32601: Method not found"),
    ],
)
def test_failures_have_a_kind_of_their_own(bench: Bench, version: str, request_of: str, kind: str, words: str) -> None:
    with mcp_server(versions=(version,)) as server:
        # A slot for each request: a slot waits a second after a failure.
        report = bench(server.url, "-c", "6", "--mcp", *request_of.split(), code=3)
    [error] = report["errors"]
    assert (error["kind"], error["count"]) == (kind, 6)
    assert words in error["example"]
    requests = report["requests"]
    assert (requests["succeeded"], requests["failed"], requests["duration"]) == (0, 6, None)
    assert requests["failed_after"]["count"] == 6


def test_a_session_that_the_server_has_ended_is_a_failure_that_says_so(bench: Bench) -> None:
    with mcp_server(versions=(SESSIONS,)) as server:
        report = bench(server.url, "--mcp", "tools/call", "--tool", "forget")
    assert report["requests"]["succeeded"] == 2  # each session answers once
    [error] = report["errors"]
    assert (error["kind"], error["count"]) == ("mcp-session", 4)
    assert "does not know the session of the request any more" in error["example"]
    assert "Session not found" in error["example"]


def test_an_answer_without_json_rpc_keeps_the_kind_of_its_status(bench: Bench) -> None:
    with mcp_server(refuses={"tools/call": 429}) as server:
        report = bench(server.url, *COUNT, "-z", "1s", code=3)
    assert {error["kind"] for error in report["errors"]} == {"http-429"}


@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        (
            {"refuses": {"server/discover": 404, "initialize": 404}},
            (),
            ("answered 404 Not Found", "the request was initialize; before, server/discover failed"),
        ),
        (
            {"versions": (SESSIONS,)},
            ("--mcp-version", STATELESS),
            ("the JSON-RPC error -32600: Bad Request: Missing session ID", "the request was server/discover"),
        ),
        (
            {"versions": (STATELESS,)},
            ("--mcp-version", SESSIONS),
            ("the JSON-RPC error -32022: Unsupported protocol version", "the request was initialize"),
        ),
        (
            {"versions": (SESSIONS,), "most_sessions": 1},
            (),
            ("the JSON-RPC error -32000: too many sessions", "1 of 2 sessions were open before"),
        ),
        (
            {"versions": (SESSIONS,), "refuses": {"notifications/initialized": 500}},
            (),
            ("answered 500 Internal Server Error", "the request was notifications/initialized"),
        ),
    ],
)
def test_a_server_that_cannot_be_used_is_a_clear_error_before_the_run(
    sse_in_process: InProcess, settings: dict[str, Any], options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    with mcp_server(**settings) as server:
        code, out, err = sse_in_process("bench", server.url, "-q", "-c", "2", *COUNT, *options)
        assert server.of("tools/call") == []
    assert (code, out) == (3, "")
    [line] = [line for line in err.splitlines() if line.startswith("sse: ")]
    assert all(each in line for each in words), line


@pytest.mark.parametrize("status", [405, 503])
def test_a_refusal_before_the_run_has_no_advice_that_mcp_excludes(sse_in_process: InProcess, status: int) -> None:
    with mcp_server(refuses={"server/discover": status, "initialize": status}) as server:
        code, _, err = sse_in_process("bench", server.url, "-q", "-c", "2", *COUNT)
    assert (code, "(try " in err) == (3, False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--mcp", "tools/call"), "--mcp tools/call needs the name of a tool: add --tool"),
        (("--mcp", "tools/list", "--tool", "a"), "--tool is only for --mcp tools/call, not tools/list: leave it out"),
        (("--tool", "a"), "--tool needs the method of the requests: add --mcp METHOD"),
        (("--mcp-version", "auto"), "--mcp-version needs the method of the requests: add --mcp METHOD"),
        ((*COUNT, "--args", "{"), "--args is not JSON"),
        ((*COUNT, "--args", "3"), '--args is not a JSON object: write one like {"city": "Paris"}'),
        ((*COUNT, "-d", "{}"), "--mcp and --data exclude each other: leave one out"),
        ((*COUNT, "--llm", "auto"), "--mcp and --llm exclude each other: leave one out"),
        ((*COUNT, "--format", "sse"), "--mcp and --format exclude each other: leave one out"),
        ((*COUNT, "--on-end", "reconnect"), "--on-end must be stop or restart for requests: each is sent once"),
        ((*COUNT, "--storm", "1s"), "--storm and --mcp exclude each other: each request is sent once"),
        ((*COUNT, "--events", "1"), "--events and --mcp exclude each other: each request is sent once"),
    ],
)
def test_wrong_options_are_refused(sse_in_process: InProcess, options: tuple[str, ...], words: str) -> None:
    code, _, err = sse_in_process("bench", "http://127.0.0.1:1/mcp", *options)
    assert code == 2
    assert words in err


def test_a_run_is_repeated_with_its_call_given_again(bench: Bench, sse_in_process: InProcess, tmp_path: Path) -> None:
    with mcp_server(versions=(SESSIONS,)) as server:
        bench(server.url, *COUNT)
        file = tmp_path / "report.json"
        earlier = tmp_path / "earlier.json"
        earlier.write_bytes(file.read_bytes())
        code, _, err = sse_in_process("bench", "--from", str(earlier))
        assert code == 2
        assert "does not contain the arguments of its MCP requests: add --mcp tools/call --tool NAME --args JSON" in err
        again = ("bench", "--from", str(earlier), *COUNT, "--no-tui", "-q", "--json", str(file))
        code, _, err = sse_in_process(*again)
        assert code == 0, err
    assert json.loads(file.read_text())["requests"]["succeeded"] == 6


def test_the_summary_names_the_version_the_server_and_the_sessions(sse_in_process: InProcess) -> None:
    with mcp_server(versions=(SESSIONS,)) as server:
        code, out, err = sse_in_process("bench", server.url, *COUNT, "-c", "2", "--requests", "4", "--no-tui")
    assert code == 0, err
    assert "MCP 2025-06-18, small 1.0; its sessions were opened before the run" in out
    assert "opening 2 sessions" in err
