"""The options for the connection, which ``watch`` and ``bench`` share."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import Sets, option_group
from sseclient_cli.cli.options.values import parse_size_bytes, parse_time_limit_s


@option_group
class ConnectionOptions:
    """How to connect to the server, and the limits of a connection."""

    PANEL: ClassVar = "Connection"

    insecure: Annotated[bool, typer.Option("-k", "--insecure", help="Do not verify the server's certificate.")] = False
    ca_file: Annotated[
        str | None,
        typer.Option("--cacert", metavar="FILE", help="Trust only the certificate authorities in this PEM file."),
    ] = None
    cert_file: Annotated[
        str | None,
        typer.Option("--cert", metavar="FILE", help="Send this client certificate (PEM; may contain its key)."),
    ] = None
    key_file: Annotated[
        str | None, typer.Option("--key", metavar="FILE", help="Use this key for the client certificate (PEM).")
    ] = None
    connect_to: Annotated[
        str | None,
        typer.Option(
            "--connect-to",
            metavar="HOST:PORT",
            help="Connect to HOST:PORT instead; Host header and SNI stay those of the URL.",
        ),
    ] = None
    unix_socket: Annotated[
        str | None, typer.Option("--unix-socket", metavar="PATH", help="Connect to this unix socket instead.")
    ] = None
    source_address: Annotated[
        str | None,
        typer.Option(
            "--source-address",
            metavar="ADDRESS[,...]",
            help="Connect from these addresses of this machine, in turn.",
        ),
        Sets("source_addresses"),
    ] = None
    http2: Annotated[
        bool,
        typer.Option("--http2", help="Use HTTP/2: negotiated for https, by prior knowledge for http (extra http2)."),
    ] = False
    proxy: Annotated[
        str | None,
        typer.Option(
            "-x",
            "--proxy",
            metavar="URL",
            show_default=False,
            help="Use this proxy; '' ignores the proxies of the environment (http_proxy, ...).",
        ),
    ] = None
    timeout_s: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            parser=parse_time_limit_s,
            metavar="TIME",
            show_default=False,
            help="Limit the time to connect, and then the time to the response head.",
        ),
        Sets("connect_timeout_s", "head_timeout_s"),
    ] = None
    idle_timeout_s: Annotated[
        float | None,
        typer.Option(
            "--idle-timeout",
            parser=parse_time_limit_s,
            metavar="TIME",
            show_default=False,
            help="Close a stream after this time without a byte.",
        ),
        Sets("read_timeout_s"),
    ] = None
    max_event_bytes: Annotated[
        int | None,
        typer.Option(
            "--max-event-bytes",
            parser=parse_size_bytes,
            metavar="SIZE",
            show_default=False,
            help="Close a stream with an event larger than this: 64k, 16M.",
        ),
    ] = None
    retry_statuses: Annotated[
        str | None,
        typer.Option(
            "--retry-status",
            metavar="STATUS[,...]",
            help="Retry after these status codes: 503,429; `sse bench` also needs --on-end reconnect.",
        ),
    ] = None
