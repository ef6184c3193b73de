"""The Prometheus metric of each figure: name, help, unit and type, derived from the catalogue of figures.

A name is ``sse_``, the path of the figure, and its unit, as Prometheus wants it: base units (seconds, bytes, ratio),
``_total`` for a counter. All percentiles of a distribution are one metric, with the label ``quantile``. The live
endpoint of a run and the exported report use the same names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from sseclient_cli.report.figure import Entry, catalogue
from sseclient_cli.report.model import Report

LATENCY_BUCKETS_S = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0),
)
"""The upper bounds of the buckets of a latency: events arrive within a millisecond or, behind a queue, a minute."""


class MetricType(StrEnum):
    """The types of Prometheus that figures have."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric, and how a figure becomes its value."""

    name: str
    """With the unit, and with ``_total`` for a counter."""
    help: str
    unit: str = ""
    type: MetricType = MetricType.GAUGE
    factor: float = 1.0
    """What to multiply the figure with: 0.001 for ms."""
    labels: Mapping[str, str] = field(default_factory=dict)


_BASE_UNITS = {
    "ms": ("seconds", 0.001),
    "us": ("seconds", 1e-6),
    "s": ("seconds", 1.0),
    "percent": ("ratio", 0.01),
    "bytes": ("bytes", 1.0),
}
_SUFFIX = re.compile(r"(?<!per)_(ms|us|s|bytes|percent)$|^(bytes)$")
_PERCENTILE = re.compile(r"p([0-9]{2})([0-9]*)")

_NAMES = {"errors[].count": "errors", "streams.open_at_end": "streams_open"}
"""Figures whose path would make a wrong name: during a run, the second one is the number of open streams of now."""

_HELP = {"errors[].count": "Errors.", "streams.open_at_end": "Streams that are open; after a run, at its end."}

_COUNTERS = frozenset(
    {
        "errors[].count",
        "bursts.heads_with_events",
        *(f"events.{name}" for name in ("received", "comments", "bytes", "error_events", "coalesced")),
        *(f"requests.{name}" for name in ("succeeded", "failed", "unfinished", "warm_up", "untimed")),
        *(f"llm.{name}" for name in ("chunks", "output_tokens", "input_tokens", "reasoning_tokens")),
        *(f"audit.{name}" for name in ("checked", "duplicated", "out_of_order")),
        *(
            f"streams.{name}"
            for name in ("lost", "opened", "failed", "ended_by_server", "completed", "reconnected", "broken")
        ),
    }
)
"""Figures that never fall during a run."""


def metric_of(path: str) -> Metric:
    """Return the metric of a figure: ``streams.opened``, ``latency.delivery.p99_ms``. Raises KeyError."""
    entry = _entries()[path]
    parent, _, last = path.rpartition(".")
    suffix = _SUFFIX.search(last)
    bare = last[: suffix.start()] if suffix else last
    unit, factor = _BASE_UNITS[suffix[1] or suffix[2]] if suffix else ("", 1.0)
    percentile = _PERCENTILE.fullmatch(bare)
    if percentile is not None and parent in _entries():
        quantile = float(f"{percentile[1]}.{percentile[2] or 0}") / 100
        labels = {"quantile": f"{quantile:.6g}"}
        help_text = f"Percentiles. {_entries()[parent].doc}"
        return Metric(name=_name(f"{parent}.quantile", unit), help=help_text, unit=unit, factor=factor, labels=labels)
    is_counter = path in _COUNTERS
    return Metric(
        name=_name(_NAMES.get(path) or path[: len(path) - len(last)] + bare, unit) + ("_total" if is_counter else ""),
        help=_HELP.get(path, entry.doc),
        unit=unit,
        type=MetricType.COUNTER if is_counter else MetricType.GAUGE,
        factor=factor,
    )


def histogram_of(path: str) -> Metric:
    """Return the metric of a whole latency (``latency.delivery``), as a histogram with LATENCY_BUCKETS_S."""
    return Metric(
        name=_name(path, "seconds"),
        help=_entries()[path].doc,
        unit="seconds",
        type=MetricType.HISTOGRAM,
        factor=1e-6,
    )


def _name(path: str, unit: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", path).strip("_")
    words = re.sub(r"(^|_)per_s$", r"\1per_second", words)
    return "_".join(["sse", words, unit]).rstrip("_")


@cache
def _entries() -> dict[str, Entry]:
    return {entry.path: entry for entry in catalogue(Report)}
