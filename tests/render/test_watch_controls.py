"""The keys of the live view, without a terminal."""

from __future__ import annotations

import pytest

from sseclient_cli.render.watch.controls import MAX_TYPED_CHARS, Action, Controls
from sseclient_cli.render.watch.typed_filter import TypedFilter
from sseclient_cli.sse.event import Event


def after(*texts: str) -> Controls:
    controls = Controls()
    for text in texts:
        controls.press(text)
    return controls


@pytest.mark.parametrize(
    ("key", "action"),
    [
        (" ", Action.PAUSE_OR_CONTINUE),
        ("/", Action.TYPE),
        ("?", Action.HELP),
        ("c", Action.CLEAR),
        ("\x0c", Action.CLEAR),
        ("q", Action.QUIT),
    ],
)
def test_each_key_has_its_action(key: str, action: Action) -> None:
    assert Controls().press(key) == [action]


@pytest.mark.parametrize(
    "text", ["x", "Q", "\r", "\x1b", "\x1b[A", "\x1b[1;5C", "\x1bOP", "\x1b[200~", "é", "\x00", ""]
)
def test_other_keys_do_nothing_and_a_cursor_key_is_not_its_letters(text: str) -> None:
    controls = Controls()
    assert controls.press(text) == []
    assert controls.typed is None


def test_while_a_filter_is_typed_keys_are_text() -> None:
    controls = after("/", "q ?c/")
    assert controls.typed == "q ?c/"
    assert controls.press("\r") == [Action.FILTER]
    assert controls.filter_text == "q ?c/"
    assert controls.press("q") == [Action.QUIT]


def test_a_pasted_filter_is_several_keys_of_one_read() -> None:
    assert Controls().press("/ab\rq") == [Action.TYPE] * 3 + [Action.FILTER, Action.QUIT]


@pytest.mark.parametrize(
    ("keys", "typed"),
    [("abc\x7f", "ab"), ("abc\b\b\b\b", ""), ("abc\x15d", "d"), ("a\x1b[Db", "ab"), ("é火", "é火"), ("a\x01\tb", "ab")],
)
def test_the_line_can_be_edited(keys: str, typed: str) -> None:
    assert after("/" + keys).typed == typed


def test_escape_leaves_the_filter_as_it_was() -> None:
    controls = after("/first\r", "/second\x1b")
    assert (controls.typed, controls.filter_text) == (None, "first")


def test_an_empty_line_clears_the_filter() -> None:
    assert after("/first\r", "/\r").filter_text == ""


def test_the_line_is_bounded() -> None:
    assert len(after("/" + "x" * 10_000).typed or "") == MAX_TYPED_CHARS


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("PRICE", True),
        ("Tick", True),
        ("id-7", True),
        ("other", False),
        ("type:tick", True),
        ("type:Tick", False),
        ("type:tic", False),
        ("type:tick price", True),
        ("type:tick other", False),
        ("type:other price", False),
    ],
)
def test_a_filter_matches_parts_of_an_event_or_its_whole_type(text: str, matches: bool) -> None:
    assert TypedFilter(text).matches(Event("tick", '{"Price": 1}', "ID-7")) is matches


def test_a_filter_also_matches_the_label_of_the_stream() -> None:
    event = Event("tick", "{}", "")
    assert TypedFilter("ndjson").matches(event, "/ndjson?rate=2")
    assert not TypedFilter("ndjson").matches(event, "/stream?rate=2")
