"""The options of ``sse bench`` for requests to an MCP server."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import Sets, option_group
from sseclient_cli.measure.answer_choice import McpChoice
from sseclient_cli.request.mcp_call import McpCall, McpVersion


class VersionChoice(Enum):
    """The values of ``--mcp-version``."""

    AUTO = "auto"
    SESSIONS = McpVersion.SESSIONS.value
    STATELESS = McpVersion.STATELESS.value

    @property
    def version(self) -> McpVersion | None:
        """The version; None if the server is asked."""
        return None if self is VersionChoice.AUTO else McpVersion(self.value)


@option_group
class McpOptions:
    """The method that each request calls."""

    PANEL: ClassVar = "MCP requests"

    mcp: Annotated[
        str | None,
        typer.Option(
            "--mcp",
            metavar="METHOD",
            show_default=False,
            help="Send requests to an MCP server (Streamable HTTP): tools/call, tools/list, ping.",
        ),
        Sets("mcp_method"),
    ] = None
    tool: Annotated[
        str | None,
        typer.Option("--tool", metavar="NAME", show_default=False, help="With --mcp tools/call: call this tool."),
        Sets("mcp_tool"),
    ] = None
    args: Annotated[
        str | None,
        typer.Option(
            "--args",
            metavar="JSON",
            show_default=False,
            help="The arguments of the tool, or the parameters of another method; @FILE reads a file.",
        ),
        Sets("mcp_args"),
    ] = None
    mcp_version: Annotated[
        VersionChoice | None,
        typer.Option(
            "--mcp-version",
            show_default=VersionChoice.AUTO.value,
            help="The version of MCP; auto: ask the server once, the newest first.",
        ),
    ] = None

    def call(self) -> McpCall | None:
        """Return the call; None without ``--mcp``. Raises UsageError."""
        from sseclient_cli.request.body import read_body

        return None if self.mcp is None else McpCall.of(self.mcp, self.tool, self.args and read_body(self.args))

    def choice(self) -> McpChoice | None:
        """Return what to measure; None without ``--mcp``."""
        return None if self.mcp is None else McpChoice(self.mcp, self.tool)
