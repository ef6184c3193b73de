"""What a run with requests measures: the answers of an LLM, or those of an MCP server. Parts of the plan; pure."""

from __future__ import annotations

from dataclasses import dataclass

from sseclient_cli.measure.slo import Limit
from sseclient_cli.payload.llm_api import LlmApi


@dataclass(frozen=True, slots=True)
class LlmChoice:
    """The API of an LLM, and the objectives of its answers."""

    api: LlmApi = LlmApi.AUTO
    slo: tuple[Limit, ...] = ()
    tokenizer: str | None = None
    """The file of the tokenizer that counts the tokens of answers which the server has not counted."""


@dataclass(frozen=True, slots=True)
class McpChoice:
    """The MCP method that is requested, and the facts about the server."""

    method: str
    tool: str | None = None
    version: str = ""
    """The version of MCP that the server speaks. It is empty until the server has said it."""
    server_name: str = ""
    server_version: str = ""
    sessions: int = 0
