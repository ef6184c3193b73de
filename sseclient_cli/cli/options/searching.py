"""The option of ``sse bench`` that searches the limit of a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """Several runs with a growing load."""

    PANEL: ClassVar = "Limit search"

    find_limit: Annotated[
        list[str] | None,
        typer.Option(
            "--find-limit",
            metavar="ASSERTION",
            show_default=False,
            help="Raise --connections (or --rate) until this assertion fails: 'delivery.p99 < 100ms'.",
        ),
    ] = None
