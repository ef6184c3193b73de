"""When the live view draws, and when progress is a plain line."""

from __future__ import annotations

from collections.abc import Sequence

from live_runs import progress_at

from sseclient_cli.render.live.line import Line
from sseclient_cli.render.live.screen import Screen
from sseclient_cli.render.terminal.live import frames, lines


class CountingScreen(Screen):
    """Counts the frames."""

    def __init__(self, *, is_ready: bool = True) -> None:
        self.frames: list[list[str]] = []
        self._answer = is_ready

    @property
    def size(self) -> tuple[int, int]:
        return 80, 24

    def is_ready(self) -> bool:
        return self._answer

    def draw(self, lines: Sequence[Line], width: int) -> None:
        self.frames.append([line.text() for line in lines])
        assert width == 79


def test_at_most_eight_frames_per_second_are_drawn_however_often_progress_comes() -> None:
    screen, now = CountingScreen(), [100.0]
    show = frames(screen, "http://h/", lambda: now[0])
    for hundredth in range(300):
        now[0] = 100 + hundredth / 100
        show(progress_at(hundredth / 100))
    assert 8 <= len(screen.frames) <= 3 * 8 + 1


def test_a_frame_that_is_not_drawn_loses_no_figures() -> None:
    screen, now = CountingScreen(), [0.0]
    show = frames(screen, "http://h/", lambda: now[0])
    for _ in range(4):
        show(progress_at(0.5))
    now[0] = 1.0
    show(progress_at(1.0))
    assert len(screen.frames) == 2
    (delivery,) = [line for line in screen.frames[-1] if line.startswith("delivery")]
    assert delivery.split()[1:] == ["0.070", "0.070", "1.500", "1.500", "│", "0.070", "0.070", "1.500", "1.500"]


def test_nothing_is_drawn_in_the_background_or_while_output_is_stopped() -> None:
    screen = CountingScreen(is_ready=False)
    show = frames(screen, "http://h/", lambda: 0.0)
    show(progress_at(1))
    assert screen.frames == []


def test_lines_come_every_five_seconds_of_the_run_and_not_at_its_end() -> None:
    written: list[str] = []
    show = lines(written.append)
    for quarter in range(1, 60 * 4 + 1):
        show(progress_at(quarter / 4, errors={"http-503": 3}))
    assert [line.split()[0] for line in written] == [str(second) for second in range(5, 60, 5)]
    assert written[1] == (
        "10 of 60 s: 4,000 of 4,000 open, 10 reconnecting, 3 failed, 40,000 events/s, 4.00 MB/s, "
        "delivery p50 0.070 ms p99 1.500 ms, 3 errors, 61 % CPU"
    )


def test_a_line_says_that_the_load_generator_is_the_bottleneck() -> None:
    written: list[str] = []
    show = lines(written.append)
    for quarter in range(1, 21):
        show(progress_at(quarter / 4, cpu_percent=99.0))
    (line,) = written
    assert line.endswith("BOTTLENECK: worker 0 used 99 % of its core (limit 90 %)")


def test_a_pause_of_the_run_costs_its_lines() -> None:
    written: list[str] = []
    show = lines(written.append)
    for at_s in (4, 17, 18, 20, 21):
        show(progress_at(at_s))
    assert [line.split()[0] for line in written] == ["17", "20"]
