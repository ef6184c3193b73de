"""The options of ``sse bench`` for a publisher of the events that the streams should receive."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group
from sseclient_cli.cli.options.values import parse_rate_per_s

DEFAULT_RATE_PER_S = 5.0


@option_group
class PublishOptions:
    """What to publish during the run, and where."""

    PANEL: ClassVar = "Publisher"

    publish_url: Annotated[
        str | None,
        typer.Option(
            "--publish",
            metavar="URL",
            show_default=False,
            help="Publish events to this URL during the run, and measure which streams receive them, and when.",
        ),
    ] = None
    publish_command: Annotated[
        str | None,
        typer.Option(
            "--publish-command",
            metavar="COMMAND",
            show_default=False,
            help="Instead of --publish: write each event as a line to the stdin of this command.",
        ),
    ] = None
    publish_rate_per_s: Annotated[
        float | None,
        typer.Option(
            "--publish-rate",
            parser=parse_rate_per_s,
            metavar="COUNT/s",
            show_default="5/s",
            help="Publish this many events per second.",
        ),
    ] = None
    publish_body: Annotated[
        str | None,
        typer.Option(
            "--publish-body",
            metavar="TEMPLATE",
            show_default="a JSON object",
            help="Send this body: {token} is required, {n} is the number of the event; @FILE reads a file.",
        ),
    ] = None
    publish_headers: Annotated[
        list[str] | None,
        typer.Option(
            "--publish-header",
            metavar="NAME:VALUE",
            show_default=False,
            help="Send this header with each publish request; repeatable.",
        ),
    ] = None
    publish_method: Annotated[
        str | None,
        typer.Option(
            "--publish-method", metavar="METHOD", show_default="POST", help="Use this method for publish requests."
        ),
    ] = None
