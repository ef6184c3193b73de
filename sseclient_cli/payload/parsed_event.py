"""An event whose data is parsed as JSON at most once, for all that ask for a value of it."""

from __future__ import annotations

import json
import math
from typing import Any

from sseclient_cli.sse.event import Event


class ParsedEvent:
    """An event and its JSON value."""

    __slots__ = ("_is_json", "_value", "event")

    def __init__(self, event: Event) -> None:
        self.event = event
        self._is_json: bool | None = None  # unknown
        self._value: Any = None

    @property
    def is_json(self) -> bool:
        """Whether the data is JSON (RFC 8259), with numbers that Python can hold."""
        if self._is_json is None:
            self._parse()
        return self._is_json is True

    @property
    def value(self) -> Any:
        """The data as a JSON value; None if it is not JSON."""
        if self._is_json is None:
            self._parse()
        return self._value

    def _parse(self) -> None:
        try:
            self._value = _DECODER.decode(self.event.data)
            self._is_json = True
        except (ValueError, RecursionError):
            self._is_json = False


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large")
    return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is an extension of Python, not JSON")


# One for all events: `json.loads` with these options makes a decoder for each call, at twice the time of the decoding.
_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
