"""The options of ``sse bench`` for requests that differ between streams."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import Sets, option_group
from sseclient_cli.cli.options.request import LastEventId


@option_group
class PerStreamOptions:
    """The values of each stream: tokens, channels, prompts."""

    PANEL: ClassVar = "Values per stream"

    values_file: Annotated[
        str | None,
        typer.Option(
            "--values",
            metavar="FILE",
            show_default=False,
            help="Fill {COLUMN} in URL, headers and body from this CSV or JSON lines file, a row per stream.",
        ),
        Sets("values"),
    ] = None
    last_event_id: LastEventId = ""
    urls_file: Annotated[
        str | None,
        typer.Option(
            "--urls",
            metavar="FILE",
            show_default=False,
            help="Share the streams among the URLs of this file: a URL, or WEIGHT URL, per line.",
        ),
        Sets("urls"),
    ] = None
