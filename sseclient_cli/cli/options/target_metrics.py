"""The options of ``sse bench`` for the target's own metrics, and for live metrics of the run."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group
from sseclient_cli.cli.options.values import parse_duration_s

DEFAULT_SETTLE_S = 5.0

PID_OF_DEMO = "demo"
"""What ``--pid`` takes for the process of the bundled server."""


def parse_pid(text: str) -> str:
    """Read the number of a process, or ``demo``."""
    if text != PID_OF_DEMO and not (text.isascii() and text.isdigit() and int(text)):
        raise typer.BadParameter(f"{text!r} is not the number of a process: write it like 1234, or demo")
    return text


def parse_address(text: str) -> str:
    """Read ``9464``, ``0.0.0.0:9464`` or ``[::1]:9464``; port 0 is any free one."""
    host, _, port = text.rpartition(":")
    is_host = not text.startswith(":") and (":" not in host or (host.startswith("[") and host.endswith("]")))
    if not is_host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise typer.BadParameter(f"{text!r} is not a port: write it like 9464 or 0.0.0.0:9464")
    return text


@option_group
class TargetMetricsOptions:
    """What to sample of the target during the run."""

    PANEL: ClassVar = "Target metrics"

    pid: Annotated[
        list[str] | None,
        typer.Option(
            "--pid",
            parser=parse_pid,
            metavar="PID|demo",
            show_default=False,
            help="Sample memory, files, CPU of this process and its children; repeatable.",
        ),
    ] = None
    scrape: Annotated[
        list[str] | None,
        typer.Option(
            "--scrape",
            metavar="URL",
            show_default=False,
            help="Sample this Prometheus endpoint of the target; repeatable.",
        ),
    ] = None
    scrape_series: Annotated[
        list[str] | None,
        typer.Option(
            "--scrape-series",
            metavar="NAME",
            show_default=False,
            help='Also read this series with --scrape: NAME or NAME{label="value"}; repeatable.',
        ),
    ] = None
    settle_s: Annotated[
        float,
        typer.Option(
            "--settle",
            parser=parse_duration_s,
            metavar="TIME",
            show_default="5s",
            help="After the run, wait up to this time until memory and files of the target are back.",
        ),
    ] = DEFAULT_SETTLE_S
    prometheus_port: Annotated[
        str | None,
        typer.Option(
            "--prometheus-port",
            parser=parse_address,
            metavar="[HOST:]PORT",
            show_default=False,
            help="Serve live metrics of the run for Prometheus; HOST is 127.0.0.1 by default.",
        ),
    ] = None
