"""What the publisher of a run did: each event with the times of its publication, or the reason why it failed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The attempt to publish one event. Times count from the start of the run."""

    number: int
    due_ns: int
    """When the plan wanted it."""
    began_ns: int
    """When the publisher turned to it."""
    sent_ns: int | None
    """The time in its token, taken immediately before its body was sent; None if it was never sent."""
    took_us: int | None = None
    """From ``sent_ns`` until the answer; None without an answer."""
    kind: str = ""
    """The kind of the error; empty for a published event."""
    message: str = ""

    @property
    def is_published(self) -> bool:
        """Whether the server, or the command, took the event."""
        return not self.kind and self.sent_ns is not None
