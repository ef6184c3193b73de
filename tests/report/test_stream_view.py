from __future__ import annotations

import io

from rich.console import Console

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.protocol.event_stream import Event
from sseclient_cli.report.stream_view import Output, TerminalView


def view_of(output: Output) -> tuple[TerminalView, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, no_color=True, width=100)
    return TerminalView(output, "http://h/", console), file


def test_the_wait_is_counted_down_and_never_below_zero() -> None:
    view, file = view_of(Output.TEXT)
    with view:
        view.state(StateChange(ConnectionState.WAITING, "it ended", delay_s=2.0), 100.0)
        view.refresh(101.25)
        view.refresh(105.0)
    shown = file.getvalue()
    assert shown.index("reconnecting in 2.0 s") < shown.index("reconnecting in 0.8 s") < shown.index("in 0.0 s")


def test_the_rate_is_that_of_the_last_seconds() -> None:
    view, file = view_of(Output.TEXT)
    with view:
        view.state(StateChange(ConnectionState.OPEN, "connected"), 100.0)
        for n in range(10):
            view.event(Event("message", "x", ""), 100.0 + n / 10)
        view.refresh(102.0)
        view.refresh(110.0)
    shown = file.getvalue()
    assert "10 events │ 5.0/s" in shown
    assert shown.rindex("0.0/s") > shown.rindex("5.0/s")


def test_raw_data_on_a_terminal_is_made_harmless() -> None:
    view, file = view_of(Output.RAW)
    with view:
        view.event(Event("message", "\x1b]0;owned\x07[red]x", ""), 100.0)
    assert r"\x1b]0;owned\x07[red]x" in file.getvalue()


def test_json_on_a_terminal_is_not_broken_into_lines() -> None:
    view, file = view_of(Output.JSON)
    with view:
        view.event(Event("message", "word " * 100, ""), 100.0)
        view.comment("word " * 100, 100.0)
    assert file.getvalue().count("word " * 100) == 2
