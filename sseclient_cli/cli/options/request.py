"""The options for the request, which ``watch`` and ``bench`` share."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.completion import complete_url
from sseclient_cli.cli.options.grouped import Sets, option_group
from sseclient_cli.sse.stream_format import StreamFormat

Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        autocompletion=complete_url,
        help="The stream's URL, a pasted 'curl ...' command, or `demo` for the bundled server (`demo?rate=5`, "
        "`demo/faults?drop=5`).",
    ),
]


Urls = Annotated[
    list[str],
    typer.Argument(
        metavar="URL",
        autocompletion=complete_url,
        help="The stream's URL, a pasted 'curl ...' command, or `demo` for the bundled server (`demo?rate=5`, "
        "`demo/faults?drop=5`); several are shown together, each with a label.",
    ),
]


UrlOrReport = Annotated[
    str | None,
    typer.Argument(
        metavar="URL",
        autocompletion=complete_url,
        show_default=False,
        help="The stream's URL, as for `sse watch`.",
    ),
]


LastEventId = Annotated[str, typer.Option(metavar="ID", help="Send this Last-Event-ID: start after that event.")]

FailOnErrorEvent = Annotated[
    bool,
    typer.Option(
        "--fail-on-error-event", help="Fail if an event has the type `error`, or JSON data with an `error` field."
    ),
]


@option_group
class RequestOptions:
    """The request: method, headers, body, credentials."""

    PANEL: ClassVar = "Request"

    headers: Annotated[
        list[str] | None,
        typer.Option("-H", "--header", metavar="NAME:VALUE", help="Send this header; repeatable."),
    ] = None
    method: Annotated[
        str | None,
        typer.Option(
            "-X", "-m", "--method", metavar="METHOD", help="Use this method; by default GET, or POST with a body."
        ),
    ] = None
    data: Annotated[
        str | None,
        typer.Option("-d", "--data", metavar="BODY", help="Send this request body; @FILE reads a file, @- stdin."),
        Sets("body"),
    ] = None
    bearer: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", help="Send `Authorization: Bearer TOKEN`."),
    ] = None
    bearer_env: Annotated[
        str | None,
        typer.Option(
            "--bearer-env", metavar="NAME", help="Like --bearer, with the token in this environment variable."
        ),
    ] = None
    user: Annotated[
        str | None,
        typer.Option("-u", "--user", metavar="USER:PASS", help="Send HTTP Basic credentials."),
    ] = None
    cookie: Annotated[
        list[str] | None,
        typer.Option("-b", "--cookie", metavar="NAME=VALUE", help="Send this cookie; repeatable."),
    ] = None
    any_content_type: Annotated[
        bool,
        typer.Option("--any-content-type", help="Accept any content type as an event stream."),
    ] = False
    compressed: Annotated[
        bool,
        typer.Option(
            "--compressed",
            help="Accept a compressed response: gzip, deflate, and br if brotli is installed.",
        ),
    ] = False


@option_group
class StreamRequestOptions(RequestOptions):
    """The request of a stream in any format."""

    stream_format: Annotated[
        StreamFormat | None,
        typer.Option(
            "--format",
            show_default=StreamFormat.AUTO.value,
            help="The format of the stream; auto is by content type, and json reads a body as one event.",
        ),
    ] = None
    messages: Annotated[
        list[str] | None,
        typer.Option("--send", metavar="TEXT", help="Send this message to a WebSocket when it opens; repeatable."),
    ] = None
