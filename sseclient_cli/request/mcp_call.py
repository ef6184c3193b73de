"""The request of an MCP method over Streamable HTTP, in the versions 2025-06-18 and 2026-07-28. Pure.

The two differ before and around a request:

- 2025-06-18: ``initialize`` and ``notifications/initialized`` come first. If the server then gives a session ID, each
  request has it in ``Mcp-Session-Id``; each has ``MCP-Protocol-Version``.
- 2026-07-28: no session. Each request has the version and the client in ``params._meta``, and ``MCP-Protocol-Version``,
  ``Mcp-Method`` and, for methods on one named thing, ``Mcp-Name`` as headers, which must agree with the body.

The text of a body is a template: its ID is ``{n}``, and the arguments may have placeholders of their own.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sseclient_cli import __version__
from sseclient_cli.errors import UsageError
from sseclient_cli.request.placeholders import Escape, Template

CALL_TOOL = "tools/call"

VERSION_HEADER = "MCP-Protocol-Version"
METHOD_HEADER = "Mcp-Method"
NAME_HEADER = "Mcp-Name"
SESSION_HEADER = "Mcp-Session-Id"
OWN_HEADERS = frozenset(name.lower() for name in (VERSION_HEADER, METHOD_HEADER, NAME_HEADER, SESSION_HEADER))
"""The headers that the method and the version decide."""

_NAME_PARAM = {CALL_TOOL: "name", "prompts/get": "name", "resources/read": "uri"}
"""The methods with ``Mcp-Name``, and the parameter that it repeats (2026-07-28, "Standard Request Headers")."""

_CLIENT = {"name": "sseclient-cli", "version": __version__}

_HEADER_SAFE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_ENCODED = re.compile(r"=\?base64\?.*\?=")


class McpVersion(Enum):
    """A version of MCP that differs in its requests."""

    SESSIONS = "2025-06-18"
    STATELESS = "2026-07-28"


@dataclass(frozen=True, slots=True)
class McpCall:
    """A method and its parameters, a JSON object as text, with placeholders."""

    method: str
    params: str
    name: str = ""
    """The text of ``Mcp-Name``, with placeholders; empty for a method without it."""

    @classmethod
    def of(cls, method: str, tool: str | None, args: str | None) -> McpCall:
        """Return the call of a method. ``args`` are the arguments of a tool, or the parameters of another method.

        Raises UsageError.
        """
        if not method.strip():
            raise UsageError("`mcp_method` is empty: write tools/call or tools/list", arguments=["mcp_method"])
        if (method == CALL_TOOL) != (tool is not None):
            raise UsageError(_wrong_tool(method), arguments=["mcp_method", "mcp_tool"])
        text = "{}" if args is None else args.strip()
        params = _object_of(text)
        if method == CALL_TOOL:
            return cls(method, f'{{"name":{json.dumps(tool)},"arguments":{text}}}', tool or "")
        if "_meta" in params:
            raise UsageError("`mcp_args` cannot have _meta, which is that of the client", arguments=["mcp_args"])
        name = params.get(_NAME_PARAM.get(method, ""), "")
        return cls(method, text, name if isinstance(name, str) else "")

    def body(self, version: McpVersion) -> str:
        """Return the template of the body. A tool may report its progress: the token is the ID of the request."""
        meta: list[str] = []
        if self.method == CALL_TOOL:
            meta.append('"progressToken":{n}')
        if version is McpVersion.STATELESS:
            meta += [f"{json.dumps(name)}:{json.dumps(value)}" for name, value in stateless_meta().items()]
        params = self.params
        if meta:
            params = params[:-1].rstrip() + ("," if params[1:-1].strip() else "") + f'"_meta":{{{",".join(meta)}}}}}'
        return f'{{"jsonrpc":"2.0","id":{{n}},"method":{json.dumps(self.method)},"params":{params}}}'

    def headers(self, version: str) -> list[tuple[str, str]]:
        """Return the headers that the version of a run adds to each request, as templates."""
        headers = [(VERSION_HEADER, version)]
        if version == McpVersion.STATELESS.value:
            headers.append((METHOD_HEADER, self.method))
            headers += [(NAME_HEADER, self.name)] if self.name else []
        return headers


def stateless_meta() -> dict[str, Any]:
    """Return the members of ``_meta`` that each request of version 2026-07-28 needs."""
    return {
        "io.modelcontextprotocol/protocolVersion": McpVersion.STATELESS.value,
        "io.modelcontextprotocol/clientInfo": _CLIENT,
        "io.modelcontextprotocol/clientCapabilities": {},
    }


def message(method: str, request_id: str | None, params: dict[str, Any]) -> bytes:
    """Return a message that is no part of the load: a request, or without an ID a notification."""
    head: dict[str, Any] = {"jsonrpc": "2.0"} if request_id is None else {"jsonrpc": "2.0", "id": request_id}
    return json.dumps({**head, "method": method, "params": params}).encode()


def initialize_params() -> dict[str, Any]:
    """Return the parameters of ``initialize``, which asks for version 2025-06-18."""
    return {"protocolVersion": McpVersion.SESSIONS.value, "capabilities": {}, "clientInfo": _CLIENT}


def encoded_name(value: str) -> str:
    """Return the value of ``Mcp-Name``: as it is, or in Base64 if a header could not carry it."""
    if _HEADER_SAFE.fullmatch(value) and not _ENCODED.fullmatch(value):
        return value
    return f"=?base64?{b64encode(value.encode('utf-8', 'surrogateescape')).decode()}?="


def _wrong_tool(method: str) -> str:
    if method == CALL_TOOL:
        return f"`mcp_method` {CALL_TOOL} needs the name of a tool: add `mcp_tool`"
    return f"`mcp_tool` is only for `mcp_method` {CALL_TOOL}, not {method}: leave it out"


def _object_of(text: str) -> dict[str, Any]:
    """Return a JSON object whose strings keep their placeholders; other placeholders are 0. Raises UsageError."""
    template = Template.of_body(text)
    values = [f"{{{each.name}}}" if each.escape is Escape.JSON else "0" for each in template.placeholders]
    try:
        value = json.loads("".join(part for pair in zip(template.texts, [*values, ""], strict=True) for part in pair))
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"`mcp_args` is not JSON: {exc}", arguments=["mcp_args"]) from exc
    if not isinstance(value, dict):
        raise UsageError('`mcp_args` is not a JSON object: write one like {"city": "Paris"}', arguments=["mcp_args"])
    return value
