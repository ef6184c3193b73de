"""The options of ``sse bench`` for the run itself; other options are for judging, sampling and writing."""

from __future__ import annotations

from typing import NamedTuple

from sseclient_cli.cli.options.bad_clients import BadClientOptions
from sseclient_cli.cli.options.cluster import ClusterOptions
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.llm import LlmOptions, LlmRequestOptions
from sseclient_cli.cli.options.load import LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.mcp import McpOptions
from sseclient_cli.cli.options.per_stream import PerStreamOptions
from sseclient_cli.cli.options.publishing import PublishOptions
from sseclient_cli.cli.options.request import StreamRequestOptions


class RunOptions(NamedTuple):
    """The options of a run. A URL of None comes from a report, or from a file with URLs."""

    url: str | None
    load: LoadOptions
    measurement: MeasurementOptions
    bad: BadClientOptions
    request: StreamRequestOptions
    per_stream: PerStreamOptions
    connection: ConnectionOptions
    publish: PublishOptions
    llm: LlmOptions = LlmOptions()
    llm_requests: LlmRequestOptions = LlmRequestOptions()
    mcp: McpOptions = McpOptions()
    cluster: ClusterOptions = ClusterOptions()
