"""``sse bench --sweep``: a run at each of several loads, and the curve of throughput and latency."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sseclient_cli.cli.options.assertions import AssertionOptions
from sseclient_cli.cli.options.load import LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.searching import SearchOptions
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.report.model import Report
    from sseclient_cli.report.sweep_model import Sweep, SweepStep


def refuse_with_sweep(search: SearchOptions, load: LoadOptions) -> None:
    """Raise UsageError for options that a sweep replaces."""
    if search.sweep is None:
        return
    if search.find_limit:
        raise UsageError("--find-limit and --sweep exclude each other: --find-limit chooses its loads")
    if load.rate_per_s is not None:
        raise UsageError("--rate and --sweep exclude each other: give the rates to --sweep, like 5/s,10/s")
    if load.connections is not None and not search.sweep.are_rates:
        raise UsageError("--connections and --sweep exclude each other: --sweep gives the numbers of streams")
    largest = max(search.sweep.values)
    if load.requests is not None and load.requests < largest and not search.sweep.are_rates:
        raise UsageError(f"--requests {load.requests:,} is fewer than the {largest:,.0f} at once of --sweep: raise it")


def loads_of(search: SearchOptions, load: LoadOptions) -> list[LoadOptions]:
    """Return the options of each step of a sweep, or the given ones of a run without."""
    if search.sweep is None:
        return [load]
    if search.sweep.are_rates:
        return [replace(load, rate_per_s=value) for value in search.sweep.values]
    return [replace(load, connections=int(value)) for value in search.sweep.values]


def sweep(
    loads: Sequence[LoadOptions],
    measure: Callable[[LoadOptions], Report],
    write: Callable[[Sweep], None],
    measurement: MeasurementOptions,
    assertions: AssertionOptions,
    *,
    quiet: bool,
) -> int:
    """Run the steps, write the document, and return the exit code. Raises the error that ended the sweep early."""
    from rich.console import Console

    from sseclient_cli.cli.sweep_steps import SweepRun
    from sseclient_cli.render.terminal.sweep_view import progress_line

    console = Console(stderr=True, highlight=False)

    def say(step: SweepStep, found: Sweep) -> None:
        if not quiet or step.reason:
            console.print(progress_line(step, found), soft_wrap=True)

    run = SweepRun(loads, measurement, assertions, quiet=quiet)
    run.run(measure, say)
    if (found := run.document) is not None:
        write(found)
    elif run.error is None:
        sys.stderr.write("sse: interrupted before the first load was complete\n")
    if run.error is not None:
        raise run.error
    return run.exit_code
