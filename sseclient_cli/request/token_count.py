"""A number of tokens, with its spread. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    import random


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A number of tokens: ``tokens``, or evenly spread from ``tokens - spread`` to ``tokens + spread``."""

    tokens: int
    spread: int = 0

    def __post_init__(self) -> None:
        if self.tokens - self.spread < 1:
            raise UsageError(f"{self} tokens: the spread must be less than the number of tokens")

    def __str__(self) -> str:
        return f"{self.tokens}:{self.spread}" if self.spread else str(self.tokens)

    def drawn(self, drawing: random.Random) -> int:
        """Return the number for one request."""
        return drawing.randint(self.tokens - self.spread, self.tokens + self.spread)
