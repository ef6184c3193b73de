"""``sse bench``: load-test an event stream with many connections, and report the measurements."""

from __future__ import annotations

from sseclient_cli.cli.options.assertions import BenchAssertionOptions
from sseclient_cli.cli.options.bad_clients import BadClientOptions
from sseclient_cli.cli.options.cluster import ClusterOptions
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.llm import LlmOptions, LlmRequestOptions
from sseclient_cli.cli.options.load import LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.mcp import McpOptions
from sseclient_cli.cli.options.output import BenchOutputOptions
from sseclient_cli.cli.options.per_stream import PerStreamOptions
from sseclient_cli.cli.options.publishing import PublishOptions
from sseclient_cli.cli.options.request import StreamRequestOptions, UrlOrReport
from sseclient_cli.cli.options.searching import SearchOptions
from sseclient_cli.cli.options.target_metrics import TargetMetricsOptions


def bench(
    url: UrlOrReport = None,
    *,
    load: LoadOptions,
    cluster: ClusterOptions,
    measurement: MeasurementOptions,
    llm: LlmOptions,
    llm_requests: LlmRequestOptions,
    mcp: McpOptions,
    bad: BadClientOptions,
    search: SearchOptions,
    request: StreamRequestOptions,
    per_stream: PerStreamOptions,
    connection: ConnectionOptions,
    publish: PublishOptions,
    target_metrics: TargetMetricsOptions,
    assertions: BenchAssertionOptions,
    output: BenchOutputOptions,
) -> int:
    """Load-test a stream with many connections, and report latencies, losses and errors."""
    from sseclient_cli.cli.bench_run import run_bench
    from sseclient_cli.cli.run_options import RunOptions

    options = RunOptions(
        url, load, measurement, bad, request, per_stream, connection, publish, llm, llm_requests, mcp, cluster
    )
    return run_bench(options, search, target_metrics, assertions, output)
