"""The event that a script waits for, given as JMESPath or as plain text, and how it was read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sseclient_cli.errors import UsageError
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.payload.query import Query

_LOOKS_LIKE_JMESPATH = re.compile(r"=|&&|\|\||\[\?|`|^\w+\(")


@dataclass(frozen=True, slots=True)
class ExpectedEvent:
    """An event whose data contains ``text``, or meets ``query``. A query is not used for data that is not JSON.

    ``doubt`` says why the author may have meant something else; empty if nothing hints at that.
    """

    text: str
    query: Query | None = None
    doubt: str = ""

    @classmethod
    def read(cls, text: str) -> ExpectedEvent:
        """Read JMESPath if the text compiles and has an operator or a path (`a.b`, `a[0]`), else plain text."""
        try:
            query = Query(text)
        except UsageError as exc:
            looks_like_jmespath = _LOOKS_LIKE_JMESPATH.search(text) is not None
            return cls(text, doubt=f"not JMESPath: {exc.values['problem']}" if looks_like_jmespath else "")
        return cls(text, query, query.hint) if query.has_operator_or_path else cls(text)

    @property
    def how_read(self) -> str:
        """How the text was read, in words."""
        kind = "as text" if self.query is None else "as JMESPath"
        return f"{kind} ({self.doubt})" if self.doubt else kind

    def is_met(self, parsed: ParsedEvent) -> bool:
        """Return whether this is the event."""
        if self.query is not None and parsed.is_json:
            return self.query.is_met(parsed)
        return self.text in parsed.event.data
