"""``sse bench --find-limit``: runs with a growing load, until an assertion fails or the load generator is saturated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sseclient_cli.cli.options.load import DEFAULT_CONNECTIONS, LoadOptions
from sseclient_cli.cli.options.searching import SearchOptions
from sseclient_cli.errors import UsageError
from sseclient_cli.exit_codes import EXIT_INTERRUPTED, EXIT_UNMET

if TYPE_CHECKING:
    from sseclient_cli.report.assertions import Assertion
    from sseclient_cli.report.limit_model import LimitSearch
    from sseclient_cli.report.model import Report
    from sseclient_cli.report.step_model import Step, Varied


def find_limit(
    options: SearchOptions,
    load: LoadOptions,
    measure: Callable[[LoadOptions], Report],
    write: Callable[[LimitSearch], None],
    *,
    quiet: bool,
) -> int:
    """Search the limit, write the document, and return the exit code."""
    from rich.console import Console

    from sseclient_cli.cli.limit_steps import Search
    from sseclient_cli.render.terminal.steps_view import step_line

    console = Console(stderr=True, highlight=False)

    def say(step: Step, varied: Varied) -> None:
        if not quiet:
            console.print(step_line(step, varied), soft_wrap=True)

    start = load.connections or DEFAULT_CONNECTIONS if load.rate_per_s is None else load.rate_per_s
    found = Search(load, parsed(options), start).run(measure, say)
    if found is None:
        return EXIT_INTERRUPTED
    write(found)
    return exit_code_of(found)


def parsed(options: SearchOptions) -> list[Assertion]:
    """Return the assertions of the search. Raises UsageError for one that a growing load does not break."""
    from sseclient_cli.report.assertions import Assertion

    assertions = [Assertion.parse(text) for text in options.find_limit or ()]
    for each in assertions:
        if not each.bounds_the_worse_side:
            raise UsageError(
                f"a growing load does not break {each.expression!r}: give an upper limit of a figure that gets worse "
                "with the load, like 'delivery.p99 < 100ms'"
            )
    return assertions


def exit_code_of(search: LimitSearch) -> int:
    """Return the exit code of a search: 1 if no load passed."""
    from sseclient_cli.report.limit_model import StoppedBy

    if search.stopped_by is StoppedBy.INTERRUPT:
        return EXIT_INTERRUPTED
    return EXIT_UNMET if search.limit is None else 0
