"""The summary of real runs: its length, and its order."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from running_demo import Demo

from sseclient_cli.render.terminal.summary import summary
from sseclient_cli.report.model import Report


def bench(path: str, demo: Demo, *options: str) -> subprocess.CompletedProcess[str]:
    url = f"http://127.0.0.1:{demo.port}{path}"
    arguments = [sys.executable, "-m", "sseclient_cli", "bench", url, *options]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=50, check=False)


def text_of(report: Report) -> str:
    console = Console(width=80, file=StringIO(), highlight=False)
    with console.capture() as captured:
        console.print(summary(report))
    return captured.get()


def test_the_summary_of_a_healthy_run_fits_into_a_terminal_of_80x24(demo: Demo) -> None:
    done = bench("/load?rate=20", demo, "-n", "20", "-z", "2s", "-q", "--json", "-")
    assert done.returncode == 0, done.stderr
    report = Report.model_validate(json.loads(done.stdout))
    # A machine that runs other tests may be too busy: a pause of the generator is a part of the verdict.
    generator = report.generator.model_copy(update={"saturated": False, "loop_lag": None})
    text = text_of(report.model_copy(update={"generator": generator, "findings": []}))
    assert len(text.splitlines()) <= 23  # the prompt needs one
    assert "20 opened  0 failed" in text
    assert "delivery  ms" in text


def test_a_run_with_problems_has_them_between_the_verdict_and_the_counts(demo: Demo) -> None:
    path = "/faults?rate=50&drop=7&duplicate=9&run=summary"
    text = bench(path, demo, "-n", "5", "-z", "3s", "--sequence", "id").stdout
    lines = text.splitlines()
    assert lines[0].startswith("GET http://127.0.0.1")
    assert "bottleneck" in text[: text.index("\n\n")]
    places = [text.index(words) for words in ("bottleneck", "\nfault ", "→", "\nstreams ", "\naudit ", "\nms ")]
    assert places == sorted(places)
    assert "were lost, by the numbers in" in text
    assert "\x1b" not in text  # a pipe
    assert len(lines) <= 45


def test_a_file_gets_the_same_text_without_colours(demo: Demo, tmp_path: Path) -> None:
    file = tmp_path / "summary.txt"
    done = bench("/load?rate=20", demo, "-n", "5", "-z", "1s", "-o", str(file))
    assert done.stdout == ""
    text = file.read_text("utf-8")
    assert text.startswith("GET http://127.0.0.1")
    assert "5 opened  0 failed" in text
    assert "\x1b" not in text
