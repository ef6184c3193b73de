"""The data of a chart, for ``assets/page.js``. Pure: charts of the same shape show any document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import duration, size

SIGNIFICANT_DIGITS = 6
"""More than a chart can show; the document has the exact figures."""


class Unit(StrEnum):
    """The unit of the vertical axis."""

    MS = "ms"
    COUNT = "count"
    PER_S = "per_s"
    BYTES = "bytes"
    BYTES_PER_S = "bytes_per_s"
    PERCENT = "percent"
    NUMBER = "number"


class Axis(StrEnum):
    """The kind of the horizontal axis."""

    TIME = "time"
    """Seconds since the start of the run. Charts over time share their cursor."""
    PERCENTILE = "percentile"
    """``1 / (1 - percentile)`` on a logarithmic axis, as in the plots of HdrHistogram."""
    LOAD = "load"
    THROUGHPUT = "throughput"
    """A result, so that lines connect the values in the order of ``Chart.order``, not of the axis."""


Values = Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A line of a chart, with one value for each x. None was not measured, and is a gap in the line."""

    label: str
    values: Values
    is_shown: bool = True
    is_stepped: bool = False
    """Whether a value holds until the next one: a count, not a sample."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line, for an event of the run."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart with one unit. Its id is that of its figure in the page."""

    id: str
    title: str
    unit: Unit
    x: Sequence[float]
    series: Sequence[Series]
    note: str = ""
    axis: Axis = Axis.TIME
    axis_title: str = ""
    marks: Sequence[Mark] = ()
    is_log: bool = False
    is_tall: bool = False
    has_points: bool = False
    """Whether each value has a point, also where there are many."""
    labels: Sequence[str] = ()
    """A label for each x, at the point of the last series."""
    order: Sequence[int] = ()
    """The places in ``x`` that the lines connect, in this order; empty for that of ``x``."""

    def data(self) -> dict[str, Any]:
        """Return the data for the script of the page."""
        return {
            "id": self.id,
            "unit": self.unit.value,
            "x": list(map(_rounded, self.x)),
            "axis": self.axis.value,
            "axis_title": self.axis_title,
            "marks": [{"x": mark.x, "label": mark.label} for mark in self.marks],
            "labels": [visible(label, keep_lines=False) for label in self.labels],
            "order": list(self.order),
            "is_log": self.is_log,
            "has_points": self.has_points or (len(self.x) <= 30 and self.axis is Axis.TIME),
            "series": [
                {
                    "label": visible(series.label, keep_lines=False),
                    "values": list(map(_rounded, series.values)),
                    "is_shown": series.is_shown,
                    "is_stepped": series.is_stepped,
                }
                for series in self.series
            ],
        }

    @property
    def words(self) -> str:
        """The range of each series in words, for a reader who cannot see the chart."""
        return f"Chart: {self.title}. " + " ".join(self._range(series) for series in self.series)

    def _range(self, series: Series) -> str:
        values = [value for value in series.values if value is not None]
        if not values:
            return f"{series.label}: not measured."
        return f"{series.label}: {quantity(min(values), self.unit)} to {quantity(max(values), self.unit)}."


def chart_of(series: Iterable[Series], **facts: Any) -> Chart | None:
    """Return a chart of the series that have a value; None if none has."""
    measured = [each for each in series if any(value is not None for value in each.values)]
    return Chart(series=measured, **facts) if measured else None


def quantity(value: float, unit: Unit) -> str:
    """Return a value with its unit."""
    match unit:
        case Unit.MS:
            return duration(value)
        case Unit.BYTES:
            return size(value)
        case Unit.BYTES_PER_S:
            return f"{size(value)}/s"
        case Unit.PER_S:
            return f"{value:,.6g}/s"
        case Unit.PERCENT:
            return f"{value:,.1f} %"
        case Unit.COUNT | Unit.NUMBER:
            return f"{value:,.6g}"


def _rounded(value: float | None) -> float | None:
    return value if value is None or isinstance(value, int) else float(f"{value:.{SIGNIFICANT_DIGITS}g}")
