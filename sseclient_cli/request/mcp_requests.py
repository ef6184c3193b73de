"""The MCP requests of a run, after the server has said which version it speaks. Pure.

Each slot has a session of its own, if the server has sessions and there are enough of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sseclient_cli.request.mcp_call import (
    NAME_HEADER,
    OWN_HEADERS,
    SESSION_HEADER,
    McpCall,
    McpVersion,
    encoded_name,
)
from sseclient_cli.request.per_stream import Requests
from sseclient_cli.request.placeholders import Template
from sseclient_cli.request.prompts import Conversation
from sseclient_cli.request.target import Target


@dataclass(frozen=True, eq=False, kw_only=True)
class McpRequests(Requests):
    """The templates of the requests, with the sessions that the slots share."""

    sessions: tuple[str, ...] = ()

    def target_of(
        self, template: Target, stream: int, worker: int, slot: int, conversation: Conversation | None = None
    ) -> Target:
        """Return the request of a stream, with the session of its slot."""
        made = super().target_of(template, stream, worker, slot, conversation)
        headers = [(name, encoded_name(value) if name == NAME_HEADER else value) for name, value in made.headers]
        if not self.sessions:
            return replace(made, headers=tuple(headers))
        session = self.sessions[slot % len(self.sessions)]
        headers.append((SESSION_HEADER, session))
        return replace(made, headers=tuple(headers), own_values=(*made.own_values, session))


def with_call(headers: Sequence[tuple[str, str]], call: McpCall, version: str) -> tuple[tuple[str, str], ...]:
    """Return the headers with those of a call in this version, which replace earlier ones."""
    kept = (pair for pair in headers if pair[0].lower() not in OWN_HEADERS)
    return (*kept, *call.headers(version))


def of_version(target: Target, call: McpCall, version: str, sessions: Sequence[str]) -> Target:
    """Return the target of a run in this version. The target has been made for version 2026-07-28."""
    requests = target.per_stream
    assert isinstance(requests, Requests)  # the ID of each request is a placeholder
    assert requests.body is not None
    is_stateless = version == McpVersion.STATELESS.value
    body = call.body(McpVersion.STATELESS if is_stateless else McpVersion.SESSIONS)
    known = {*requests.body.names, *(name for _, header in requests.headers for name in header.names)}
    headers = with_call(target.headers, call, version)
    made = McpRequests(
        urls=requests.urls,
        weights=requests.weights,
        headers=tuple((name, Template.of(value, is_known=known.__contains__)) for name, value in headers),
        body=Template.of_body(body, known.__contains__),
        messages=(),
        columns=requests.columns,
        values_file=requests.values_file,
        urls_file=requests.urls_file,
        sessions=tuple(sessions),
    )
    return replace(target, headers=headers, body=body.encode("utf-8", "surrogateescape"), per_stream=made)
