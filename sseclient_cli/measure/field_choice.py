"""The choice of the field for the timestamp and for the sequence number: named, detected or none. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from sseclient_cli.errors import UsageError


class Choice(Enum):
    """The choice of a field that is not named."""

    AUTO = "auto"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Field:
    """A place in an event: its id, or a path into its JSON data."""

    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join(("data", *self.path)) if self.path else "id"


FieldChoice = Choice | Field


def parse_field_choice(text: str) -> FieldChoice:
    """Parse ``auto``, ``none``, ``id``, or a dotted path into the JSON data (``ts``, ``meta.sent_at``, ``data.ts``).

    Raises UsageError for anything else.
    """
    if text in ("auto", "none"):
        return Choice(text)
    if text == "id":
        return Field()
    path = text.removeprefix("data.")
    if not re.fullmatch(r"[^.\s]+(\.[^.\s]+)*", path):
        raise UsageError(f"{text!r} is not a field: write auto, none, id, or a path like ts or meta.sent_at")
    return Field(tuple(path.split(".")))
