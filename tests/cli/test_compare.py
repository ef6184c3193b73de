"""``sse compare`` on files of reports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from comparisons import run_of

from sseclient_cli.report.model import Report
from sseclient_cli.report.read import to_json

COMMAND = [sys.executable, "-m", "sseclient_cli", "compare"]


def _compare(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    made = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in made.stderr
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the report of a run, of a like one, and of a slower one."""
    reports: dict[str, Report] = {"a.json": run_of(1), "like.json": run_of(2), "slow.json": run_of(3, slower=2)}
    for name, report in reports.items():
        (tmp_path / name).write_text(to_json(report), "utf-8")
    return tmp_path


def test_comparison_is_printed(folder: Path) -> None:
    made = _compare(folder, "a.json", "slow.json")
    assert (made.returncode, made.stderr) == (0, "")
    assert "B against A: " in made.stdout
    assert "delivery.p50" in made.stdout
    assert "\x1b" not in made.stdout


def test_figure_that_is_worse_beyond_limit_and_noise_is_exit_code_1(folder: Path) -> None:
    made = _compare(folder, "a.json", "slow.json", "--fail-if-worse", "10%", "-q")
    assert (made.returncode, made.stdout) == (1, "")
    assert "sse: delivery.p50 is worse in slow.json: " in made.stderr
    assert _compare(folder, "a.json", "slow.json", "--fail-if-worse", "300%").returncode == 0
    assert _compare(folder, "slow.json", "a.json", "--fail-if-worse", "10%").returncode == 0


def test_noise_is_exit_code_0(folder: Path) -> None:
    made = _compare(folder, "a.json", "like.json", "--fail-if-worse", "0%")
    assert (made.returncode, made.stderr) == (0, "")


def test_json_on_stdout_moves_the_table_to_stderr(folder: Path) -> None:
    made = _compare(folder, "a.json", "like.json", "slow.json", "--json", "-")
    document = json.loads(made.stdout)
    assert document["document"] == "comparison"
    assert document["names"] == ["a.json", "like.json", "slow.json"]
    assert "C against A" in made.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.json"], "a comparison needs two reports or more"),
        (["a.json", "missing.json"], "cannot read missing.json: no such file"),
        (["a.json", "."], "cannot read .: is a directory"),
        (["a.json", "text"], "text is not a report: it is not JSON"),
        (["a.json", "binary"], "binary is not a report: it is not UTF-8"),
        (["a.json", "like.json", "--fail-if-worse", "10"], "write it like --fail-if-worse 10%"),
        (["a.json", "like.json", "--fail-if-worse", "nan%"], "write it like --fail-if-worse 10%"),
        (["a.json", "like.json", "--fail-if-worse=-5%"], "write it like --fail-if-worse 10%"),
        (["a.json", "like.json", "--json", "missing/x.json"], "cannot write missing/x.json"),
    ],
)
def test_wrong_input_is_a_usage_error(folder: Path, arguments: list[str], words: str) -> None:
    (folder / "text").write_text("no json")
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    made = _compare(folder, *arguments)
    assert (made.returncode, made.stdout) == (2, "")
    assert words in made.stderr
    assert made.stderr.count("\n") == 1


def test_help_has_examples(folder: Path) -> None:
    made = _compare(folder, "--help")
    assert made.returncode == 0
    assert "sse compare main.json branch.json --fail-if-worse 10%" in made.stdout
