"""``sse compare``: reports side by side, and which figures differ by more than the noise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sseclient_cli.cli.formats import COMPARISON
from sseclient_cli.cli.options.output import ComparisonOutputOptions
from sseclient_cli.cli.outputs import opened
from sseclient_cli.cli.report import read_report
from sseclient_cli.errors import UsageError
from sseclient_cli.exit_codes import EXIT_UNMET

if TYPE_CHECKING:
    from sseclient_cli.report.comparison_model import Comparison

FORM = "write it like --fail-if-worse 10%"


def compare(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE FILE...", help="JSON reports or pages; the first is the baseline.")
    ],
    *,
    fail_if_worse: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT", help="Exit with code 1 if a figure is worse by more than this, beyond the noise."
        ),
    ] = None,
    output: ComparisonOutputOptions,
) -> int:
    """Compare reports of `sse bench --json`: the values, the changes, and whether they exceed the noise."""
    limit = None if fail_if_worse is None else _share(fail_if_worse)
    if len(files) < 2:
        raise UsageError("a comparison needs two reports or more: sse compare before.json after.json")
    reports = [read_report(name) for name in files]
    with opened(output, COMPARISON) as outputs:
        from sseclient_cli.report.comparison import comparison_of

        comparison = comparison_of(reports, files)
        outputs.write(comparison)
    return _exit_code(comparison, limit)


def _share(text: str) -> float:
    """Return a percentage as a share. Raises UsageError."""
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not text.strip().endswith("%") or not 0 <= share < float("inf"):
        raise UsageError(f"--fail-if-worse {text!r} is not a percentage: {FORM}")
    return share


def _exit_code(comparison: Comparison, limit: float | None) -> int:
    """Return the exit code, and name the figures that are worse on stderr."""
    from sseclient_cli.escaping import visible
    from sseclient_cli.render.terminal.comparison import change_words, value_words
    from sseclient_cli.report.comparison import worse_than

    worse = [] if limit is None else list(worse_than(comparison, limit))
    for difference, place in worse:
        before, after = (value_words(difference.values[each], difference.unit) for each in (0, place))
        change = difference.changes[place - 1]
        by = "" if change.change is None else f" ({change_words(change)})"
        name = visible(comparison.names[place], keep_lines=False)
        sys.stderr.write(f"sse: {difference.name} is worse in {name}: {after}{by}, before {before}\n")
    return EXIT_UNMET if worse else 0
