"""The options of ``sse bench`` that are neither its schedule nor its request."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sseclient_cli.cli.options import parse_percent

Workers = Annotated[
    str,
    typer.Option(
        metavar="auto|COUNT", help="Worker processes; auto is one per 1,000 streams, at most one per usable core."
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Exit with code 4 if the load generator was the bottleneck, 6 if streams failed."),
]
NoPreflight = Annotated[
    bool, typer.Option("--no-preflight", help="Make no request before the run; only resolve the host name.")
]
AllAddresses = Annotated[
    bool, typer.Option("--all-addresses", help="Connect to all addresses of the host name, by turns.")
]
MaxFailed = Annotated[
    float | None,
    typer.Option(
        "--max-failed",
        parser=parse_percent,
        metavar="PERCENT",
        show_default=False,
        help="Exit with code 6 if more than this share of the streams fails: 5%.",
    ),
]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the report of the run as JSON to this file; - is stdout."),
]
