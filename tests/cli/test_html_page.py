"""`--html`: the page of a run, written by a command and read by another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from running_demo import Demo

SSE = [sys.executable, "-m", "sseclient_cli"]


def sse(*arguments: str | Path) -> tuple[int, str, str]:
    done = subprocess.run([*SSE, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(name="pages", scope="module")
def two_pages(shared_demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the JSON report and the page of one run."""
    folder = tmp_path_factory.mktemp("pages")
    json_file, page = folder / "run.json", folder / "run.html"
    options = ("-n", "4", "-z", "1s", "-q", "--workers", "1")
    code, _, err = sse(
        "bench", f"http://127.0.0.1:{shared_demo.port}/load", *options, "--json", json_file, "--html", page
    )
    assert (code, err) == (0, "")
    return json_file, page


def test_a_run_writes_its_page(pages: tuple[Path, Path]) -> None:
    text = pages[1].read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "/load</h1>" in text


def test_the_page_is_read_back_as_the_report(pages: tuple[Path, Path], tmp_path: Path) -> None:
    json_file, page = pages
    again = tmp_path / "again.json"
    assert sse("report", page, "--json", again, "-q")[0] == 0
    assert json.loads(again.read_text()) == json.loads(json_file.read_text())


def test_the_page_of_a_saved_report_is_that_of_its_run(pages: tuple[Path, Path]) -> None:
    json_file, page = pages
    code, out, _ = sse("report", json_file, "--html", "-")
    assert (code, out) == (0, page.read_text("utf-8"))


def test_pages_are_compared_and_the_comparison_is_a_page(pages: tuple[Path, Path], tmp_path: Path) -> None:
    made = tmp_path / "comparison.html"
    assert sse("compare", pages[1], pages[0], "-q", "--html", made)[0] == 0
    assert "Comparison of 2 runs" in made.read_text("utf-8")


def test_a_damaged_page_is_an_error_in_one_line(pages: tuple[Path, Path], tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.html"
    damaged.write_text(pages[1].read_text("utf-8").replace("H4sI", "AAAA"), "utf-8")
    code, _, err = sse("report", damaged)
    assert (code, err.count("\n")) == (2, 1)
    assert "damaged.html is damaged: its document cannot be read" in err


def test_a_page_that_cannot_be_written_is_an_error_before_the_run(tmp_path: Path) -> None:
    code, _, err = sse("bench", "http://127.0.0.1:9/", "--html", tmp_path / "no-folder" / "page.html")
    assert code == 2
    assert "cannot write" in err
