"""The words of one finding: a sentence and an advice, each made from the figures of the finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """How to say a finding."""

    sentence: Callable[[Figures], str]
    advice: Callable[[Figures], str]


def always(text: str) -> Callable[[Figures], str]:
    """Return words that do not depend on the figures."""
    return lambda _figures: text


def option(source: str) -> str:
    """Return a field as the options --sequence and --timestamp take it."""
    return source.split(", ")[0].removeprefix("data.")
