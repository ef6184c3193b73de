"""The exit code of a run, read from its document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sseclient_cli.errors import (
    EXIT_FAILED_STREAMS,
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_NO_USABLE_STREAM,
    EXIT_SATURATED,
)
from sseclient_cli.load.plan import OnEnd

if TYPE_CHECKING:
    from sseclient_cli.report.findings import Document


def exit_code_of(document: Document, *, strict: bool) -> int:
    """Return how the run went: of several things that can be said, the one that explains the others."""
    if document["run"]["interrupted"]:
        return EXIT_INTERRUPTED
    if document["run"]["incomplete"]:
        return EXIT_INCOMPLETE
    if not _was_usable(document):
        return EXIT_NO_USABLE_STREAM
    if strict and document["generator"]["saturated"]:
        return EXIT_SATURATED
    return EXIT_FAILED_STREAMS if strict and _has_failed_streams(document) else 0


def _was_usable(document: Document) -> bool:
    """Return whether a stream opened, and not all that did were ended by errors before any event."""
    streams = document["streams"]
    if not streams["opened"]:
        return False
    # Whether for good, or to be tried again at the end of the run: no stream is open, and only errors ended any.
    are_all_broken = document["errors"] and not any(
        streams[name] for name in ("open_at_end", "ended_by_server", "completed")
    )
    return bool(document["events"]["received"] or not are_all_broken)


def _has_failed_streams(document: Document) -> bool:
    """Return whether a stream did not open, or was broken by an error where streams are not replaced."""
    streams, on_end = document["streams"], document["run"]["plan"]["on_end"]
    return bool(streams["failed"] or (streams["broken"] and on_end == OnEnd.STOP.value))
