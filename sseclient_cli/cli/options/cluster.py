"""The options of ``sse bench`` for a run on several machines."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import Sets, option_group

MAX_LOCAL = 64
"""More worker programs on one machine use more memory than the streams."""


MAX_PORT = 65_535


def parse_cluster(text: str) -> str:
    """Check ``tcp://HOST:PORT``, ``tls://HOST:PORT`` or ``local:COUNT``."""
    local = re.fullmatch("local:([0-9]{1,3})", text)
    if local and 1 <= int(local[1]) <= MAX_LOCAL:
        return text
    scheduler = re.fullmatch(r"(?:tcp|tls)://[^\s/@]+:([0-9]{1,5})", text)
    if not scheduler or not 1 <= int(scheduler[1]) <= MAX_PORT:
        raise typer.BadParameter(
            f"{text!r} is not a cluster: write tcp://HOST:PORT or tls://HOST:PORT of its scheduler, "
            f"or local:COUNT (1 to {MAX_LOCAL})"
        )
    return text


@option_group
class ClusterOptions:
    """The machines of the load generator."""

    PANEL: ClassVar = "Load"

    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            parser=parse_cluster,
            metavar="ADDRESS",
            show_default=False,
            help="Use the machines of a Dask cluster: tcp://HOST:PORT, tls://HOST:PORT, local:COUNT.",
        ),
        Sets("cluster"),
    ] = None
    correct_clocks: Annotated[
        bool,
        typer.Option(
            "--correct-clocks", help="With --cluster: take the clock offsets of the machines out of arrival times."
        ),
        Sets("correct_clocks"),
    ] = False
