"""A run of ``sse bench``, which needs more modules than its help."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sseclient_cli.cli.against import bench_against, refuse_with_against
from sseclient_cli.cli.asserting import asserted, early_end_of
from sseclient_cli.cli.bad_clients import check_bad_clients
from sseclient_cli.cli.child_server import RunningServer
from sseclient_cli.cli.demo import ServerTally, is_demo, serving_demo
from sseclient_cli.cli.formats import COMPARISON, LIMIT_SEARCH, REPORT, SWEEP
from sseclient_cli.cli.generator import check_cluster, generator_of
from sseclient_cli.cli.limit_search import find_limit, parsed
from sseclient_cli.cli.live_endpoint import live_endpoint
from sseclient_cli.cli.llm_requests import check_llm_requests, notes_on
from sseclient_cli.cli.mcp_requests import check_mcp, greeted, in_sessions
from sseclient_cli.cli.measuring import measured
from sseclient_cli.cli.options.assertions import AssertionOptions, BenchAssertionOptions
from sseclient_cli.cli.options.load import LoadOptions
from sseclient_cli.cli.options.output import BenchOutputOptions
from sseclient_cli.cli.options.searching import SearchOptions
from sseclient_cli.cli.options.target_metrics import TargetMetricsOptions
from sseclient_cli.cli.options.values import is_duration
from sseclient_cli.cli.outcome import end_with
from sseclient_cli.cli.outputs import opened
from sseclient_cli.cli.publishing import is_publishing, template_of
from sseclient_cli.cli.repeating import repeated
from sseclient_cli.cli.replay import is_recording, recorded_paths, serving_recording
from sseclient_cli.cli.run_options import RunOptions
from sseclient_cli.cli.schedule import plan_of, seeded
from sseclient_cli.cli.signals import endings_as_ctrl_c, hangups_outlived
from sseclient_cli.cli.specifying import specs
from sseclient_cli.cli.sweep import loads_of, refuse_with_sweep, sweep
from sseclient_cli.cli.target_sampling import sampling
from sseclient_cli.errors import UsageError
from sseclient_cli.render.standard_streams import say
from sseclient_cli.request.websocket import is_websocket

if TYPE_CHECKING:
    from sseclient_cli.cli.outputs import Outputs
    from sseclient_cli.report.early_end import EarlyEnd
    from sseclient_cli.report.model import Report
    from sseclient_cli.run.spec import RunSpec


def run_bench(
    options: RunOptions,
    search: SearchOptions,
    target_metrics: TargetMetricsOptions,
    assertions: BenchAssertionOptions,
    output: BenchOutputOptions,
) -> int:
    """Run the command with its options, and return the exit code."""
    load = options.load
    if load.against is not None:
        refuse_with_against(load, search, options.publish, target_metrics, assertions)
    refuse_with_sweep(search, load)
    if load.from_file is not None:
        options = repeated(load.from_file, options)
    options = options._replace(load=seeded(options.load))
    _check(options, search, assertions)
    early_end = early_end_of(assertions)
    with ExitStack() as stack:
        stack.enter_context(endings_as_ctrl_c())
        files = stack.enter_context(opened(output, _kind_of(load, search), shows_all_hosts=output.verbose))
        if options.url is not None and is_recording(options.url):
            options = options._replace(
                url=_replayed(Path(options.url), stack, http2=options.connection.http2, quiet=output.quiet)
            )
        return _run(stack, options, search, target_metrics, assertions, output, files, early_end)


def _run(
    stack: ExitStack,
    options: RunOptions,
    search: SearchOptions,
    target_metrics: TargetMetricsOptions,
    assertions: BenchAssertionOptions,
    output: BenchOutputOptions,
    files: Outputs,
    early_end: EarlyEnd | None,
) -> int:
    """Run once, or step by step, write the document, and return the exit code."""
    load = options.load
    urls = [options.url] if load.against is None else [options.url, load.against]
    has_demo = any(map(is_demo, filter(None, urls)))
    server = stack.enter_context(serving_demo(http2=options.connection.http2)) if has_demo else None
    spec_of = specs(urls, server, options, search)
    loads = loads_of(search, load)
    spec = max(map(spec_of, loads), key=lambda each: each.plan.most_open)
    if not output.quiet:
        for note in notes_on(spec.target):
            say(note)
    if load.against is not None:
        return bench_against(spec, options, target_metrics, assertions, output, files)

    measure = _measuring(stack, spec, options, target_metrics, server, output, early_end)

    def run_step(step: LoadOptions) -> Report:
        return measure(spec_of(step))

    if search.find_limit:
        return find_limit(search, load, run_step, files.write, quiet=output.quiet)
    if search.sweep is not None:
        return sweep(loads, run_step, files.write, options.measurement, assertions, quiet=output.quiet)
    before = _tally(server)
    report = asserted(measure(spec), assertions)
    after = _tally(server)
    files.write(report, after - before if after and before else None)
    return end_with(report, options.measurement, quiet=output.quiet)


def _kind_of(load: LoadOptions, search: SearchOptions) -> str:
    """Return the kind of document that a run writes."""
    if load.against is not None:
        return COMPARISON
    return LIMIT_SEARCH if search.find_limit else REPORT if search.sweep is None else SWEEP


def _measuring(
    stack: ExitStack,
    spec: RunSpec,
    options: RunOptions,
    target_metrics: TargetMetricsOptions,
    server: RunningServer | None,
    output: BenchOutputOptions,
    early_end: EarlyEnd | None,
) -> Callable[[RunSpec], Report]:
    """Return the function that measures a run, after the resources and the route of the first one are checked."""
    target, load, call = spec.target, options.load, options.mcp.call()
    samples = stack.enter_context(
        sampling(target_metrics, target.tls, spec.plan.interval_s, server.pid if server else None)
    )
    on_progress = stack.enter_context(
        live_endpoint(target_metrics.prometheus_port, target.redacted_url, quiet=output.quiet)
    )
    generator = stack.enter_context(generator_of(options.cluster, load, output))
    spec = generator.require_resources(spec)
    mcp = greeted(spec, options.mcp, output)
    [route] = generator.routes(spec, with_preflight=mcp is not None or not load.no_preflight, known=mcp)
    stack.enter_context(hangups_outlived())

    def measure(spec: RunSpec) -> Report:
        spec = generator.require_resources(spec)
        generator.require_ports(spec, [route])
        with in_sessions(spec, mcp, call, quiet=output.quiet) as spec_of_run:
            routes, executor = [route.of(spec_of_run.target)], generator.executor(spec_of_run)
            [report] = measured(spec_of_run, routes, executor, output, samples, on_progress, early_end)
        return report

    return measure


def _replayed(path: Path, stack: ExitStack, *, http2: bool, quiet: bool) -> str:
    """Start the replay of a recording; return the URL of its first stream, and say that there are others."""
    first, *others = recorded_paths(path)
    if others and not quiet:
        say(f"the recording has {1 + len(others)} streams: this is {first}; `sse replay` serves the others too")
    return stack.enter_context(serving_recording(path, http2=http2)).url + first


def _tally(server: RunningServer | None) -> ServerTally | None:
    """Return the bundled server's own count of streams and events so far."""
    return ServerTally.of(server.url) if server else None


