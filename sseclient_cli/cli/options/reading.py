"""The options of ``sse watch`` for the part of an event to show."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group


@option_group
class ReadingOptions:
    """The part of each event to show."""

    PANEL: ClassVar = "Output"

    text: Annotated[
        bool, typer.Option("--text", help="Write only the text of an LLM's answer, joined as it arrives.")
    ] = False
    pick: Annotated[
        str | None,
        typer.Option(metavar="JMESPATH", help="Like --text, with the text at this place: delta.text."),
    ] = None
    select: Annotated[
        str | None,
        typer.Option(metavar="JMESPATH", help="Show this value instead of the data; skip events without it."),
    ] = None
    format_string: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help=r"Like kcat: '%t %e %i %d\n' for time, type, id, data; also %s %n %g."),
    ] = None

    @property
    def is_joined(self) -> bool:
        """Whether to join pieces of text."""
        return self.text or self.pick is not None
