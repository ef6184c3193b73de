"""The requests of MCP: bodies and headers of both versions, and what a call refuses."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.request.mcp_call import McpCall, McpVersion, encoded_name, initialize_params, message
from sseclient_cli.request.placeholders import Template

STATELESS, SESSIONS = McpVersion.STATELESS, McpVersion.SESSIONS


def body(call: McpCall, version: McpVersion, **values: str) -> dict[str, Any]:
    """Return the body of a request with these values."""
    known = {"n": "42", **values}
    template = Template.of_body(call.body(version), known.__contains__)
    read = json.loads(template.expanded(known.__getitem__))
    assert isinstance(read, dict)
    return read


def test_a_stateless_call_has_the_version_and_the_client_in_meta() -> None:
    read = body(McpCall.of("tools/call", "search", '{"q": "a"}'), STATELESS)
    meta = read["params"].pop("_meta")
    assert read == {
        "jsonrpc": "2.0",
        "id": 42,
        "method": "tools/call",
        "params": {"name": "search", "arguments": {"q": "a"}},
    }
    assert meta.pop("io.modelcontextprotocol/clientInfo")["name"] == "sseclient-cli"
    assert meta == {
        "progressToken": 42,
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }


def test_a_call_in_a_session_has_only_the_progress_token_in_meta() -> None:
    read = body(McpCall.of("tools/call", "search", None), SESSIONS)
    assert read["params"] == {"name": "search", "arguments": {}, "_meta": {"progressToken": 42}}


@pytest.mark.parametrize("args", [None, "{}", " { } ", '{"cursor": "x"}'])
def test_the_args_of_another_method_are_its_parameters(args: str | None) -> None:
    call = McpCall.of("tools/list", None, args)
    params = {"cursor": "x"} if args and "cursor" in args else {}
    assert body(call, SESSIONS)["params"] == params
    stateless = body(call, STATELESS)["params"]
    assert "progressToken" not in stateless.pop("_meta")
    assert stateless == params


def test_placeholders_are_filled_in_strings_and_as_numbers() -> None:
    call = McpCall.of("tools/call", "{tool}", '{"q": "say {word}", "n": {n}, "literal": "{{n}}"}')
    params = body(call, STATELESS, tool='se"arch', word='"quoted"')["params"]
    assert params["name"] == 'se"arch'
    assert params["arguments"] == {"q": 'say "quoted"', "n": 42, "literal": "{n}"}


def test_the_headers_of_a_stateless_call_repeat_its_method_and_its_name() -> None:
    assert McpCall.of("tools/call", "search", None).headers("2026-07-28") == [
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "search"),
    ]
    assert McpCall.of("tools/call", "search", None).headers("2025-06-18") == [("MCP-Protocol-Version", "2025-06-18")]


@pytest.mark.parametrize(
    ("method", "args", "name"),
    [
        ("resources/read", '{"uri": "file:///{n}"}', "file:///{n}"),
        ("prompts/get", '{"name": "greet", "arguments": {"n": {n}}}', "greet"),
        ("prompts/get", '{"name": 3}', ""),
        ("tools/list", '{"name": "x"}', ""),
        ("resources/templates/list", None, ""),
    ],
)
def test_only_methods_on_a_named_thing_have_a_name(method: str, args: str | None, name: str) -> None:
    assert McpCall.of(method, None, args).name == name


@pytest.mark.parametrize(
    ("value", "is_plain"),
    [
        ("a", True),
        ("search files", True),
        (" a", False),
        ("a\n", False),
        ("", False),
        ("ü", False),
        ("=?base64?YQ==?=", False),
    ],
)
def test_a_name_that_a_header_could_change_is_sent_in_base64(value: str, is_plain: bool) -> None:
    encoded = encoded_name(value)
    assert (encoded == value) is is_plain
    if not is_plain:
        assert b64decode(encoded.removeprefix("=?base64?").removesuffix("?=")).decode() == value


@pytest.mark.parametrize(
    ("method", "tool", "args", "words"),
    [
        ("tools/call", None, None, "needs the name of a tool"),
        ("tools/list", "search", None, "is only for `mcp_method` tools/call, not tools/list"),
        (" ", None, None, "is empty"),
        ("tools/call", "a", "{", "is not JSON"),
        ("tools/call", "a", "[1]", "is not a JSON object"),
        ("tools/call", "a", '{"a": {b c}}', "is not JSON"),
        ("tools/list", None, '{"_meta": {}}', "cannot have _meta"),
    ],
)
def test_a_wrong_call_is_refused(method: str, tool: str | None, args: str | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        McpCall.of(method, tool, args)


def test_a_notification_has_no_id() -> None:
    assert "id" not in json.loads(message("notifications/initialized", None, {}))
    opening = json.loads(message("initialize", "sse-initialize", initialize_params()))
    assert (opening["id"], opening["params"]["protocolVersion"]) == ("sse-initialize", "2025-06-18")
