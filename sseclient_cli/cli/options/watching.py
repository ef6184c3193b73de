"""The options of ``sse watch`` for the events to show, and when to stop."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group
from sseclient_cli.cli.options.request import FailOnErrorEvent, LastEventId
from sseclient_cli.cli.options.values import parse_count, parse_duration_s, parse_time_limit_s


@option_group
class WatchOptions:
    """Which events to show, and when to stop."""

    PANEL: ClassVar = "Events"

    event: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="TYPE[,...]", help="Show only events of these types; repeatable."),
    ] = None
    where: Annotated[
        str | None,
        typer.Option(metavar="JMESPATH", help="Show only events whose JSON data meets this: type=='tick' && n>`5`."),
    ] = None
    grep: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="Show only events whose data matches this regular expression."),
    ] = None
    count: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--count",
            parser=parse_count,
            metavar="COUNT",
            help="Stop after this many events; exit with code 1 if the stream ends earlier.",
        ),
    ] = None
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Stop at the first event with TEXT in its data; exit with code 1 if none arrives."
        ),
    ] = None
    expect: Annotated[
        str | None,
        typer.Option(
            metavar="EXPR", help="Like --until; EXPR with an operator or a path (a.b) is JMESPath, else text."
        ),
    ] = None
    within_s: Annotated[
        float | None,
        typer.Option(
            "--within",
            parser=parse_time_limit_s,
            metavar="TIME",
            help="Exit with code 1 if --expect, --until, -n or --text is not done in this time.",
        ),
    ] = None
    expect_within_s: Annotated[
        float | None,
        typer.Option(
            "--expect-within",
            parser=parse_time_limit_s,
            metavar="TIME",
            help="Exit with code 1 if no event arrives within this time.",
        ),
    ] = None
    fail_on_error_event: FailOnErrorEvent = False
    duration_s: Annotated[
        float | None,
        typer.Option(
            "-z", "--duration", parser=parse_duration_s, metavar="TIME", help="Stop after this time: 10s, 500ms, 1m30s."
        ),
    ] = None
    last_event_id: LastEventId = ""
    reconnect: Annotated[
        bool | None,
        typer.Option(
            "--reconnect/--no-reconnect",
            show_default=False,
            help="Reconnect when the stream ends; by default only SSE and WebSocket, with GET or HEAD.",
        ),
    ] = None

    @property
    def is_ending(self) -> bool:
        """Whether an event ends the run."""
        return self.expect is not None or self.until is not None or self.count is not None
