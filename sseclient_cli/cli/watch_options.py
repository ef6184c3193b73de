"""The options of ``sse watch`` beside those of its request."""

from __future__ import annotations

from typing import Annotated

import typer

from sseclient_cli.cli.options import parse_count, parse_duration_s, parse_time_limit_s

LastEventId = Annotated[str, typer.Option(metavar="ID", help="Begin after this event: send it as Last-Event-ID.")]
EventTypes = Annotated[
    list[str] | None,
    typer.Option("--event", metavar="TYPE[,...]", help="Show only events of these types; may be given many times."),
]
Count = Annotated[
    int | None,
    typer.Option(
        "-n",
        "--count",
        parser=parse_count,
        metavar="COUNT",
        help="Stop after this many events; exit with code 1 if fewer come.",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Stop at the first event with TEXT in its data; exit with code 1 without it."),
]
ExpectWithin = Annotated[
    float | None,
    typer.Option(
        "--expect-within",
        parser=parse_time_limit_s,
        metavar="TIME",
        help="Exit with code 1 if no event comes within this time.",
    ),
]
Duration = Annotated[
    float | None,
    typer.Option(
        "-z", "--duration", parser=parse_duration_s, metavar="TIME", help="Stop after this time: 10s, 500ms, 1m30s."
    ),
]
Reconnect = Annotated[
    bool | None,
    typer.Option(
        "--reconnect/--no-reconnect",
        show_default=False,
        help="Reconnect when the stream ends, or stop. The default is to repeat only GET and HEAD.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write each event as a JSON object: time, type, id, data.")]
Raw = Annotated[bool, typer.Option("--raw", help="Write the data of the events and nothing else.")]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Show requests, responses and connections on stderr, like curl.")
]
Comments = Annotated[bool, typer.Option("--comments", help="Show comments too, which servers send as heartbeats.")]
