"""The numeric figures of a report, by path and by short name. Assertions, comparisons and exports use this list.

A name is the path of a figure, or the end of it, with or without the unit: ``latency.delivery.p99_ms``,
``delivery.p99``, ``audit.lost``. A latency has any percentile, not only those with a field: ``delivery.p75``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

from sseclient_cli.errors import UsageError
from sseclient_cli.report.distributions import Distribution, Latency
from sseclient_cli.report.figure import Entry, catalogue
from sseclient_cli.report.model import Report

_OF_EVENTS = tuple(f"{part}." for part in ("latency.delivery", "latency.gap", "latency.first_event", "audit", "reach"))
_OF_STREAMS = (*_OF_EVENTS, "latency.headers.", "latency.open_gap.", "events.per_stream.", "bursts.", "silence.")
"""The figures that need an event, or an open stream."""

_LATER = ("requests.", "llm.", "mcp.")
"""Parts that took no name from the figures before them: ``failed`` is still ``streams.failed``."""

MOST_NEAR_NAMES = 5
"""Names that the error for an unknown one lists."""

_PERCENTILE = re.compile(r"(.+)\.p(100|[0-9]{1,2}(?:\.[0-9]+)?|9{2}[0-9]+)(?:_ms)?")
"""``p75``, ``p99.5``, or as the fields are written: ``p999`` for 99.9."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the catalogue that is one number."""

    path: str
    doc: str
    unit: str
    """``ms``, ``s``, ``bytes``, ``1/s``, or empty for a count."""
    better: str
    """``lower``, ``higher``, or empty."""
    share_of: str
    """The path of the figure that counts the whole, or empty."""
    percentile: float | None = None
    """Of a latency whose field lacks this percentile; ``path`` ends with its name."""

    @property
    def name(self) -> str:
        """The shortest name that no other figure has: ``delivery.p99``."""
        return _short_names().get(self.path, self.path.removeprefix("latency."))

    def value(self, report: Report) -> float | None:
        """Return the value in a report; None if it was not measured."""
        if self.percentile is None:
            found = _at(report, self.path)
            return found if isinstance(found, int | float) else None
        latency = _at(report, self.path[: self.path.rindex(".p")])
        if latency is None:
            return None
        value_us = latency.histogram().percentiles_us([self.percentile])[self.percentile]
        return None if value_us is None else value_us / 1000

    def absence(self, report: Report) -> str:
        """Return why the figure was not measured: nothing opened or arrived, or why a part of its path is null."""
        parts = self.path.split(".")
        for length in range(1, len(parts) + 1):
            path = ".".join(parts[:length])
            if _at(report, path) is None:
                return self._why_null(_entries().get(path), report)
        return ""

    def _why_null(self, entry: Entry | None, report: Report) -> str:
        """Return why a field is null; ``entry`` is None for a percentile without a field."""
        if entry is None or issubclass(entry.model, Distribution):
            return "its value is below zero"
        if self.path.startswith(_OF_STREAMS) and not report.streams.opened:
            return "no stream opened"
        if self.path.startswith(_OF_EVENTS) and not report.events.received:
            return "no event arrived"
        return entry.absent or "the run has none"


def figures() -> Iterator[Figure]:
    """Yield the figures in the order of the report, without its lists, and without the evidence for merging."""
    for path, entry in _entries().items():
        if entry.is_number and not path.startswith("evidence.") and "[]" not in path and "{}" not in path:
            yield Figure(path, entry.doc, entry.unit, entry.better, entry.share_of)


def figure_named(name: str) -> Figure:
    """Return the figure with this name. Raises UsageError, with near names, if there is none, or more than one."""
    nearest = _nearest(name)
    if len(nearest) == 1:
        return nearest[0]
    if nearest:
        raise UsageError(f"{name!r} may be {' or '.join(figure.path for figure in nearest)}: write the longer name")
    return _percentile_named(name) or _unknown(name)


def _nearest(name: str) -> list[Figure]:
    """Return the figures with this name and the shortest paths."""
    found = [figure for figure in figures() if _is_name(name, figure)]
    shortest = min((figure.path.count(".") for figure in found), default=0)
    nearest = [figure for figure in found if figure.path.count(".") == shortest]
    earlier = [figure for figure in nearest if not figure.path.startswith(_LATER)]
    return earlier or nearest


def _percentile_named(name: str) -> Figure | None:
    """Return the figure of a percentile that the latency has no field for."""
    match = _PERCENTILE.fullmatch(name)
    near = [] if match is None else [each for each in figures() if _is_name(f"{match[1]}.p50", each)]
    if match is None or len(near) != 1 or _entries()[near[0].path].model is not Latency:
        return None
    digits = match[2]
    percentile = float(digits if "." in digits or len(digits) < 3 or digits == "100" else f"{digits[:2]}.{digits[2:]}")
    path = f"{near[0].path.rpartition('.')[0]}.p{percentile:g}"
    return replace(near[0], path=path, doc=f"The {percentile:g}th percentile.", percentile=percentile)


def _unknown(name: str) -> Figure:
    short = sorted(_short_names().values())
    last = name.rpartition(".")[2]
    near = get_close_matches(name, short, MOST_NEAR_NAMES, cutoff=0.5)
    near = near or [each for each in short if each.rpartition(".")[2] == last][:MOST_NEAR_NAMES]
    raise UsageError(f"no figure is named {name!r}" + (f": near names are {', '.join(near)}" if near else ""))


def _is_name(name: str, figure: Figure) -> bool:
    """Return whether a name is the end of the path of a figure; its last part may lack the unit."""
    return any(f".{path}".endswith(f".{name}") for path in (figure.path, _without_unit(figure)))


def _without_unit(figure: Figure) -> str:
    return figure.path.removesuffix(f"_{figure.unit}")


@cache
def _entries() -> dict[str, Entry]:
    return {entry.path: entry for entry in catalogue(Report)}


@cache
def _short_names() -> dict[str, str]:
    """Return the shortest name of each figure that no other figure has, of at least two parts, by path."""
    named: dict[str, str] = {}
    for figure in figures():
        parts = _without_unit(figure).split(".")
        names = (".".join(parts[-length:]) for length in range(min(2, len(parts)), len(parts)))
        named[figure.path] = next((name for name in names if _nearest(name) == [figure]), ".".join(parts))
    return named


def _at(report: Report, path: str) -> Any:
    """Return what the report holds at a path; None if a part of the path is null."""
    found: Any = report
    for part in path.split("."):
        if found is None:
            return None
        found = getattr(found, part, None)
    return found
