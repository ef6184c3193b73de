"""Values with units: ``50ms``, ``1.5s``, ``10k``, ``64kB``, ``4900/s``, ``1%``. Reads and writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.report.figures import Figure

RATIO = "ratio"
"""The unit of a share of a whole, 0 to 1. It is written in percent."""

PERCENT = "%"

_NUMBER = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)) ?([a-zA-Zµμ%/]*)")

_THOUSANDS = {"": 1, "k": 1_000, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000}

_SECONDS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),  # the micro sign, and below it the Greek letter
    "μs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "min": Decimal(60),
    "h": Decimal(3600),
}

_BYTES = {f"{prefix}B": factor for prefix, factor in _THOUSANDS.items()} | {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

_DIGITS = 4
"""Significant digits of a value that is not a count."""

_MAX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value in the unit of its figure, or the share of the figure's whole (``unit`` is then ``RATIO``)."""

    value: float
    unit: str


def parse_quantity(text: str, figure: Figure) -> Quantity:
    """Read the value of a figure. A bare number has the figure's unit. Raises UsageError for another kind of unit."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not a value of {figure.name}: write it like {_example(figure)}")
    number, unit = Decimal(match[1]), match[2]
    if unit == PERCENT and figure.unit != PERCENT and (figure.share_of or figure.unit == RATIO):
        return Quantity(float(number / 100), RATIO)
    factor = _factors(figure.unit).get(unit)
    if factor is None:
        raise UsageError(f"{text!r} is not a value of {figure.name}, {_kind(figure)}: write it like {_example(figure)}")
    return Quantity(float(number * factor), figure.unit)


def format_value(value: float, unit: str, digits: int = _DIGITS) -> str:
    """Return a value with its unit: ``4.2 ms``, ``1.5 s``, ``64 kB``, ``4,900/s``, ``1.25 %``, ``10,000``.

    Counts have all their digits; other values have up to ``digits`` significant ones, without zeros at the end.
    """
    if unit == "ms" and abs(value) >= 1_000:
        value, unit = value / 1_000, "s"
    if unit == "bytes":
        return _size(value, digits)
    if unit == RATIO:
        return f"{_number(100 * value, digits)} %"
    if unit == "1/s":
        return f"{_number(value, digits)}/s"
    return f"{_number(value, digits)} {unit}".rstrip()


def format_apart(value: float, limit: float, unit: str) -> tuple[str, str]:
    """Return two values with enough digits to tell them apart, if they differ."""
    digits = _DIGITS
    while (
        value != limit
        and digits < _MAX_DIGITS
        and format_value(value, unit, digits) == format_value(limit, unit, digits)
    ):
        digits += 1
    return format_value(value, unit, digits), format_value(limit, unit, digits)


def _factors(unit: str) -> Mapping[str, int | Decimal]:
    """Return the factors of the units that a figure with this unit can be written in."""
    if unit in _SECONDS:
        times = {name: seconds / _SECONDS[unit] for name, seconds in _SECONDS.items()}
        return {**times, "": Decimal(1)}
    if unit == "1/s":
        return {f"{prefix}{end}": factor for prefix, factor in _THOUSANDS.items() for end in ("", "/s")}
    if unit == "bytes":
        return {**_THOUSANDS, **_BYTES, "bytes": 1}
    if unit == PERCENT:
        return {"": 1, PERCENT: 1}
    return {"": 1} if unit == RATIO else _THOUSANDS


def _kind(figure: Figure) -> str:
    """Return the kind of a figure's values in words."""
    if figure.unit in _SECONDS:
        return f"a time in {figure.unit}"
    words = {"bytes": "a size in bytes", "1/s": "a rate per second", PERCENT: "a percentage", RATIO: "a share"}
    return words.get(figure.unit, "a count")


def _example(figure: Figure) -> str:
    if figure.unit in _SECONDS:
        return "50ms, 1.5s or 200us"
    examples = {"bytes": "64kB or 1.5MB", "1/s": "4900/s", PERCENT: "80%", RATIO: "99.9% or 0.999"}
    return examples.get(figure.unit, "100 or 10k, or 1%" if figure.share_of else "100 or 10k")


def _size(count: float, digits: int) -> str:
    for prefix in ("G", "M", "k"):
        if abs(count) >= _THOUSANDS[prefix]:
            return f"{_number(count / _THOUSANDS[prefix], digits)} {prefix}B"
    return f"{_number(count, digits)} bytes"


def _number(value: float, digits: int) -> str:
    """Return a number with thousands separators; whole numbers have all their digits."""
    if value == int(value):
        return f"{value:,.0f}"
    if abs(value) < 1:
        return f"{value:.{digits}g}"
    text = f"{value:,.{max(digits - len(f'{abs(value):.0f}'), 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
