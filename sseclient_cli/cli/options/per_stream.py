"""The options of ``sse bench`` for requests that differ between streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import Sets


@dataclass(frozen=True, slots=True, kw_only=True)
class PerStreamOptions:
    """The values of each stream: tokens, channels, prompts."""

    PANEL: ClassVar = "Values per stream"

    values_file: Annotated[
        str | None,
        typer.Option(
            "--values",
            metavar="FILE",
            show_default=False,
            help="Put the columns of this CSV or JSON lines file into {COLUMN} in the URL, headers and body; stream n "
            "takes row n, in turn. Without a file: {n}, {worker}, {uuid}, {random:1-1000}.",
        ),
        Sets("values"),
    ] = None
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
