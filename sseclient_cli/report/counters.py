"""Counters with the same name in ``Totals`` and in the report: each is filled in without a line of its own."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sseclient_cli.measure.totals import Totals
from sseclient_cli.report.figure import Part

_COUNTERS = frozenset(each.name for each in fields(Totals) if type(each.default) is int)


def counters_of(part: type[Part], totals: Totals) -> dict[str, Any]:
    """Return the figures of a part of the report that are counters of ``Totals``."""
    return {name: getattr(totals, name) for name in _names(part)}


def counters_in(*parts: Part) -> dict[str, Any]:
    """Return the counters of ``Totals`` that these parts of a report hold."""
    return {name: getattr(part, name) for part in parts for name in _names(type(part))}


def _names(part: type[Part]) -> list[str]:
    # A distribution may have the name of a counter.
    numbers = [name for name, figure in part.model_fields.items() if figure.annotation in (int, int | None)]
    return [name for name in numbers if name in _COUNTERS]
