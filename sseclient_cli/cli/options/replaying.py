"""The options of ``sse replay``."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group
from sseclient_cli.cli.options.values import parse_duration_s, parse_speed


@option_group
class PacingOptions:
    """When to send the recorded events."""

    PANEL: ClassVar = "Timing"

    speed: Annotated[
        float,
        typer.Option(
            parser=parse_speed,
            metavar="FACTOR",
            show_default="1x",
            help="Replay this many times as fast: 10x, 0.5x; `max` leaves out all gaps.",
        ),
    ] = 1.0
    loop: Annotated[bool, typer.Option("--loop", help="Start again at the end of the recording.")] = False
    jitter_s: Annotated[
        float,
        typer.Option(
            "--jitter",
            parser=parse_duration_s,
            metavar="TIME",
            show_default=False,
            help="Send each event late by a random part of this time, in the recorded order.",
        ),
    ] = 0.0
    seed: Annotated[
        int, typer.Option(min=0, metavar="NUMBER", help="Make another sequence of random times for --jitter.")
    ] = 0


@option_group
class ListenOptions:
    """Where the server listens."""

    PANEL: ClassVar = "Server"

    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Listen on this address.")] = "127.0.0.1"
    port: Annotated[int, typer.Option(min=0, max=65535, help="Listen on this port; 0 picks a free port.")] = 8000
