"""The live view of `sse bench` on a pseudo-terminal, and its lines elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from controlling_terminal import WAIT_S, terminal
from demo_server_processes import demo_server_process
from progress_lines import progress_lines, without_progress
from real_processes import SSE, streams_open, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
FRAME = "\x1b[?2026h\x1b[H"


@pytest.fixture(name="server", scope="module")
def demo_server() -> Iterator[str]:
    with demo_server_process("127.0.0.1") as url:
        yield url


def frames_of(text: str) -> list[list[str]]:
    """The lines of each frame, without styles."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    found = [piece.partition("\x1b[J")[0] for piece in plain.split(FRAME)[1:]]
    return [[line.replace("\x1b[K", "") for line in frame.split("\r\n")] for frame in found]


def on_main_screen(text: str) -> str:
    """The final content of the terminal: all text outside of the alternate screen."""
    assert text.count(ENTER) == text.count(LEAVE)
    return re.sub(f"{re.escape(ENTER)}.*?{re.escape(LEAVE)}", "", text, flags=re.DOTALL)


def test_the_view_leaves_no_rests_and_the_summary_follows(server: str) -> None:
    with terminal(*SSE, "bench", f"{server}/load", "-n", "5", "-z", "2s") as running:
        assert running.end() == 0
    frames = frames_of(running.text)
    assert 3 <= len(frames) <= 8 * 4
    assert any(line.startswith("── streams") for line in frames[-1])
    assert any("5 of 5" in line or "  5  " in line for line in frames[-1])
    rest = on_main_screen(running.text)
    assert "5 opened" in rest
    assert "── streams" not in rest
    assert running.text.rindex("\x1b[?25h") > running.text.rindex("\x1b[?25l")  # the cursor is back
    assert running.text.rindex("\x1b[?7h") > running.text.rindex("\x1b[?7l")


def test_ctrl_c_leaves_the_view_and_prints_the_report(server: str) -> None:
    with terminal(*SSE, "bench", f"{server}/load", "-n", "5", "-z", "60s", "--workers", "2") as running:
        running.until(lambda text: len(frames_of(text)) > 2)
        running.type("\x03")
        assert running.end() == 130
    assert "interrupted" in on_main_screen(running.text)


def test_ctrl_z_gives_the_screen_back_and_fg_shows_the_view_again(server: str) -> None:
    with terminal("bash", "--norc", "--noprofile", "-i", PS1="$ ") as shell:
        shell.type(f"{' '.join(SSE)} bench {server}/load -n 3 -z 60s\n")
        shell.until(lambda text: len(frames_of(text)) > 2)
        shell.type("\x1a")
        shell.until(lambda text: "Stopped" in text)
        assert shell.text.count(ENTER) == shell.text.count(LEAVE) == 1
        assert shell.text.index(LEAVE) < shell.text.index("Stopped")
        shell.type("fg\n")
        shell.until(lambda text: text.count(ENTER) == 2)
        shell.type("\x03")
        shell.until(lambda text: "interrupted" in text)
        shell.type("exit\n")
        shell.end()
    assert "── streams" not in on_main_screen(shell.text)


def test_a_run_in_the_background_draws_nothing(server: str) -> None:
    with terminal("bash", "--norc", "--noprofile", "-i", PS1="$ ") as shell:
        shell.type(f"{' '.join(SSE)} bench {server}/load -n 3 -z 2s &\n")
        shell.until(lambda text: "3 opened" in text)
        shell.type("exit\n")
        shell.end()
    assert ENTER not in shell.text


def test_a_terminal_that_is_resized_gets_frames_of_its_size(server: str) -> None:
    with terminal(*SSE, "bench", f"{server}/load", "-n", "3", "-z", "60s", columns=200, lines=50) as running:
        running.until(lambda text: len(frames_of(text)) > 2)
        running.resize(60, 10)
        seen = len(frames_of(running.text))
        running.until(lambda text: len(frames_of(text)) > seen + 3)
        running.type("\x03")
        assert running.end() == 130
    first, last = frames_of(running.text)[1], frames_of(running.text)[-1]
    assert max(map(len, first)) > 150
    assert (max(map(len, last)) < 60, len(last) <= 10) == (True, True)


def test_a_terminal_that_takes_no_output_does_not_hold_up_the_run(server: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    arguments = ("-n", "3", "-z", "2s", "--workers", "2", "--json", str(path))
    with terminal(*SSE, "bench", f"{server}/load", *arguments, columns=200, lines=50) as running:
        # Frames of 10 KB fill the terminal's buffer before the start.
        until(lambda: streams_open(server) == 3, timeout_s=WAIT_S)
        assert running.end() == 0
    document = json.loads(path.read_text("utf-8"))
    assert (document["streams"]["opened"], document["errors"]) == (3, [])
    assert document["run"]["duration_s"] == pytest.approx(2, abs=1)
    assert "3 opened" in on_main_screen(running.text)


def test_saturation_is_shown_while_it_happens(server: str) -> None:
    # One process cannot start 1,000 connections within 50 ms, so most of them start late.
    arguments = ("-n", "1000", "--ramp-up", "0s", "-z", "4s", "--workers", "1")
    with terminal(*SSE, "bench", f"{server}/load?rate=1", *arguments) as running:
        assert running.end() == 0
    assert any("BOTTLENECK" in line for frame in frames_of(running.text) for line in frame)
    assert "was the bottleneck" in on_main_screen(running.text)


def test_a_terminal_without_a_view_gets_lines_and_quiet_gets_none(server: str) -> None:
    cases: list[tuple[list[str], dict[str, str], bool]] = [
        (["--no-tui"], {}, True),
        ([], {"NO_COLOR": "1"}, True),
        ([], {"TERM": "dumb"}, True),
        (["-q"], {}, False),
    ]
    command = [*SSE, "bench", f"{server}/load", "-n", "3", "-z", "6s"]
    with ExitStack() as stack:  # all at once: the first line comes after five seconds
        running = [stack.enter_context(terminal(*command, *options, **variables)) for options, variables, _ in cases]
        assert [each.end() for each in running] == [0] * len(cases)
    for (options, variables, has_lines), each in zip(cases, running, strict=True):
        assert ENTER not in each.text, (options, variables)
        assert bool(progress_lines(each.text.replace("\r\n", "\n"))) == has_lines, (options, variables)


def test_a_pipe_gets_a_line_every_five_seconds_and_quiet_gets_none(server: str) -> None:
    command = [*SSE, "bench", f"{server}/load?rate=20", "-n", "3", "-z", "6s"]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as plain,
        subprocess.Popen([*command, "-q"], stdout=pipe, stderr=pipe, text=True) as quiet,
    ):
        _, lines = plain.communicate(timeout=WAIT_S)
        assert quiet.communicate(timeout=WAIT_S) == ("", "")
    assert (plain.returncode, quiet.returncode) == (0, 0)
    (line,) = progress_lines(lines)
    assert re.match(r"5 of 6 s: 3 of 3 open, .* events/s, .* MB/s, delivery p50 .* ms p99 .* ms", line)
    assert without_progress(lines) == ""
