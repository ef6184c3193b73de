"""The options that commands share, each declared once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from sseclient_cli.errors import UsageError

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_DURATION = re.compile(rf"{_NUMBER}|(?:{_NUMBER}(?:ms|[smh]))+")
_DURATION_PART = re.compile(rf"({_NUMBER})(ms|[smh]|)")
_SECONDS_OF = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}
_COUNT = re.compile(r"([0-9]{1,12})([kKmM]?)")
_ONES_OF = {"": 1, "k": 1_000, "m": 1_000_000}
_SIZE = re.compile(r"([0-9]{1,12})([kmg]?)(?:i?b)?", re.IGNORECASE)
_BYTES_OF = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}

MAX_SIZE_BYTES = 1024**4
"""More than any machine holds, and still a number that everything can count with."""

MAX_DURATION_S = 366 * 24 * 3600.0
"""Timers do not take just any number."""


def is_duration(text: str) -> bool:
    """Return whether this is written as a time."""
    return _DURATION.fullmatch(text.strip()) is not None


def parse_duration_s(text: str | float) -> float:
    """Read ``10s``, ``500ms``, ``2m``, ``1h``, ``1m30s`` or a bare number of seconds."""
    if not isinstance(text, str):
        return text  # an option's default, which typer sends through the parser too
    if not is_duration(text):
        raise typer.BadParameter(f"{text!r} is not a time: write it like 10s, 500ms, 2m, 1h or 1m30s")
    duration_s = sum(float(number) * _SECONDS_OF[unit] for number, unit in _DURATION_PART.findall(text))
    if duration_s > MAX_DURATION_S:
        raise typer.BadParameter(f"{text!r} is longer than a year")
    return duration_s


def parse_time_limit_s(text: str | float) -> float:
    """Read a time that is not 0: as a limit that would let nothing through."""
    limit_s = parse_duration_s(text)
    if limit_s <= 0:
        raise typer.BadParameter(f"{text!r} allows nothing: give more than 0, or leave the option out for no limit")
    return limit_s


def parse_size_bytes(text: str | int) -> int:
    """Read ``64k``, ``16M``, ``1G`` (powers of 1,024) or a bare number of bytes; above zero, at most MAX_SIZE_BYTES."""
    if not isinstance(text, str):
        return text
    match = _SIZE.fullmatch(text.strip())
    size_bytes = int(match[1]) * _BYTES_OF[match[2].lower()] if match else 0
    if size_bytes < 1:
        raise typer.BadParameter(f"{text!r} is not a size above zero: write it like 64k, 16M or 1500000")
    if size_bytes > MAX_SIZE_BYTES:
        raise typer.BadParameter(f"{text!r} is more than 1 TiB")
    return size_bytes


def parse_count(text: str | int) -> int:
    """Read ``500``, ``1k`` or ``2M`` (powers of 1,000); at least 1."""
    if not isinstance(text, str):
        return text
    match = _COUNT.fullmatch(text.strip())
    if not match or not int(match[1]):
        raise typer.BadParameter(f"{text!r} is not a count above zero: write it like 500, 1k or 2M")
    return int(match[1]) * _ONES_OF[match[2].lower()]


def parse_percent(text: str | float) -> float:
    """Read ``5%``, ``0.5%`` or a bare number of percent."""
    if not isinstance(text, str):
        return text
    match = re.fullmatch(rf"({_NUMBER}) *%?", text.strip())
    if not match or float(match[1]) > 100:
        raise typer.BadParameter(f"{text!r} is not a percentage: write it like 5% or 0.5%")
    return float(match[1])


def parse_statuses(text: str) -> frozenset[int]:
    """Read ``503,429``. Raises UsageError for what is no status of an error."""
    statuses = [part.strip() for part in text.split(",")] if text else []
    for status in statuses:
        if not re.fullmatch(r"[45][0-9][0-9]", status):
            raise UsageError(f"--retry-status {status!r} is not a status from 400 to 599: write it like 503,429")
    return frozenset(map(int, statuses))


def headers_of(header: list[str] | None, *, compressed: bool) -> list[str]:
    """Return the headers to send, with those that other options add. A header that is typed out wins."""
    headers = list(header or ())
    if compressed and not any(line.partition(":")[0].lower() == "accept-encoding" for line in headers):
        from sseclient_cli.protocol.content_coding import readable_codings

        headers.append(f"Accept-Encoding: {', '.join(readable_codings())}")
    return headers


Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        parser=parse_time_limit_s,
        metavar="TIME",
        show_default=False,
        help="Limit the time to connect, and the time to the response head, to this each.",
    ),
]
IdleTimeout = Annotated[
    float | None,
    typer.Option(
        "--idle-timeout",
        parser=parse_time_limit_s,
        metavar="TIME",
        show_default=False,
        help="Close a stream that brings no bytes for this long.",
    ),
]
AnyContentType = Annotated[
    bool,
    typer.Option("--any-content-type", help="Read a response of any content type as an event stream."),
]
Compressed = Annotated[
    bool,
    typer.Option(
        "--compressed",
        help="Ask for a compressed response: gzip, deflate, and br where the brotli package is installed.",
    ),
]
MaxEventBytes = Annotated[
    int | None,
    typer.Option(
        "--max-event-bytes",
        parser=parse_size_bytes,
        metavar="SIZE",
        show_default=False,
        help="End a stream with an event larger than this: 64k, 16M.",
    ),
]

Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="The stream's URL, or 'curl ...' as pasted. `demo`, `demo?rate=5`, `demo/faults?drop=5` start the bundled "
        "server by themselves.",
    ),
]
Headers = Annotated[
    list[str] | None,
    typer.Option("-H", "--header", metavar="NAME:VALUE", help="Send this header; may be given many times."),
]
Method = Annotated[
    str | None,
    typer.Option("-X", "-m", "--method", metavar="METHOD", help="The request's method; GET, or POST with a body."),
]
Bearer = Annotated[
    str | None,
    typer.Option(metavar="TOKEN", help="Send `Authorization: Bearer TOKEN`."),
]
BearerEnv = Annotated[
    str | None,
    typer.Option("--bearer-env", metavar="NAME", help="Like --bearer, with the token of this environment variable."),
]
User = Annotated[
    str | None,
    typer.Option("-u", "--user", metavar="USER:PASS", help="Send HTTP Basic credentials."),
]
Cookies = Annotated[
    list[str] | None,
    typer.Option("-b", "--cookie", metavar="NAME=VALUE", help="Send this cookie; may be given many times."),
]
Data = Annotated[
    str | None,
    typer.Option("-d", "--data", metavar="BODY", help="Send this request body; @FILE reads a file, @- stdin."),
]
OutputFile = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write to this file what would go to stdout; - is stdout."),
]
Quiet = Annotated[
    bool, typer.Option("-q", "--quiet", help="Write no progress and no summary; errors are still written.")
]
NoTui = Annotated[bool, typer.Option("--no-tui", help="Show no live view, also on a terminal.")]
FailOnErrorEvent = Annotated[
    bool,
    typer.Option(
        "--fail-on-error-event", help="Fail if an event has the type `error`, or JSON data with `error` in it."
    ),
]

Insecure = Annotated[
    bool, typer.Option("-k", "--insecure", help="Take any certificate of the server, for any name, expired or not.")
]
CaCert = Annotated[
    str | None,
    typer.Option("--cacert", metavar="FILE", help="Trust the authorities in this PEM file, and no others."),
]
Cert = Annotated[
    str | None,
    typer.Option(
        "--cert", metavar="FILE", help="Show the server this client certificate (PEM, its key may be inside)."
    ),
]
Key = Annotated[str | None, typer.Option("--key", metavar="FILE", help="The key of the client certificate (PEM).")]
ConnectTo = Annotated[
    str | None,
    typer.Option("--connect-to", metavar="HOST:PORT", help="Connect there instead; all else stays that of the URL."),
]
UnixSocket = Annotated[
    str | None, typer.Option("--unix-socket", metavar="PATH", help="Connect to this unix socket instead.")
]
ProxyUrl = Annotated[
    str | None,
    typer.Option(
        "-x", "--proxy", metavar="URL", show_default=False,
        help="Go through this proxy; '' ignores http_proxy, ... of the environment.",
    ),
]  # fmt: skip
RetryStatus = Annotated[
    str,
    typer.Option(
        "--retry-status",
        metavar="STATUS[,...]",
        help="Retry after these status codes, for example 503,429. Browsers give up on any but 200.",
    ),
]
SourceAddress = Annotated[
    str | None,
    typer.Option(
        "--source-address",
        metavar="ADDRESS[,...]",
        help="Connect from these addresses of this machine; streams take turns.",
    ),
]
