"""Judge the body: bytes, lines, fields, IDs, sizes, errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sseclient_cli.check.blocks import Wire, read_wire
from sseclient_cli.check.catalogue import Check, Result
from sseclient_cli.check.recording import End, Recording
from sseclient_cli.check.words import counted, listed, shown_ids, shown_line, size_words, time_words
from sseclient_cli.sse.diagnosis import explain
from sseclient_cli.sse.error_event import is_error_event

MIN_RETRY_MS = 100
MAX_RETRY_MS = 60_000

LARGE_BYTES = 256 * 1024
"""The default limit of an event in Spring's WebClient; readers by line have less: 64 KiB in Go and asyncio."""

_NAMES = {b"\n": "LF", b"\r\n": "CRLF", b"\r": "CR"}


def judge_body(recording: Recording, *, is_resumable: bool = True) -> Iterator[Result]:
    """Judge the body of the stream, as far as it was recorded. ``is_resumable``: clients may repeat the request."""
    body = recording.body
    wire = read_wire(body)
    yield _retry(wire, recording)
    yield _ids(wire, recording, is_resumable=is_resumable)
    yield _utf_8(body, wire, recording)
    yield _line_ends(wire)
    yield _fields(body, wire, recording)
    yield _last_event(recording)
    yield _event_size(wire, recording)
    yield _error_events(recording)


def _retry(wire: Wire, recording: Recording) -> Result:
    check, retry_ms = Check.RETRY, recording.retry_ms
    if wire.bad_retries:
        values = listed([shown_line(value) for value in wire.bad_retries])
        return check.fault(f"retry {values} is not a number of milliseconds, so it is ignored")
    if retry_ms is None:
        return check.ok("not sent: browsers wait 3 to 5 s before they reconnect")
    if retry_ms < MIN_RETRY_MS:
        return check.warning(f"{retry_ms} ms: after a restart, all clients reconnect at once, repeatedly")
    if retry_ms > MAX_RETRY_MS:
        return check.warning(f"{retry_ms:,} ms: clients stay away that long after each disconnect")
    return check.ok(f"{retry_ms:,} ms")


def _ids(wire: Wire, recording: Recording, *, is_resumable: bool) -> Result:
    check, events = Check.IDS, wire.events
    if not events:
        return check.not_checked(f"no event within {time_words(recording.watched_s)}")
    if wire.bad_ids:
        values = listed([shown_line(value) for value in wire.bad_ids])
        return check.fault(f"{values}: clients cannot send this ID back", "Use printable characters in IDs.")
    ids = [block.own_id.decode("utf-8", "replace") for block in events if block.own_id]
    if not ids:
        seen = f"none in {counted(len(events), 'event')}"
        missed = check.warning(f"{seen}: a reconnecting client misses events")
        return missed if is_resumable else check.ok(f"{seen}, and clients do not resume this request")
    repeated = [event_id for event_id, count in Counter(ids).items() if count > 1]
    if repeated:
        return check.fault(f"{shown_ids(repeated)} repeated within {counted(len(events), 'event')}")
    if len(events) == 1:
        return check.ok("on 1 event")
    part = f"{len(ids):,} of" if len(ids) < len(events) else "all"
    return check.ok(f"unique, on {part} {counted(len(events), 'event')}")


def _utf_8(body: bytes, wire: Wire, recording: Recording) -> Result:
    if not body:
        return Check.UTF_8.not_checked("no byte")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as exc:
        # A recording may stop inside a character.
        if recording.end is End.ENDED or exc.end < len(body):
            return Check.UTF_8.fault(f"invalid at byte {exc.start:,}: {shown_line(body[exc.start - 12 : exc.end + 4])}")
    if wire.has_bom:
        return Check.UTF_8.warning("a byte order mark at the start: some clients lose the first event")
    return Check.UTF_8.ok("valid")


def _line_ends(wire: Wire) -> Result:
    check = Check.LINE_ENDS
    if not wire.line_ends:
        return check.not_checked("no line")
    names = [_NAMES[end] for end in wire.line_ends]
    if len(names) > 1:
        return check.warning(f"mixed: {', '.join(f'{wire.line_ends[end]:,} {_NAMES[end]}' for end in wire.line_ends)}")
    return check.warning("CR: many clients know only LF and CRLF") if names == ["CR"] else check.ok(names[0])


def _fields(body: bytes, wire: Wire, recording: Recording) -> Result:
    check = Check.FIELDS
    if not recording.events and (explained := explain(body, len(body))):
        return check.fault(explained)
    if wire.unknown_lines:
        lines = listed([shown_line(line) for line in wire.unknown_lines])
        return check.fault(f"{counted(len(wire.unknown_lines), 'line')} ignored: {lines}")
    return check.ok("known") if wire.blocks else check.not_checked("no field")


def _last_event(recording: Recording) -> Result:
    check = Check.LAST_EVENT
    if recording.end is End.BROKEN:
        return check.fault(
            recording.problem,
            "End the response properly (last chunk), or find what cuts the connection: a proxy's timeout, a crash.",
        )
    if recording.end is not End.ENDED:
        return check.not_checked("the stream did not end")
    if recording.has_unfinished_event:
        return check.fault("the stream ended without a blank line after the last event, which is lost")
    return check.ok("complete")


def _event_size(wire: Wire, recording: Recording) -> Result:
    check = Check.EVENT_SIZE
    if recording.too_large or (recording.end is End.FULL and not wire.events):
        return check.fault(f"an event has more than {size_words(recording.size_bytes)}")
    if not wire.events:
        return check.not_checked("no event")
    sizes = sorted(block.size_bytes for block in wire.events)
    seen = f"up to {size_words(sizes[-1])}, usually {size_words(sizes[len(sizes) // 2])}"
    return check.warning(seen) if sizes[-1] > LARGE_BYTES else check.ok(seen)


def _error_events(recording: Recording) -> Result:
    check = Check.ERROR_EVENTS
    if not recording.events:
        return check.not_checked("no event")
    errors = [event for event in recording.events if is_error_event(event)]
    if errors:
        return check.fault(f"{len(errors):,} of {counted(len(recording.events), 'event')}")
    return check.ok(f"none in {counted(len(recording.events), 'event')}")
