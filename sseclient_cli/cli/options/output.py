"""What is written, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

OutputFile = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write what would go to stdout to this file; - is stdout."),
]

Quiet = Annotated[
    bool, typer.Option("-q", "--quiet", help="Write no progress and no summary; errors are still written.")
]

NoTui = Annotated[bool, typer.Option("--no-tui", help="Show no live view, even on a terminal.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOutputOptions:
    """What ``sse bench`` writes."""

    PANEL: ClassVar = "Output"

    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the report of the run as JSON to this file; - is stdout."),
    ] = None
    output_file: OutputFile = None
    quiet: Quiet = False
    no_tui: NoTui = False

    @property
    def is_moving(self) -> bool:
        """Whether there is a live view."""
        return not (self.quiet or self.no_tui)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOutputOptions:
    """What ``sse watch`` writes."""

    PANEL: ClassVar = "Output"

    as_json: Annotated[
        bool, typer.Option("--json", help="Write each event as a JSON object: time, type, id, data.")
    ] = False
    raw: Annotated[bool, typer.Option("--raw", help="Write the data of the events and nothing else.")] = False
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show requests, responses and connections on stderr, like curl.")
    ] = False
    comments: Annotated[
        bool, typer.Option("--comments", help="Show comments too, which servers send as heartbeats.")
    ] = False
    output_file: OutputFile = None
    quiet: Quiet = False
    no_tui: NoTui = False
