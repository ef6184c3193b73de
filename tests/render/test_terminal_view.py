"""The output of the terminal view for a stream."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator

import pytest
from golden import Golden
from rich.console import Console

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.render.watch.live_stream import LiveStream
from sseclient_cli.render.watch.stream_view import Output
from sseclient_cli.render.watch.terminal_view import TerminalView
from sseclient_cli.render.watch.time_column import TimeColumn, TimeStyle
from sseclient_cli.sse.event import Event
from sseclient_cli.units import NS_PER_S

# Far from the other clock, as the time of day is.
TIME_S = 1.7e9
OPEN = StateChange(ConnectionState.OPEN, "connected")
WAITING = StateChange(ConnectionState.WAITING, "it ended", delay_s=2.0)


class Screen:
    """A view on a terminal that is a string, and its stream."""

    def __init__(self, output: Output = Output.TEXT, style: TimeStyle = TimeStyle.CLOCK, *, full: bool = True) -> None:
        self._file = io.StringIO()
        console = Console(file=self._file, force_terminal=True, no_color=True, width=100, height=24)
        self.stream = LiveStream("http://h/")
        self.view = TerminalView(self.stream, output, console, TimeColumn(style), is_full=full)

    def event(self, seconds: float, name: str, data: str, event_id: str = "", label: str = "") -> None:
        self.stream.event(Event(name, data, event_id, round((TIME_S + seconds) * NS_PER_S)), label)

    def state(self, seconds: float, change: StateChange, *, reopened: bool = False) -> None:
        self.stream.state(change, round((TIME_S + seconds) * NS_PER_S), 100.0 + seconds, reopened=reopened)

    def draw(self, seconds: float) -> None:
        feed, oldest_s = self.stream.feed, self.stream.feed.oldest_s
        entries, time_ns = feed.take(50, 20), round((TIME_S + seconds) * NS_PER_S)
        self.view.draw(entries, self.stream.status(time_ns, 100.0 + seconds, oldest_s, has_keys=True))

    @property
    def written(self) -> str:
        return self._file.getvalue()

    @property
    def lines(self) -> list[str]:
        """The output without colours; a line that is erased and drawn again is a line of its own."""
        text = re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]", "", self.written)
        return list(filter(None, re.sub(r"(?:\r|\x1b\[1A)?\x1b\[2K", "\n", text).splitlines()))


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_utc")
@pytest.mark.parametrize("output", list(Output))
def test_a_terminal_reads_like_this(output: Output, golden: Golden) -> None:
    screen = Screen(output)
    with screen.view:
        screen.state(0, OPEN)
        screen.event(0.001, "message", "hello")
        screen.event(0.25, "tick", '{"n":1,"more":[1.10,null,"\x1b[2J"]}', "7")
        screen.event(0.5, "message", "two\nlines", "8")
        screen.stream.comment(" keep-alive", round((TIME_S + 1) * NS_PER_S))
        screen.draw(1.5)
        screen.state(2, WAITING)
        screen.draw(3)
        screen.state(4, OPEN, reopened=True)
        screen.event(14.1, "error", "again", "9")
        screen.draw(14.2)
        screen.draw(24.5)
    golden(f"watch-{output.name.lower()}-terminal", "\n".join(screen.lines))


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (TimeStyle.START, ["   0.000s         a 1", "   0.102s +0.102s a 2"]),
        (TimeStyle.NONE, ["a 1", "a 2"]),
    ],
)
def test_times_are_since_the_start_or_left_out(style: TimeStyle, expected: list[str]) -> None:
    screen = Screen(style=style)
    with screen.view:
        screen.event(0, "a", "1")
        screen.event(0.102, "a", "2")
        screen.draw(0.2)
    assert [line for line in screen.lines if "●" not in line] == expected


def test_the_wait_is_counted_down_and_never_below_zero() -> None:
    screen = Screen()
    with screen.view:
        screen.state(0, WAITING)
        for seconds in (0, 1.25, 5):
            screen.draw(seconds)
    shown = screen.written
    assert shown.index("reconnecting in 2.0 s") < shown.index("reconnecting in 0.8 s") < shown.index("in 0.0 s")


def test_the_rate_is_that_of_the_last_seconds() -> None:
    screen = Screen()
    with screen.view:
        screen.state(0, OPEN)
        screen.draw(0)
        for _ in range(10):
            screen.event(0, "message", "x")
        screen.draw(2)
        screen.draw(10)
    assert "10 events │ 5.0/s" in screen.written
    assert screen.written.rindex("0.0/s") > screen.written.rindex("5.0/s")


def test_raw_data_on_a_terminal_is_made_harmless() -> None:
    screen = Screen(Output.RAW)
    with screen.view:
        screen.event(0, "message", "\x1b]0;owned\x07[red]x")
        screen.draw(0)
    assert r"\x1b]0;owned\x07[red]x" in screen.written


@pytest.mark.parametrize("output", list(Output))
@pytest.mark.parametrize("data", ["[" + "1," * 32_767 + "1]", "\n" * 65_536, "a " * 32_768, "\x01" * 65_536])
def test_with_full_a_large_event_leaves_out_nothing_and_is_not_wrapped_word_by_word(output: Output, data: str) -> None:
    screen = Screen(output)
    with screen.view:
        screen.event(0, "message", data)
        screen.draw(0)
    expected = json.dumps(data) if output is Output.JSON else data.replace("\x01", r"\x01")
    assert expected in screen.written


@pytest.mark.parametrize("data", ["[" + "1," * 32_767 + "1]", "line\n" * 13_000, "a " * 32_768, "é" * 32_768])
def test_long_data_is_folded_and_its_size_is_said(data: str) -> None:
    screen = Screen(full=False)
    with screen.view:
        screen.event(0, "message", data)
        screen.draw(0)
    lines = [line for line in screen.lines if "●" not in line]
    assert len(lines) == 12
    assert lines[-1].strip() == "… 65.5 kB in all (--full)" if "line" not in data else "… 65.0 kB in all (--full)"


def test_json_is_folded_only_if_it_is_longer_than_a_few_lines() -> None:
    short, long = json.dumps(["x" * 60] * 9), json.dumps(["x" * 60] * 20)
    screen = Screen(full=False)
    with screen.view:
        screen.event(0, "message", short)
        screen.event(0, "message", long)
        screen.draw(0)
    text = "\n".join(screen.lines)
    assert text.count("(--full)") == 1
    assert text.count("x" * 60) == 9 + 9


def test_a_huge_type_id_or_comment_is_cut_on_a_terminal() -> None:
    screen = Screen()
    with screen.view:
        screen.event(0, "t" * 10**6, "data", "\x01" * 10**6)
        screen.stream.comment("c" * 10**6, round(TIME_S * NS_PER_S))
        screen.draw(0)
    assert len(screen.written) < 20_000
    assert screen.written.count("…") >= 3
    assert screen.written.count("t" * 60) <= 4
    assert r"last id \x01" in screen.written


def test_the_status_line_says_how_far_the_view_is_behind_until_it_has_caught_up() -> None:
    screen = Screen()
    with screen.view:
        screen.state(0, OPEN)
        screen.event(0, "message", "x")
        screen.draw(3.25)
        behind = screen.written
        screen.draw(3.4)
    assert "3.2 s behind" in behind
    assert "behind" not in "\n".join(screen.lines[-2:])


def test_events_of_several_streams_have_labels_and_gaps_of_their_own() -> None:
    screen = Screen(style=TimeStyle.START)
    with screen.view:
        screen.event(0, "a", "1", label="/one")
        screen.event(1, "a", "2", label="/two")
        screen.event(3, "a", "3", label="/one")
        screen.draw(3)
    summary = screen.view.summary(round((TIME_S + 3) * NS_PER_S))
    assert [line for line in screen.lines if "●" not in line] == [
        "   0.000s         /one a 1",
        "   1.000s         /two a 2",
        "   3.000s +3.000s /one a 3",
    ]
    assert re.findall(r"^/\w+|\d events?\b(?!/)", summary, re.MULTILINE) == ["/one", "2 events", "/two", "1 event"]
