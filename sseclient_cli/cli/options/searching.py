"""The options of ``sse bench`` that run several loads, one after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group
from sseclient_cli.cli.options.values import parse_count, parse_rate_per_s


@dataclass(frozen=True, slots=True)
class Loads:
    """The loads of a sweep, in their order: numbers of streams, or rates."""

    values: tuple[float, ...]
    are_rates: bool


def parse_loads(text: str | Loads) -> Loads:
    """Read ``1,2,4,8`` or ``5/s,10/s``."""
    if not isinstance(text, str):
        return text
    parts = text.split(",")
    forms = {"/" in part for part in parts}
    if len(forms) > 1:
        raise typer.BadParameter(f"{text!r} has counts and rates: write it like 1,2,4,8 or 5/s,10/s")
    parse = parse_rate_per_s if True in forms else parse_count
    return Loads(tuple(float(parse(part)) for part in parts), are_rates=True in forms)


@option_group
class SearchOptions:
    """Several runs with different loads."""

    PANEL: ClassVar = "Several loads"

    find_limit: Annotated[
        list[str] | None,
        typer.Option(
            "--find-limit",
            metavar="ASSERTION",
            show_default=False,
            help="Raise --connections (or --rate) until this assertion fails: 'delivery.p99 < 100ms'.",
        ),
    ] = None
    sweep: Annotated[
        Loads | None,
        typer.Option(
            "--sweep",
            parser=parse_loads,
            metavar="LOAD,LOAD,...",
            show_default=False,
            help="Run these loads in turn, streams or rates, and show the curve: 1,2,4,8 or 5/s,10/s.",
        ),
    ] = None

    @property
    def has_steps(self) -> bool:
        """Whether the run has several steps, each at a load of its own."""
        return bool(self.find_limit) or self.sweep is not None
