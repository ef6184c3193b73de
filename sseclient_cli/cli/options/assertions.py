"""The options for assertions on the figures of a report."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group


@option_group
class AssertionOptions:
    """The conditions that the figures of a report must meet."""

    PANEL: ClassVar = "Assertions"

    assertions: Annotated[
        list[str] | None,
        typer.Option(
            "--assert",
            metavar="ASSERTION",
            show_default=False,
            help="Exit with code 1 unless this holds: 'delivery.p99 < 50ms'; repeatable.",
        ),
    ] = None
    allow_saturated: Annotated[
        bool,
        typer.Option(
            "--allow-saturated", help="Trust latencies in --assert even if the load generator was the bottleneck."
        ),
    ] = False


@option_group
class BenchAssertionOptions(AssertionOptions):
    """The same for a run, which a failed assertion can end."""

    abort_on_fail: Annotated[
        bool, typer.Option("--abort-on-fail", help="End the run early when an assertion can no longer pass.")
    ] = False
