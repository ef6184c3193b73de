"""The filter that a person types into the live view. Pure."""

from __future__ import annotations

from sseclient_cli.sse.event import Event

TYPE_PREFIX = "type:"


class TypedFilter:
    """Matches events that contain a text in their data, type, ID or label of the stream, in upper or lower case.

    ``type:NAME`` matches the type exactly; a text may follow it. An empty filter matches all events.
    """

    def __init__(self, text: str = "") -> None:
        self.text = text
        self._type: str | None = None
        if text.startswith(TYPE_PREFIX):
            self._type, _, text = text.removeprefix(TYPE_PREFIX).partition(" ")
        self._part = text.strip().lower()

    def __bool__(self) -> bool:
        return bool(self.text)

    def matches(self, event: Event, label: str = "") -> bool:
        """Return whether to show an event of the stream with this label."""
        if self._type is not None and event.type != self._type:
            return False
        part = self._part
        return not part or any(part in text.lower() for text in (event.data, event.type, event.id, label))
