"""The parser of a response whose whole body is one event, as a JSON value is."""

from __future__ import annotations

from sseclient_cli.errors import EventTooLargeError
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES
from sseclient_cli.sse.held_text import SMALL_BYTES, large_text_bytes


class JsonBodyParser:
    """A parser whose only event is the whole body; an empty body has none."""

    __slots__ = (
        "_arrived_ns", "_body", "_max_event_bytes", "comment_count", "ends_with_event", "held_bytes", "last_event_id",
        "reconnection_time_ms",
    )  # fmt: skip

    def __init__(self, last_event_id: str = "", max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES) -> None:
        self.last_event_id = last_event_id
        self.reconnection_time_ms: int | None = None
        self.comment_count = 0
        self.ends_with_event = False
        self.held_bytes = large_text_bytes(last_event_id)
        self._max_event_bytes = max_event_bytes
        self._arrived_ns = 0
        self._body = bytearray()

    def feed(self, chunk: bytes, arrived_ns: int = 0) -> list[Event]:
        """Keep a piece of the body. Raises EventTooLargeError."""
        if chunk:
            self._arrived_ns = arrived_ns
        self._body += chunk
        if len(self._body) > self._max_event_bytes:
            raise EventTooLargeError(
                f"the body has more than {self._max_event_bytes:,} bytes: raise `max_event_bytes`",
                arguments=["max_event_bytes"],
            )
        self.held_bytes = large_text_bytes(self.last_event_id)
        if len(self._body) > SMALL_BYTES:
            self.held_bytes += len(self._body)
        return []

    def finish(self) -> list[Event]:
        """Return the body as an event."""
        text = self._body.decode("utf-8", "replace").removeprefix("\ufeff")
        self._body.clear()
        return [Event("message", text, self.last_event_id, self._arrived_ns)] if text.strip() else []

    @property
    def has_unfinished_event(self) -> bool:
        """Whether a part of the body has arrived."""
        return bool(self._body)
