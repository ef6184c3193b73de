"""``sse compare``: reports side by side, and which figures differ by more than the noise."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sseclient_cli.errors import EXIT_UNMET, UsageError

if TYPE_CHECKING:
    from sseclient_cli.cli.result_file import ResultFile
    from sseclient_cli.report.comparison_model import Comparison
    from sseclient_cli.report.model import Report

FORM = "write it like --fail-if-worse 10%"


def compare(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE FILE...", help="JSON reports; the first is the baseline.")
    ],
    fail_if_worse: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT", help="Exit with code 1 if a figure is worse by more than this, beyond the noise."
        ),
    ] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the comparison as JSON; - for stdout.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not print the comparison.")] = False,
) -> int:
    """Compare reports of `sse bench --json`: the values, the changes, and whether they exceed the noise."""
    from sseclient_cli.cli.result_file import ResultFile

    limit = None if fail_if_worse is None else _share(fail_if_worse)
    if len(files) < 2:
        raise UsageError("a comparison needs two reports or more: sse compare before.json after.json")
    reports = [_read(path) for path in files]
    if json_path is None:
        return _compared(reports, files, limit, None, quiet=quiet)
    with closing(ResultFile(json_path)) as json_file:
        return _compared(reports, files, limit, json_file, quiet=quiet)


def _compared(
    reports: list[Report], files: list[Path], limit: float | None, json_file: ResultFile | None, *, quiet: bool
) -> int:
    from sseclient_cli.report.comparison import comparison_of
    from sseclient_cli.report.read import to_json

    comparison = comparison_of(reports, list(map(str, files)))
    if json_file is not None:
        json_file.write(to_json(comparison))
    if not quiet:
        _print(comparison, to_stderr=json_file is not None and json_file.is_stdout)
    return _exit_code(comparison, limit)


def _read(path: Path) -> Report:
    from sseclient_cli.report.read import from_json

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except OSError as exc:
        raise UsageError(f"cannot read {path}: {(exc.strerror or str(exc)).lower()}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{path} is not a report: it is not UTF-8 text") from exc
    return from_json(text, str(path))


def _share(text: str) -> float:
    """Return a percentage as a share. Raises UsageError."""
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not text.strip().endswith("%") or not 0 <= share < float("inf"):
        raise UsageError(f"--fail-if-worse {text!r} is not a percentage: {FORM}")
    return share


def _print(comparison: Comparison, *, to_stderr: bool) -> None:
    from rich.console import Console

    from sseclient_cli.render.terminal.comparison import comparison_view

    Console(stderr=to_stderr, highlight=False).print(comparison_view(comparison))


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
