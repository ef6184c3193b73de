"""Figures of the live view in few characters, with three significant digits."""

from __future__ import annotations

from sseclient_cli.render.live.line import Line, Style

_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def count(number: float) -> str:
    """Return a count in at most 9 characters: 999,999 or 1.23 M."""
    for unit, name in _LARGE:
        if number >= 10 * unit:
            return f"{three_digits(number / unit)} {name}"
    return f"{number:,.0f}"


def rate(number: float) -> str:
    """Return a number per second: with a decimal below 10."""
    return f"{number:.1f}" if 0 < number < 9.95 else count(number)


def three_digits(number: float) -> str:
    """Return three significant digits: 0.01, 1.23, 12.3, 1,234."""
    return f"{number:.2f}" if number < 9.995 else f"{number:.1f}" if number < 99.95 else f"{number:,.0f}"


def megabytes(number: float) -> str:
    """Return bytes in MB, with three digits; small amounts keep one."""
    return f"{number / 1e6:.4f}" if 0 < number < 9_950 else three_digits(number / 1e6)


def clock(seconds: float) -> str:
    """Return a duration: 9.5 s, 1:05 min, 2:03:05 h."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, whole = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02} h" if hours else f"{minutes}:{whole:02} min"


def planned(seconds: float) -> str:
    """Return a planned duration, without decimals where there are none."""
    return f"{seconds:g} s" if seconds < 60 else clock(seconds)


def bar(share: float, width: int) -> Line:
    """Return a progress bar."""
    halves = round(min(max(share, 0), 1) * width * 2)
    full = "━" * (halves // 2) + "╸" * (halves % 2)
    return Line((full, Style.CYAN), ("─" * (width - len(full)), Style.DIM))
