from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from golden import Golden

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.render.watch.plain_view import PlainView
from sseclient_cli.render.watch.stream_view import Output
from sseclient_cli.sse.event_stream import Event

# Far from the other clock, as the time of day is.
TIME_S = 1.7e9


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def show(view: PlainView, event: Event, time_s: float) -> None:
    view.events([event._replace(arrived_ns=round(time_s * 1e9))])


def play(view: PlainView) -> None:
    """Show a stream of all kinds of entries, which is lost once and comes back."""
    start_s = time.mktime((2026, 1, 2, 12, 34, 56, 0, 0, -1))
    view.state(StateChange(ConnectionState.OPEN, "connected"), start_s, 100.0, reopened=False)
    show(view, Event("message", "hello", ""), start_s + 0.001)
    show(view, Event("tick", '{"n":1,"more":[1.10,null,"\x1b[2J"]}', "7"), start_s + 0.25)
    show(view, Event("message", "two\nlines", "8"), start_s + 0.5)
    view.comment(" keep-alive", start_s + 1)
    view.state(StateChange(ConnectionState.WAITING, "it ended", delay_s=2.0), start_s + 2, 102.0, reopened=False)
    view.state(StateChange(ConnectionState.OPEN, "connected"), start_s + 4, 104.0, reopened=True)
    show(view, Event("message", "again", "9"), start_s + 4.1)
    view.flush()


@pytest.mark.usefixtures("_utc")
@pytest.mark.parametrize("output", list(Output))
def test_a_pipe_reads_like_this(output: Output, golden: Golden, capfd: pytest.CaptureFixture[str]) -> None:
    play(PlainView(output, verbatim=True))
    out, err = capfd.readouterr()
    golden(f"watch-{output.name.lower()}-pipe", f"{out}--- stderr\n{err}")


def test_a_state_line_that_cannot_be_written_does_not_end_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    view = PlainView(Output.TEXT, verbatim=True)
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stderr", full)
        change = StateChange(ConnectionState.WAITING, "it ended", delay_s=1.0)
        view.state(change, TIME_S, 100.0, reopened=False)
        monkeypatch.undo()
        with suppress(OSError):
            full.close()


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
