"""The options that commands share, each declared once."""

from __future__ import annotations

import re
from typing import Annotated

import typer

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ms|s|m|h|)")
_SECONDS_OF = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


MAX_DURATION_S = 366 * 24 * 3600.0
"""Timers do not take just any number."""


def parse_duration_s(text: str | float) -> float:
    """Read ``10s``, ``500ms``, ``2m``, ``1h`` or a bare number of seconds."""
    if not isinstance(text, str):
        return text  # an option's default, which typer sends through the parser too
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise typer.BadParameter(f"{text!r} is not a time: write it like 10s, 500ms, 2m or 1h")
    duration_s = float(match[1]) * _SECONDS_OF[match[2]]
    if duration_s > MAX_DURATION_S:
        raise typer.BadParameter(f"{text!r} is longer than a year")
    return duration_s


Url = Annotated[
    str, typer.Argument(metavar="URL", help="The stream's URL; `demo` starts the bundled server by itself.")
]
Headers = Annotated[
    list[str] | None,
    typer.Option("-H", "--header", metavar="NAME:VALUE", help="Send this header; may be given many times."),
]
Method = Annotated[
    str | None,
    typer.Option("-X", "--method", metavar="METHOD", help="The request's method; GET, or POST with a body."),
]
Bearer = Annotated[
    str | None,
    typer.Option(metavar="TOKEN", help="Send `Authorization: Bearer TOKEN`."),
]
