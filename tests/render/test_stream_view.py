from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from golden import Golden
from rich.console import Console

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.render.watch.plain_view import PlainView
from sseclient_cli.render.watch.stream_view import Output
from sseclient_cli.render.watch.terminal_view import TerminalView
from sseclient_cli.sse.event_stream import Event

# Far from the other clock, as the time of day is.
TIME_S = 1.7e9


def view_of(output: Output) -> tuple[TerminalView, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, no_color=True, width=100)
    return TerminalView(output, "http://h/", console), file


def screen_of(written: str) -> str:
    """Return a terminal's output without colours; a line that is erased and drawn again is a line of its own."""
    text = re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]", "", written)
    return "\n".join(filter(None, re.sub(r"(?:\r|\x1b\[1A)\x1b\[2K", "\n", text).splitlines()))


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def show(view: TerminalView | PlainView, event: Event, time_s: float) -> None:
    view.events([event._replace(arrived_ns=round(time_s * 1e9))])


def play(view: TerminalView | PlainView) -> None:
    """Show a stream of all kinds of entries, which is lost once and comes back."""
    start_s = time.mktime((2026, 1, 2, 12, 34, 56, 0, 0, -1))
    view.state(StateChange(ConnectionState.OPEN, "connected"), start_s, 100.0, reopened=False)
    show(view, Event("message", "hello", ""), start_s + 0.001)
    show(view, Event("tick", '{"n":1,"more":[1.10,null,"\x1b[2J"]}', "7"), start_s + 0.25)
    show(view, Event("message", "two\nlines", "8"), start_s + 0.5)
    view.comment(" keep-alive", start_s + 1)
    view.refresh(102.0)
    view.state(StateChange(ConnectionState.WAITING, "it ended", delay_s=2.0), start_s + 2, 102.0, reopened=False)
    view.refresh(103.0)
    view.state(StateChange(ConnectionState.OPEN, "connected"), start_s + 4, 104.0, reopened=True)
    show(view, Event("message", "again", "9"), start_s + 4.1)
    view.refresh(104.5)
    view.flush()


@pytest.mark.usefixtures("_utc")
@pytest.mark.parametrize("output", list(Output))
def test_a_terminal_reads_like_this(output: Output, golden: Golden) -> None:
    view, file = view_of(output)
    with view:
        play(view)
    golden(f"watch-{output.name.lower()}-terminal", screen_of(file.getvalue()))


@pytest.mark.usefixtures("_utc")
@pytest.mark.parametrize("output", list(Output))
def test_a_pipe_reads_like_this(output: Output, golden: Golden, capfd: pytest.CaptureFixture[str]) -> None:
    play(PlainView(output, verbatim=True))
    out, err = capfd.readouterr()
    golden(f"watch-{output.name.lower()}-pipe", f"{out}--- stderr\n{err}")


def test_the_wait_is_counted_down_and_never_below_zero() -> None:
    view, file = view_of(Output.TEXT)
    with view:
        view.state(StateChange(ConnectionState.WAITING, "it ended", delay_s=2.0), TIME_S, 100.0, reopened=False)
        view.refresh(101.25)
        view.refresh(105.0)
    shown = file.getvalue()
    assert shown.index("reconnecting in 2.0 s") < shown.index("reconnecting in 0.8 s") < shown.index("in 0.0 s")


def test_the_rate_is_that_of_the_last_seconds() -> None:
    view, file = view_of(Output.TEXT)
    with view:
        view.state(StateChange(ConnectionState.OPEN, "connected"), TIME_S, 100.0, reopened=False)
        for _ in range(10):
            show(view, Event("message", "x", ""), TIME_S)
        view.refresh(102.0)
        view.refresh(110.0)
    shown = file.getvalue()
    assert "10 events │ 5.0/s" in shown
    assert shown.rindex("0.0/s") > shown.rindex("5.0/s")


def test_raw_data_on_a_terminal_is_made_harmless() -> None:
    view, file = view_of(Output.RAW)
    with view:
        show(view, Event("message", "\x1b]0;owned\x07[red]x", ""), 100.0)
    assert r"\x1b]0;owned\x07[red]x" in file.getvalue()


def test_json_on_a_terminal_is_not_broken_into_lines() -> None:
    view, file = view_of(Output.JSON)
    with view:
        show(view, Event("message", "word " * 100, ""), 100.0)
        view.comment("word " * 100, 100.0)
    assert file.getvalue().count("word " * 100) == 2


@pytest.mark.parametrize("output", list(Output))
@pytest.mark.parametrize("data", ["[" + "1," * 32_767 + "1]", "\n" * 65_536, "a " * 32_768, "\x01" * 65_536])
def test_a_large_event_leaves_out_nothing_and_is_not_wrapped_word_by_word(output: Output, data: str) -> None:
    view, file = view_of(output)
    with view:
        show(view, Event("message", data, ""), TIME_S)
    expected = json.dumps(data) if output is Output.JSON else data.replace("\x01", r"\x01")
    assert expected in file.getvalue()


def test_a_huge_type_id_or_comment_is_cut_on_a_terminal() -> None:
    view, file = view_of(Output.TEXT)
    with view:
        show(view, Event("t" * 10**6, "data", "\x01" * 10**6), TIME_S)
        view.comment("c" * 10**6, TIME_S)
        view.refresh(1.0)
    shown = file.getvalue()
    assert len(shown) < 20_000
    assert shown.count("…") >= 3
    assert shown.count("t" * 60) <= 4
    assert r"last id \x01" in shown


def test_a_state_line_that_cannot_be_written_does_not_end_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    view = PlainView(Output.TEXT, verbatim=True)
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stderr", full)
        change = StateChange(ConnectionState.WAITING, "it ended", delay_s=1.0)
        view.state(change, TIME_S, 100.0, reopened=False)
        monkeypatch.undo()
        with suppress(OSError):
            full.close()


def test_the_status_line_says_how_far_the_view_is_behind_until_it_has_caught_up() -> None:
    view, file = view_of(Output.TEXT)
    with view:
        view.state(StateChange(ConnectionState.OPEN, "connected"), TIME_S, 100.0, reopened=False)
        for behind_s in (0.9, 3.24, 0.5):
            view.behind(behind_s, TIME_S)
            view.refresh(101.0)
        before = len(file.getvalue())
        view.behind(0.05, TIME_S)
        view.refresh(102.0)
    shown = file.getvalue()
    assert "0.9 s behind" not in shown
    assert shown.index("3.2 s behind") < shown.index("0.5 s behind")
    assert "behind" not in shown[before:]


def test_plain_output_says_once_that_it_is_behind_and_once_that_it_has_caught_up(
    capfd: pytest.CaptureFixture[str],
) -> None:
    view = PlainView(Output.RAW, verbatim=True)
    for behind_s in (0.0, 0.9, 1.5, 3.0, 0.9, 0.05, 0.0):
        view.behind(behind_s, TIME_S)
        show(view, Event("message", "x", ""), TIME_S)
    view.flush()
    out, err = capfd.readouterr()
    assert out == "x\n" * 7
    first, second = err.splitlines()
    assert first.endswith(" 1.5 s behind: the output is read more slowly than events arrive")
    assert second.endswith(" caught up")
