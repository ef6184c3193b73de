"""The messages of ``sse watch`` about a text or selected values: parts that were not shown or not found."""

from __future__ import annotations

from sseclient_cli.escaping import visible_start
from sseclient_cli.payload.llm_text import ChunkKind
from sseclient_cli.payload.reading import PATIENCE_EVENTS, JoinedText, Reading, SelectedValues

USUAL_FINISH_REASONS = frozenset(
    {"", "stop", "end_turn", "stop_sequence", "tool_calls", "tool_use", "function_call", "completed", "STOP"}
)
"""The reasons of a complete answer, in the words of the providers."""

MAX_DATA_CHARS = 300
"""The part of an event's data that is written to stderr."""

_HOW_TO_PICK = "name the field of the text, for example --pick delta.text"


def note_on(reading: Reading) -> str:
    """Return the note for a stream in which no text is found after its first events; empty if there is none."""
    if isinstance(reading, JoinedText) and reading.finds_nothing and reading.events >= PATIENCE_EVENTS:
        return f"no known LLM format in {_events(reading.events)}: {_HOW_TO_PICK}"
    return ""


def notes_on(reading: Reading) -> list[str]:
    """Return notes on the parts that were received and not shown."""
    if isinstance(reading, SelectedValues) and reading.skipped:
        return [f"{_events(reading.skipped)} without a value of --select not shown"]
    if not isinstance(reading, JoinedText):
        return []
    notes = []
    if reading.left_out:
        counts = ", ".join(f"{count:,} of {kind.value}" for kind, count in reading.left_out.items())
        terminal = " (reasoning is shown on a terminal)" if ChunkKind.REASONING in reading.left_out else ""
        notes.append(f"pieces not shown: {counts}{terminal}")
    if reading.has_other_choices:
        notes.append("only choice 0 is shown: the answer has several (n)")
    if reading.finish_reason not in USUAL_FINISH_REASONS:
        notes.append(f"finish reason: {visible_start(reading.finish_reason, MAX_DATA_CHARS)}")
    return notes


def error_in(reading: Reading) -> str:
    """Return the error that the stream reported instead of an answer; empty if there is none."""
    if not isinstance(reading, JoinedText) or reading.error is None:
        return ""
    return f"the stream reported an error: {visible_start(reading.error, MAX_DATA_CHARS) or 'without a message'}"


def unmet_by(reading: Reading, late: str) -> str:
    """Return why the text or the values are incomplete; empty if they are not. ``late`` is the end of a line."""
    if isinstance(reading, SelectedValues):
        return "" if reading.shown or not reading.skipped else f"no event has a value of --select{late}"
    return _unmet_by_text(reading, late) if isinstance(reading, JoinedText) else ""


def _unmet_by_text(text: JoinedText, late: str) -> str:
    if not text.events:
        return f"no event arrived{late}"
    if text.finds_nothing:
        return f"no known LLM format in {_events(text.events)}{late} (--text): {_HOW_TO_PICK}"
    if text.is_picked and not text.shown:
        return f"no event has a value of --pick{late}"
    if late or not (text.is_picked or text.is_ended or text.finish_reason):
        return f"the answer did not end{late}: no finish reason and no mark of its end"
    return ""


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"
