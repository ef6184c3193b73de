"""From the options of ``sse watch``: the expectations, the reading, and the view for text without lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sseclient_cli.cli.options.output import WatchOutputOptions
from sseclient_cli.cli.options.reading import ReadingOptions
from sseclient_cli.cli.options.watching import WatchOptions
from sseclient_cli.errors import UsageError

_Made = TypeVar("_Made")

if TYPE_CHECKING:
    from sseclient_cli.cli.expectations import Expectations
    from sseclient_cli.payload.query import Query
    from sseclient_cli.payload.reading import Reading
    from sseclient_cli.render.standard_streams import Sink
    from sseclient_cli.render.watch.text_view import TextView


def check_reading(events: WatchOptions, reading: ReadingOptions, output: WatchOutputOptions, streams: int) -> None:
    """Raise UsageError for options that exclude each other."""
    forms = {
        "--json": output.as_json,
        "--raw": output.raw,
        "--text": reading.text,
        "--pick": reading.pick is not None,
        "--format-string": reading.format_string is not None,
    }
    given = [name for name, is_given in forms.items() if is_given]
    joined = [name for name in given if name in ("--text", "--pick")]
    for first, others in (
        (given[:1], given[1:]),
        (["--select"] if reading.select is not None else [], joined),
        (["--until"] if events.until is not None else [], ["--expect"] if events.expect is not None else []),
    ):
        if first and others:
            raise UsageError(f"{first[0]} and {others[0]} exclude each other: leave one out")
    if joined and streams > 1:
        raise UsageError(f"{joined[0]} joins the text of one stream: give one URL")
    if output.comments and given and not output.as_json:
        raise UsageError(f"{given[0]} and --comments exclude each other: leave one out, or use --json")
    if events.within_s is not None and not (events.is_ending or joined):
        raise UsageError("--within needs an end to wait for: add --expect, --until or -n, or use --duration")
    if events.expect == "":
        raise UsageError("--expect has no text: every event contains the empty text")


def expectations_of(events: WatchOptions) -> Expectations:
    """Return the expectations of these options. Raises UsageError for invalid expressions."""
    from sseclient_cli.cli.expectations import Expectations
    from sseclient_cli.payload.event_filter import EventFilter, pattern_of
    from sseclient_cli.payload.expected_event import ExpectedEvent

    return Expectations(
        selected=EventFilter(
            frozenset(name.strip() for names in events.event or () for name in names.split(",")),
            _query("--where", events.where),
            None if events.grep is None else _named("--grep", pattern_of, events.grep),
        ),
        count=events.count,
        until=None if events.until is None else ExpectedEvent(events.until),
        expect=None if events.expect is None else ExpectedEvent.read(events.expect),
        first_within_s=events.expect_within_s,
        within_s=events.within_s,
        no_error_event=events.fail_on_error_event,
    )


def reading_of(options: ReadingOptions, sink: Sink | None) -> Reading:
    """Return the reading of these options. Reasoning is shown only where a style tells it from the answer."""
    from sseclient_cli.payload.reading import JoinedText, SelectedValues, WholeEvents

    if options.is_joined:
        return JoinedText(_query("--pick", options.pick), with_reasoning=_is_styled(sink))
    query = _query("--select", options.select)
    return WholeEvents() if query is None else SelectedValues(query)


def text_view(options: ReadingOptions, sink: Sink | None) -> TextView | None:
    """Return the view for joined text or a format string; None if the options give neither. ``sink`` is a file."""
    if not options.is_joined and options.format_string is None:
        return None
    from sseclient_cli.escaping import visible
    from sseclient_cli.render.watch.event_format import EventFormat
    from sseclient_cli.render.watch.text_view import AnswerText, TextView

    is_terminal = _is_terminal(sink)
    if options.format_string is None:
        answer = AnswerText(is_escaped=is_terminal, is_styled=_is_styled(sink))
        return TextView(answer, verbatim=not is_terminal, ends_line=True, sink=sink)
    form = EventFormat(options.format_string, visible if is_terminal else str)
    return TextView(form, verbatim=not is_terminal, ends_line=is_terminal, sink=sink)


def _is_terminal(sink: Sink | None) -> bool:
    return sink is None and sys.stdout.isatty()


def _is_styled(sink: Sink | None) -> bool:
    """Return whether the output is a capable terminal and NO_COLOR (no-color.org) is not set."""
    return _is_terminal(sink) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _query(option: str, expression: str | None) -> Query | None:
    if expression is None:
        return None
    from sseclient_cli.payload.query import Query

    return _named(option, Query, expression)


def _named(option: str, make: Callable[[str], _Made], text: str) -> _Made:
    """Return what ``make`` makes of an option's text. An error gets the option's name."""
    try:
        return make(text)
    except UsageError as exc:
        raise UsageError(f"{option} {exc}") from exc
