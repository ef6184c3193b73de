"""The options for output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group
from sseclient_cli.cli.options.values import parse_duration_s
from sseclient_cli.render.watch.time_column import TimeStyle

OutputFile = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write to this file instead of stdout; - is stdout."),
]

JsonFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the JSON document to this file; - is stdout."),
]

Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Write only errors, no progress and no summary.")]


def by_suffix(forms: str) -> Any:
    """Return the option for files whose suffix says their form; ``forms`` are the suffixes, and the form of others."""
    return typer.Option(
        "-o", "--output", metavar="FILE", show_default=False, help=f"Write by suffix: {forms}; repeatable."
    )


NoTui = Annotated[bool, typer.Option("--no-tui", help="Do not show a live view on a terminal.")]


@option_group
class DocumentOutputOptions:
    """The output of a command that makes a document."""

    PANEL: ClassVar = "Output"

    json_file: JsonFile = None
    html_file: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with charts to this file, which opens offline."),
    ] = None
    output_files: Annotated[
        list[Path] | None, by_suffix(".json .html .csv .xml (JUnit) .hgrm .prom, else the summary")
    ] = None
    quiet: Quiet = False


@option_group
class ComparisonOutputOptions(DocumentOutputOptions):
    """The output of ``sse compare``, whose document has fewer forms."""

    output_files: Annotated[list[Path] | None, by_suffix(".json .html, else the table")] = None


@option_group
class BenchOutputOptions(DocumentOutputOptions):
    """The output of ``sse bench``."""

    no_tui: Annotated[bool, typer.Option("--no-tui", help="Write lines of progress instead of a live view.")] = False
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show a row for each host of a cluster.")] = False

    @property
    def is_moving(self) -> bool:
        """Whether to show a live view."""
        return not (self.quiet or self.no_tui)


@option_group
class WatchOutputOptions:
    """The output of ``sse watch``."""

    PANEL: ClassVar = "Output"

    as_json: Annotated[
        bool, typer.Option("--json", help="Write each event as a JSON object: time, type, id, data.")
    ] = False
    raw: Annotated[bool, typer.Option("--raw", help="Write only the data of the events.")] = False
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show requests, responses and connections on stderr, like curl.")
    ] = False
    comments: Annotated[bool, typer.Option("--comments", help="Show comments too, for example heartbeats.")] = False
    time_style: Annotated[
        TimeStyle, typer.Option("--time", help="The time of events in a live view: of day, since the start, or none.")
    ] = TimeStyle.CLOCK
    stall_s: Annotated[
        float | None,
        typer.Option(
            "--stall",
            parser=parse_duration_s,
            metavar="TIME",
            show_default="10s",
            help="Mark a silence of at least this length in a live view; 0 for none.",
        ),
    ] = None
    full: Annotated[bool, typer.Option("--full", help="Do not fold long data in a live view.")] = False
    output_file: OutputFile = None
    record_file: Annotated[
        Path | None,
        typer.Option("--record", metavar="FILE", help="Record all events and comments to this file, for `sse replay`."),
    ] = None
    quiet: Quiet = False
    no_tui: NoTui = False
