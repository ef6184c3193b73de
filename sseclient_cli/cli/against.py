"""``sse bench URL --against URL``: one run with two targets, and the comparison of both."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sseclient_cli.cli.asserting import asserted, say_failed_assertions
from sseclient_cli.cli.generator import generator_of
from sseclient_cli.cli.live_endpoint import live_endpoint
from sseclient_cli.cli.measuring import measured
from sseclient_cli.cli.options.assertions import BenchAssertionOptions
from sseclient_cli.cli.options.load import LoadOptions
from sseclient_cli.cli.options.output import BenchOutputOptions
from sseclient_cli.cli.options.publishing import PublishOptions
from sseclient_cli.cli.options.searching import SearchOptions
from sseclient_cli.cli.options.target_metrics import TargetMetricsOptions
from sseclient_cli.cli.outcome import verdict_on, worse_of
from sseclient_cli.cli.publishing import is_publishing
from sseclient_cli.cli.run_options import RunOptions
from sseclient_cli.cli.signals import hangups_outlived
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.cli.outputs import Outputs
    from sseclient_cli.run.spec import RunSpec


def refuse_with_against(
    load: LoadOptions,
    search: SearchOptions,
    publish: PublishOptions,
    target_metrics: TargetMetricsOptions,
    assertions: BenchAssertionOptions,
) -> None:
    """Raise UsageError for options that have no meaning with two targets."""
    for option, is_given, reason in (
        ("--from", load.from_file is not None, "a report has one target"),
        ("--find-limit", bool(search.find_limit), "it varies the load on one target"),
        ("--sweep", search.sweep is not None, "it varies the load on one target"),
        ("--abort-on-fail", assertions.abort_on_fail, "it would end the run of both targets"),
        ("--publish", is_publishing(publish), "a publisher has one target"),
        ("--pid", bool(target_metrics.pid), "the metrics belong to one target"),
        ("--scrape", bool(target_metrics.scrape), "the metrics belong to one target"),
    ):
        if is_given:
            raise UsageError(f"{option} and --against exclude each other: {reason}")


def bench_against(
    spec: RunSpec,
    options: RunOptions,
    target_metrics: TargetMetricsOptions,
    assertions: BenchAssertionOptions,
    output: BenchOutputOptions,
    files: Outputs,
) -> int:
    """Run the plan on both targets, write the comparison, and return the worse of the two exit codes."""
    from sseclient_cli.escaping import visible
    from sseclient_cli.report.comparison import comparison_of

    urls = [side.target.redacted_url for side in spec.sides]
    with ExitStack() as stack:
        on_progress = stack.enter_context(
            live_endpoint(target_metrics.prometheus_port, " against ".join(urls), quiet=output.quiet)
        )
        generator = stack.enter_context(generator_of(options.cluster, options.load, output))
        spec = generator.require_resources(spec)
        routes = generator.routes(spec, with_preflight=not options.load.no_preflight)
        generator.require_ports(spec, routes)
        stack.enter_context(hangups_outlived())
        both = measured(spec, routes, generator.executor(spec), output, on_progress=on_progress)
        reports = [asserted(report, assertions) for report in both]
    files.write(comparison_of(reports, urls))
    verdicts = []
    for name, url, report in zip("AB", urls, reports, strict=True):
        code, why = verdict_on(report, options.measurement, has_summary=False)
        if why:
            sys.stderr.write(f"sse: {name} ({visible(url, keep_lines=False)}): {why}\n")
        say_failed_assertions(report)
        verdicts.append(code)
    return worse_of(verdicts)
