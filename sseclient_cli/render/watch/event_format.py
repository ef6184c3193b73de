r"""Format one event with a format string, like kcat: ``'%t %e %i %d\n'``.

A format adds nothing of its own: a line needs its ``\n``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sseclient_cli.errors import UsageError
from sseclient_cli.render.watch.time_column import clock_time
from sseclient_cli.sse.event import Event

FIELDS = {
    "t": "time of arrival",
    "e": "type",
    "i": "id",
    "d": "data",
    "s": "size of the data in bytes",
    "n": "number of the event",
    "g": "seconds since the event before, - for the first",
    "l": "label of the stream, if there are several",
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\"}

_PART = re.compile(r"%(?P<field>.?)|\\(?P<escape>.?)|[^%\\]+", re.DOTALL)


class EventFormat:
    """A parsed format string with the state of one stream. Raises UsageError for an unknown field or escape.

    ``escape`` makes text from the server safe for where it is written.
    """

    def __init__(self, format_string: str, escape: Callable[[str], str]) -> None:
        self._parts = _parts_of(format_string)
        self._escape = escape
        self._number = 0
        self._before_s: float | None = None

    def __call__(self, event: Event, label: str = "") -> str:
        """Return the text of the next event."""
        time_s = event.arrived_ns / 1e9
        self._number += 1
        gap = "-" if self._before_s is None else f"{time_s - self._before_s:.3f}"
        self._before_s = time_s
        values = {
            "t": clock_time(time_s),
            "e": self._escape(event.type),
            "i": self._escape(event.id),
            "d": self._escape(event.data),
            "s": str(len(event.data.encode("utf-8", "surrogatepass"))),
            "n": str(self._number),
            "g": gap,
            "l": label,
        }
        return "".join(values[name] if is_field else name for is_field, name in self._parts)


def _parts_of(format_string: str) -> list[tuple[bool, str]]:
    """Return the parts: of each, whether it is a field, and its letter or text."""
    parts: list[tuple[bool, str]] = []
    for part in _PART.finditer(format_string):
        field, escape = part["field"], part["escape"]
        if (field is not None and field not in (*FIELDS, "%")) or (escape is not None and escape not in _ESCAPES):
            known = " ".join(f"%{letter}" for letter in (*FIELDS, "%"))
            escapes = " ".join(f"\\{letter}" for letter in _ESCAPES)
            raise UsageError(
                f"`format_string` has {part[0]!a} at position {part.start() + 1}: known are {known} {escapes}",
                arguments=["format_string"],
            )
        if field is not None and field != "%":
            parts.append((True, field))
        else:
            parts.append((False, "%" if field else _ESCAPES[escape] if escape is not None else part[0]))
    return parts
