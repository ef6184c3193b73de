"""Which events of a stream to show: by type, by a JMESPath expression, by a regular expression on the data."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sseclient_cli.errors import UsageError
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.payload.query import Query


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Selects events that meet every given condition. Without any, it selects all events."""

    types: frozenset[str] = frozenset()
    where: Query | None = None
    grep: re.Pattern[str] | None = None

    def selects(self, parsed: ParsedEvent) -> bool:
        """Return whether an event meets the conditions."""
        if self.types and parsed.event.type not in self.types:
            return False
        if self.grep is not None and self.grep.search(parsed.event.data) is None:
            return False
        return self.where is None or self.where.is_met(parsed)


def pattern_of(expression: str) -> re.Pattern[str]:
    """Compile a regular expression. Raises UsageError for an invalid one, with the position, which counts from 1."""
    try:
        return re.compile(expression)
    except re.error as exc:
        where = "" if exc.pos is None else f" at position {exc.pos + 1}"
        raise UsageError(f"{expression!r} is not a regular expression: {exc.msg}{where}") from exc
    except (OverflowError, RecursionError) as exc:
        raise UsageError(f"{expression!r} is not a regular expression: it is too large") from exc
