"""Parse the values of options: times, sizes, counts, percentages and rates. An error shows how to write them."""

from __future__ import annotations

import math
import re

import typer

from sseclient_cli.errors import UsageError

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_DURATION = re.compile(rf"{_NUMBER}|(?:{_NUMBER}(?:ms|[smh]))+")
_DURATION_PART = re.compile(rf"({_NUMBER})(ms|[smh]|)")
_SECONDS_OF = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}
_COUNT = re.compile(r"([0-9]{1,12})([kKmM]?)")
_ONES_OF = {"": 1, "k": 1_000, "m": 1_000_000}
_RATE = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:/([smh]))?")
_SIZE = re.compile(r"([0-9]{1,12})([kmg]?)(?:i?b)?", re.IGNORECASE)
_BYTES_OF = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}

MAX_SIZE_BYTES = 1024**4
"""1 TiB: more than the memory of any machine that this runs on."""

ALL_TURNS = 10**12
"""More than any conversation of a file has."""

MAX_DURATION_S = 366 * 24 * 3600.0
"""A year: timers have a limit."""


def is_duration(text: str) -> bool:
    """Return whether a text is a time."""
    return _DURATION.fullmatch(text.strip()) is not None


def parse_duration_s(text: str | float) -> float:
    """Read ``10s``, ``500ms``, ``2m``, ``1h``, ``1m30s`` or a bare number of seconds."""
    if not isinstance(text, str):
        return text  # a default, which typer passes to the parser too
    if not is_duration(text):
        raise typer.BadParameter(f"{text!r} is not a time: write it like 10s, 500ms, 2m, 1h or 1m30s")
    duration_s = sum(float(number) * _SECONDS_OF[unit] for number, unit in _DURATION_PART.findall(text))
    if duration_s > MAX_DURATION_S:
        raise typer.BadParameter(f"{text!r} is longer than a year: give a shorter time")
    return duration_s


def parse_time_limit_s(text: str | float) -> float:
    """Read a time above 0."""
    limit_s = parse_duration_s(text)
    if limit_s <= 0:
        raise typer.BadParameter(f"{text!r} is not above 0: write it like 500ms, or leave the option out for no limit")
    return limit_s


def parse_size_bytes(text: str | int) -> int:
    """Read ``64k``, ``16M``, ``1G`` (powers of 1,024) or a bare number of bytes; above zero, at most MAX_SIZE_BYTES."""
    if not isinstance(text, str):
        return text
    match = _SIZE.fullmatch(text.strip())
    size_bytes = int(match[1]) * _BYTES_OF[match[2].lower()] if match else 0
    if size_bytes < 1:
        raise typer.BadParameter(f"{text!r} is not a size above zero: write it like 64k, 16M or 1500000")
    if size_bytes > MAX_SIZE_BYTES:
        raise typer.BadParameter(f"{text!r} is more than 1 TiB: give a smaller size")
    return size_bytes


def parse_count(text: str | int) -> int:
    """Read ``500``, ``1k`` or ``2M`` (powers of 1,000); at least 1."""
    if not isinstance(text, str):
        return text
    match = _COUNT.fullmatch(text.strip())
    if not match or not int(match[1]):
        raise typer.BadParameter(f"{text!r} is not a count above zero: write it like 500, 1k or 2M")
    return int(match[1]) * _ONES_OF[match[2].lower()]


def parse_turns(text: str | int) -> int:
    """Read a number of turns, or ``all``."""
    if text == "all":
        return ALL_TURNS
    return parse_count(text)


def parse_percent(text: str | float) -> float:
    """Read ``5%``, ``0.5%`` or a bare number of percent."""
    if not isinstance(text, str):
        return text
    match = re.fullmatch(rf"({_NUMBER}) *%?", text.strip())
    if not match or float(match[1]) > 100:
        raise typer.BadParameter(f"{text!r} is not a percentage: write it like 5% or 0.5%")
    return float(match[1])


def parse_statuses(text: str) -> frozenset[int]:
    """Read ``503,429``. Raises UsageError for a status that is not an error."""
    statuses = [part.strip() for part in text.split(",")] if text else []
    for status in statuses:
        if not re.fullmatch(r"[45][0-9][0-9]", status):
            raise UsageError(f"--retry-status {status!r} is not a status from 400 to 599: write it like 503,429")
    return frozenset(map(int, statuses))


def parse_rate_per_s(text: str | float) -> float:
    """Read ``200/s``, ``30/m``, ``5/h`` or a bare number per second."""
    if not isinstance(text, str):
        return text
    match = _RATE.fullmatch(text.strip())
    rate_per_s = float(match[1]) / _SECONDS_OF[match[2] or "s"] if match else 0.0
    if not 0 < rate_per_s <= 1_000_000:
        raise typer.BadParameter(f"{text!r} is not a rate: write it like 200/s or 30/m")
    return rate_per_s


def parse_speed(text: str | float) -> float:
    """Read ``10x``, ``0.5x`` or a bare number above 0, and ``max`` as infinity."""
    if not isinstance(text, str):
        return text
    match = re.fullmatch(rf"({_NUMBER})x?|max", text.strip())
    speed = 0.0 if match is None else float(match[1] or math.inf)
    if not (0 < speed <= 1_000_000 or speed == math.inf):
        raise typer.BadParameter(f"{text!r} is not a speed: write it like 10x, 0.5x or max")
    return speed
