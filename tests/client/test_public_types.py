"""The public API is typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def mypy(*arguments: str) -> str:
    command = [sys.executable, "-m", "mypy", "--strict", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_the_type_checker_accepts_correct_calls_and_rejects_wrong_ones() -> None:
    assert mypy("tests/public_types.py").startswith("Success")


def test_the_type_checker_reports_an_error(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from sseclient_cli import SyncEventSource\n\nnumber: int = SyncEventSource('http://a/').url\n")
    assert "[assignment]" in mypy(str(wrong))
