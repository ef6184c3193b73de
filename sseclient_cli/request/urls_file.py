"""Read a file with URLs: one on each line, after an optional weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from sseclient_cli.errors import UsageError
from sseclient_cli.request.values_file import read_text

MAX_TURNS = 100_000
"""The limit of all weights together, without their common divisor: it is the length of the sequence of URLs."""


@dataclass(frozen=True, slots=True)
class WeightedUrl:
    """A URL, and its share of the streams as a whole number."""

    url: str
    weight: int = 1


def read_urls(name: str) -> list[WeightedUrl]:
    """Return the URLs of a file: ``URL`` or ``WEIGHT URL`` on a line; ``#`` begins a comment. Raises UsageError."""
    urls = []
    for number, line in enumerate(read_text(name, "urls").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) > 2:
            raise UsageError(f"{name}, line {number}: write URL, or WEIGHT URL", arguments=["urls"])
        weight = words[0] if len(words) == 2 else "1"
        if not (weight.isascii() and weight.isdigit() and 0 < int(weight) <= MAX_TURNS):
            raise UsageError(
                f"{name}, line {number}: {weight!r} is not a weight: a whole number from 1 on", arguments=["urls"]
            )
        urls.append(WeightedUrl(words[-1], int(weight)))
    if not urls:
        raise UsageError(f"{name} has no URL", arguments=["urls"])
    return urls


def turns_of(weights: Sequence[int]) -> tuple[int, ...]:
    """Return the index of the URL of each stream, as a sequence that repeats: evenly mixed. Raises UsageError."""
    divisor = gcd(*weights)
    weights = [weight // divisor for weight in weights]
    total = sum(weights)
    if total > MAX_TURNS:
        raise UsageError("the weights of the URLs are too large together: use smaller ones", arguments=["urls"])
    if set(weights) == {1}:
        return tuple(range(len(weights)))
    # The k-th turn of a URL comes in the middle of the k-th part of its equal parts of the whole.
    due = (((2 * turn + 1) / (2 * weight), index) for index, weight in enumerate(weights) for turn in range(weight))
    return tuple(index for _, index in sorted(due))
