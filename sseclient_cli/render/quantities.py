"""Quantities in words: durations, sizes, shares and counts with a unit that keeps them short."""

from __future__ import annotations

_UNITS = ("kB", "MB", "GB", "TB")


def duration(ms: float) -> str:
    """Return a duration in a readable unit: 0.25 ms, 900 ms, 1.00 s, 60.0 s."""
    if abs(ms) < 9.995:
        return f"{ms:.2f} ms"
    if abs(ms) < 999.5:
        return f"{ms:.0f} ms"
    return f"{ms / 1_000:.2f} s" if abs(ms) < 9_995 else f"{ms / 1_000:,.1f} s"


def milliseconds(value: float | None) -> str:
    """Return three significant digits, or whole milliseconds, in at most six characters: eight fit into a line.

    From 100 s, the unit is a second, as in ``120s``. A dash means that the value could not be measured.
    """
    if value is None:
        return "-"
    if abs(value) >= 99_999.5:
        return f"{value / 1000:.0f}s" if abs(value) < 1e8 else f"{value / 1000:.0e}s"
    if abs(value) >= 99.95:  # one decimal would round it to 100.0
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 9.9995 else f"{value:.3f}"


def size(count: float) -> str:
    """Return bytes with three digits: 999 bytes, 55.3 kB, 2.40 MB."""
    if count < 1_000:
        return f"{count:.0f} bytes"
    power = 1
    while count >= 999.5 * 1_000**power and power < len(_UNITS):
        power += 1
    shown = count / 1_000**power
    digits = 2 if shown < 9.995 else 1 if shown < 99.95 else 0
    return f"{shown:,.{digits}f} {_UNITS[power - 1]}"


def percent(share: float) -> str:
    """Return a share in percent. Only an exact 0 or 1 is shown as 0 % or 100 %."""
    shown = 100 * share
    if 0 < shown < 0.05:
        return "<0.1 %"
    if 99.95 <= shown < 100:
        return ">99.9 %"
    return f"{shown:.0f} %" if shown in (0, 100) or 9.95 <= shown < 99 else f"{shown:.1f} %"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: 1 stream, 2 streams."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
