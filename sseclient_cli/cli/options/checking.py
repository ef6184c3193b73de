"""The options of `sse check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group
from sseclient_cli.cli.options.output import JsonFile, Quiet, by_suffix
from sseclient_cli.cli.options.request import LastEventId
from sseclient_cli.cli.options.values import parse_time_limit_s

DEFAULT_DURATION_S = 30.0


@option_group
class CheckOptions:
    """What to check, and how long."""

    PANEL: ClassVar = "Checks"

    duration_s: Annotated[
        float | None,
        typer.Option(
            "-z",
            "--duration",
            parser=parse_time_limit_s,
            metavar="TIME",
            show_default="30s",
            help="Stop after this time; a check ends earlier if everything is known.",
        ),
    ] = None
    last_event_id: LastEventId = ""
    origin: Annotated[
        str | None,
        typer.Option(metavar="ORIGIN", help="Require that pages of this origin can read the stream (CORS)."),
    ] = None
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="NAME[,...]", help="Skip these checks; repeatable."),
    ] = None
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 1 for warnings, too.")] = False


@option_group
class CheckOutputOptions:
    """The output of `sse check`."""

    PANEL: ClassVar = "Output"
    html_file: ClassVar[Path | None] = None

    json_file: JsonFile = None
    output_files: Annotated[list[Path] | None, by_suffix(".json, else the lines")] = None
    quiet: Quiet = False