def _has_requests(options: RunOptions) -> bool:
    return options.llm.llm is not None or options.mcp.mcp is not None


def _check(options: RunOptions, search: SearchOptions, assertions: AssertionOptions) -> None:
    """Raise UsageError for options that are wrong, before the demo server starts."""
    load, data, has_urls = options.load, options.request.data, options.per_stream.urls_file is not None
    if has_urls and (options.url is not None or load.against is not None):
        raise UsageError("--urls and a URL exclude each other: leave one out")
    if options.url is None and not has_urls:
        raise UsageError("the URL of a stream is missing: write sse bench URL, or --from FILE to repeat a run")
    if _has_requests(options) and any(map(is_websocket, filter(None, (options.url, load.against)))):
        raise UsageError("--llm and --mcp send HTTP requests: write http:// instead of ws://")
    if _has_requests(options) and is_publishing(options.publish):
        raise UsageError("--publish needs streams that stay open: leave it out with --llm and --mcp")
    if data is not None and is_duration(data):
        raise UsageError(
            f"-d is the request body: write -z {data.strip()} for the duration, or --data @FILE if this is the body"
        )
    if load.all_addresses and options.connection.unix_socket is not None:
        raise UsageError("--unix-socket and --all-addresses exclude each other: leave one out")
    if search.find_limit and assertions.assertions:
        raise UsageError("--find-limit and --assert exclude each other: give each assertion to --find-limit")
    check_llm_requests(
        options.llm_requests,
        has_llm=options.llm.llm is not None,
        has_body=data is not None,
        has_rate=load.rate_per_s is not None,
    )
    parsed(search)
    if is_publishing(options.publish):
        template_of(options.publish)
    check_cluster(options.cluster)
    check_bad_clients(options.bad, load, options.connection, search)
    for each in loads_of(search, load):
        plan_of(each, options.measurement, options.connection, options.bad, options.llm, options.mcp)
    check_mcp(options)
