from __future__ import annotations

import io
import json
import time

import pytest
from golden import Golden
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.render.watch.event_view import (
    comment_as_json,
    comment_as_line,
    event_as_line,
    events_as_json,
)
from sseclient_cli.render.watch.json_text import json_tokens
from sseclient_cli.render.watch.live_entries import Arrived
from sseclient_cli.render.watch.status_line import Status, status_line
from sseclient_cli.render.watch.stream_view import state_as_line
from sseclient_cli.render.watch.terminal_event import render_event
from sseclient_cli.render.watch.time_column import TimeColumn, clock_time
from sseclient_cli.sse.event_stream import Event

# 12:34:56.789 in the time zone of the test run.
TIME_S = time.mktime((2026, 1, 2, 12, 34, 56, 0, 0, -1)) + 0.789


def event(data: str, *, type: str = "message", id: str = "") -> Event:  # noqa: A002  the names of an event
    return Event(type, data, id)


def drawn(what: Event, width: int) -> RenderableType:
    """Return an event as the terminal view shows all of it."""
    return render_event(Arrived(what, TIME_S, 0.102, "", 1, 0), TimeColumn(), width, is_full=True)


def shown(what: RenderableType, width: int = 80) -> list[str]:
    """Return the lines that a terminal of that width would show, without trailing spaces."""
    console = Console(file=io.StringIO(), force_terminal=True, no_color=True, width=width)
    with console.capture() as capture:
        # In a group, like in Live: a bare Text would lose its wrapping options.
        console.print(Group(what), markup=False, emoji=False, highlight=False)
    text = capture.get()
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[3m"):
        text = text.replace(code, "")
    return [line.rstrip() for line in text.removesuffix("\n").split("\n")]


def test_the_time_is_local_with_milliseconds() -> None:
    assert clock_time(TIME_S) == "12:34:56.789"


def test_a_short_event_is_one_line() -> None:
    assert shown(drawn(event("hello", type="tick", id="7"), 80)) == ["12:34:56.789 +0.102s tick id=7 hello"]


def test_an_event_without_data_is_its_head() -> None:
    assert shown(drawn(event("", id="7"), 80)) == ["12:34:56.789 +0.102s message id=7"]


def test_lines_of_data_stand_indented_below_the_head() -> None:
    assert shown(drawn(event("a\n\nb"), 80)) == ["12:34:56.789 +0.102s message", "  a", "", "  b"]


def test_json_that_fits_stands_on_one_line() -> None:
    data = '{\n "a":1.10,"b" : [ ],"c":{"d":null}}'
    assert shown(drawn(event(data), 80)) == ['12:34:56.789 +0.102s message {"a": 1.10, "b": [], "c": {"d": null}}']


def test_json_that_fits_below_the_head_stands_there_on_one_line() -> None:
    data = '{"a":1.10,"b":[1,2],"c":{"d":null}}'
    assert shown(drawn(event(data), 45), 45) == [
        "12:34:56.789 +0.102s message",
        '  {"a": 1.10, "b": [1, 2], "c": {"d": null}}',
    ]


def test_json_that_fits_nowhere_is_laid_out_in_lines(golden: Golden) -> None:
    data = '{"a":1.10,"b":[1,{}],"c":{"d":[]},"e":"{,"}'
    golden("event-json-in-lines", "\n".join(shown(drawn(event(data), 30), 30)))


@pytest.mark.parametrize("number", ["1.10", "1e400", "-0", "1E5", "0.1000", "9" * 50, "9" * 5000])
def test_numbers_are_shown_as_they_were_sent(number: str) -> None:
    assert [token.text for token in json_tokens(f"[{number}]")] == ["[", number, "]"]


def test_a_key_that_comes_twice_is_shown_twice() -> None:
    assert [token.text for token in json_tokens('{"a":1,"a":2}') if token.style == "json.key"] == ['"a"'] * 2


def test_strings_are_shown_as_their_characters_and_stay_one_line() -> None:
    data = json.dumps({"k": 'é火 "q" \\ \n \x1b[2J \u202e \x7f \ud800'})
    (value,) = [token.text for token in json_tokens(data) if token.style == "json.str"]
    assert value == r'"é火 \"q\" \\ \n \u001b[2J \u202e \x7f \ud800"'


@pytest.mark.parametrize(
    "data",
    [
        "{not json}",
        '{"a":1',
        "[NaN]",
        "[Infinity]",
        "[01]",
        '"a string"',
        "12",
        "[" * 100_000,
        "[" * 900 + "]" * 900,
        '{"a":1} {"b":2}',
    ],
)
def test_data_that_is_not_a_json_object_or_array_stays_plain_text(data: str) -> None:
    assert json_tokens(data) == []


def test_huge_json_is_shown_as_it_came_and_fast() -> None:
    data = json.dumps(["火" * 100] * 5000)
    began_s = time.monotonic()
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    console.print(drawn(event(data), 80), soft_wrap=True)
    assert time.monotonic() - began_s < 3
    assert data in console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m[red]x[/red] :smile: \u202e\r\b"
HARMLESS = r"\x1b]0;owned\x07\x1b[2J\x9b31m[red]x[/red] :smile: \u202e\x0d\x08"


def test_hostile_text_anywhere_in_an_event_is_shown_as_text() -> None:
    (line,) = shown(drawn(Event(HOSTILE, HOSTILE, HOSTILE), 300), 300)
    plain = f"12:34:56.789 {HARMLESS} id={HARMLESS} {HARMLESS}"
    assert line.replace(" +0.102s", "") == event_as_line(Event(HOSTILE, HOSTILE, HOSTILE), TIME_S) == plain


def test_hostile_comments_and_reasons_are_shown_as_text() -> None:
    assert comment_as_line(HOSTILE, TIME_S) == f"12:34:56.789 :{HARMLESS}"
    change = StateChange(ConnectionState.WAITING, HOSTILE, delay_s=1.0)
    assert state_as_line(change, reopened=True) == f"reconnecting in 1.0 s because {HARMLESS}"


def test_a_plain_line_is_one_line_where_the_data_is() -> None:
    assert event_as_line(event('{"a":1}', type="t", id="1"), TIME_S) == '12:34:56.789 t id=1 {"a":1}'
    assert event_as_line(event("a\nb"), TIME_S) == "12:34:56.789 message\n  a\n  b"
    assert comment_as_line(" ping", TIME_S) == "12:34:56.789 : ping"


def test_a_json_line_is_ascii_and_gives_the_event_back() -> None:
    [line] = events_as_json([Event("t", HOSTILE + "火\n\ud800", "1", 1_234_567_890_000)])
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {"time": 1234.568, "type": "t", "id": "1", "data": HOSTILE + "火\n\ud800"}
    assert comment_as_json(" ä", 1.0) == r'{"time": 1.0, "comment": " \u00e4"}'


@pytest.mark.parametrize("width", [20, 40, 80, 120])
@pytest.mark.parametrize("state", list(ConnectionState))
def test_the_status_line_never_wraps(state: ConnectionState, width: int) -> None:
    status = Status(
        url="http://127.0.0.1/" + "火" * 100,
        state=state,
        reason="原因" * 50,
        wait_s=2.14,
        events=1_234_567,
        events_per_s=1234.56,
        last_event_id="\x1b" + "号" * 100,
    )
    (line,) = shown(status_line(status), width)
    assert cell_len(line) <= width
    assert "\x1b" not in line


def test_the_status_line_starts_with_the_state() -> None:
    status = Status(
        url="http://h/",
        state=ConnectionState.OPEN,
        reason="connected",
        wait_s=0.0,
        events=1,
        events_per_s=0.25,
        last_event_id="7",
    )
    assert status_line(status).plain == "● connected │ 1 event │ 0.2/s │ last id 7 │ http://h/"
