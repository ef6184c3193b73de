"""The messages of MCP in one response: which message is the answer, and which answers are failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sseclient_cli.errors import NoResultError, RpcError, ToolError
from sseclient_cli.payload.mcp_messages import McpExchange, rpc_error_of
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.sse.event import Event

PROGRESS = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 7, "progress": 1}}
PING_OF_SERVER = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
RESULT: dict[str, Any] = {"jsonrpc": "2.0", "id": 7, "result": {"content": []}}


def exchange(*messages: object) -> McpExchange:
    """Return the exchange with the ID 7 after these messages; a text is the data of an event as it is."""
    read = McpExchange(7)
    for each in messages:
        data = each if isinstance(each, str) else json.dumps(each)
        read.read(ParsedEvent(Event("message", data, "")))
    return read


def failure(result: dict[str, Any]) -> object:
    return exchange({"jsonrpc": "2.0", "id": 7, "result": result}).error


def test_the_result_with_our_id_is_the_answer_and_notifications_before_it_are_counted() -> None:
    before = exchange(PROGRESS, PROGRESS)
    assert (before.is_answered, before.messages, before.notifications) == (False, 2, 2)
    after = exchange(PROGRESS, PROGRESS, RESULT)
    assert (after.is_answered, after.error, after.messages, after.notifications) == (True, None, 3, 2)
    assert after.result == {"content": []}


def test_a_request_of_the_server_with_our_id_is_no_answer() -> None:
    read = exchange(PING_OF_SERVER)
    assert (read.is_answered, read.messages, read.notifications) == (False, 1, 0)


def test_nothing_after_the_answer_counts() -> None:
    read = exchange(RESULT, PROGRESS, {"jsonrpc": "2.0", "id": 7, "error": {"code": -1, "message": "late"}})
    assert (read.error, read.messages, read.notifications) == (None, 1, 0)


@pytest.mark.parametrize("other_id", [8, "7", None, True, 7.0])
def test_a_result_with_another_id_is_no_answer(other_id: object) -> None:
    read = exchange({"jsonrpc": "2.0", "id": other_id, "result": {}})
    assert not read.is_answered
    assert f"an answer has the ID {other_id!r}, not 7" in str(read.unanswered())


@pytest.mark.parametrize("answered_id", [7, None])
def test_an_error_with_our_id_or_null_is_the_answer(answered_id: int | None) -> None:
    error = exchange({"jsonrpc": "2.0", "id": answered_id, "error": {"code": -32602, "message": "Unknown tool"}}).error
    assert isinstance(error, RpcError)
    assert (error.kind, error.rpc_code) == ("rpc-32602", -32602)
    assert str(error) == "the server answered with the JSON-RPC error -32602: Unknown tool"


def test_an_error_with_another_id_is_no_answer() -> None:
    assert not exchange({"jsonrpc": "2.0", "id": 6, "error": {"code": -32602, "message": "Unknown tool"}}).is_answered


@pytest.mark.parametrize("code", [1, -31999, -32769, 0, None, "x", True, 10**400])
def test_the_kind_of_an_unreserved_code_does_not_depend_on_it(code: object) -> None:
    error = exchange({"id": 7, "error": {"code": code, "message": "m"}}).error
    assert isinstance(error, RpcError)
    assert error.kind == "rpc-error"


def test_the_text_of_an_error_is_escaped_and_truncated() -> None:
    error = exchange({"id": 7, "error": {"code": -32000, "message": "a\x1b[2J\n" + "b" * 10_000, "data": "why"}}).error
    assert "\x1b" not in str(error)
    assert "a\\x1b[2J b" in str(error)
    assert len(str(error)) < 500
    assert str(error).endswith("(why)")


def test_a_result_of_a_tool_with_is_error_is_a_failure_with_its_text() -> None:
    error = failure({"isError": True, "content": [{"type": "image"}, {"type": "text", "text": "no\nfile"}]})
    assert isinstance(error, ToolError)
    assert str(error) == "the tool reports an error: no file"


@pytest.mark.parametrize("content", [None, [], "x", [1], [{"text": 2}]])
def test_a_failed_tool_without_a_text_is_a_failure_too(content: object) -> None:
    assert str(failure({"isError": True, "content": content})) == "the tool reports an error: without a text"


@pytest.mark.parametrize("result", [{"isError": False}, {"isError": "true"}, {"resultType": "complete"}, {}])
def test_other_results_are_no_failures(result: dict[str, Any]) -> None:
    assert failure(result) is None


@pytest.mark.parametrize("kind", ["input_required", "task", None])
def test_a_result_that_is_not_final_is_a_failure(kind: object) -> None:
    error = failure({"resultType": kind})
    assert isinstance(error, NoResultError)
    assert error.kind == "no-result"


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ((), "0 other messages arrived"),
        ((PROGRESS,), "1 other message arrived"),
        (("<html>",), "<html> is not a JSON-RPC message"),
        (('[{"id": 7}]',), "is not a JSON-RPC message"),
        (({"id": 7},), "has neither method nor result nor error"),
        (({"id": 7, "result": "x"},), "has neither method nor result nor error"),
        (("",), "0 other messages arrived"),
    ],
)
def test_the_end_without_an_answer_says_what_arrived_instead(messages: tuple[object, ...], words: str) -> None:
    read = exchange(*messages)
    assert not read.is_answered
    assert words in str(read.unanswered())


def test_an_event_without_data_is_no_message() -> None:
    assert exchange("", PROGRESS).messages == 1


@pytest.mark.parametrize("value", [None, [], {}, {"error": "x"}, {"error": {}}, {"error": {"message": "no code"}}])
def test_other_bodies_are_no_errors_of_json_rpc(value: object) -> None:
    assert rpc_error_of(value) is None
