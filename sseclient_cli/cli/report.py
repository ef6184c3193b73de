"""``sse report``: show the document of an earlier run, or merge the reports of several."""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sseclient_cli.cli.asserting import asserted, assertions_of
from sseclient_cli.cli.options.assertions import AssertionOptions
from sseclient_cli.cli.options.load import MeasurementOptions
from sseclient_cli.cli.options.output import DocumentOutputOptions
from sseclient_cli.cli.outcome import end_with
from sseclient_cli.cli.outputs import opened
from sseclient_cli.cli.recording_report import report_recording
from sseclient_cli.cli.replay import is_recording_file
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.report.model import Report
    from sseclient_cli.report.read import Document

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="JSON files or pages of sse bench, or a recording; - is stdin. Several reports are merged.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Merge reports of different targets or plans, too.")]


def report(
    files: Files,
    *,
    force: Force = False,
    assertions: AssertionOptions,
    output: DocumentOutputOptions,
) -> int:
    """Show the document of an earlier run, or merge the reports of several machines exactly."""
    assertions_of(assertions)
    recordings = [name for name in files if is_recording_file(Path(name))]
    if recordings:
        if len(files) > 1 or assertions.assertions:
            raise UsageError(f"{recordings[0]} is a recording: show it alone, without --assert")
        return report_recording(Path(recordings[0]), output)
    if files.count("-") > 1:
        raise UsageError("stdin can be read only once: give - once")
    documents = [read(name) for name in files]
    document = documents[0] if len(documents) == 1 else _together(documents, files, force=force)
    from sseclient_cli.report.model import Report

    with opened(output, document.document) as outputs:
        if not isinstance(document, Report):
            if assertions.assertions:
                raise UsageError(f"--assert needs the report of a run, and {files[0]} is a {document.document}")
            outputs.write(document)
            return 0
        judged = asserted(document, assertions)
        outputs.write(judged)
    return end_with(judged, MeasurementOptions(), quiet=output.quiet)


def read(name: str) -> Document:
    """Return the document in a file; - is stdin. Raises UsageError."""
    from sseclient_cli.report.read import read_document

    return read_document(_text(name), _shown(name))


def read_report(name: str) -> Report:
    """Return the report of a run in a file; - is stdin. Raises UsageError."""
    from sseclient_cli.report.read import from_json

    return from_json(_text(name), _shown(name))


def _shown(name: str) -> str:
    return "stdin" if name == "-" else name


def _text(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
    except OSError as exc:
        raise UsageError(f"cannot read {name}: {(exc.strerror or str(exc)).lower()}") from exc
    except ValueError as exc:  # UnicodeDecodeError, or a path with a zero byte
        raise UsageError(f"{name} is not a report: it is not UTF-8 text") from exc


def _together(documents: list[Document], names: list[str], *, force: bool) -> Report:
    from sseclient_cli.report.merge import is_same_run, merged
    from sseclient_cli.report.model import Report

    reports = [document for document in documents if isinstance(document, Report)]
    if len(reports) < len(documents):
        alone = next(name for name, each in zip(names, documents, strict=True) if not isinstance(each, Report))
        raise UsageError(f"only reports of runs can be merged, and {alone} is none: show it alone")
    for (one_name, one), (other_name, other) in combinations(zip(names, reports, strict=True), 2):
        if not force and is_same_run(one, other):
            raise UsageError(
                f"{one_name} and {other_name} are the same run: its events would count twice; --force merges them"
            )
    total, *rest = reports
    for name, report_of_name in zip(names[1:], rest, strict=True):
        try:
            total = merged(total, report_of_name, force=force)
        except UsageError as exc:
            raise UsageError(
                f"{names[0]} and {name} do not belong together: {exc}; --force merges them anyway"
            ) from exc
    return total
