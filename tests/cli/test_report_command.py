"""`sse report`: shows and merges the documents of real runs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from demo_server_processes import demo_server_process

from sseclient_cli.cli.options.output import DocumentOutputOptions
from sseclient_cli.cli.outputs import opened
from sseclient_cli.errors import OutputError
from sseclient_cli.report.model import Report
from sseclient_cli.report.read import from_json

COMMAND = [sys.executable, "-m", "sseclient_cli"]


def _sse(*arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    made = subprocess.run(
        [*COMMAND, *map(str, arguments)], input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in made.stderr
    return made


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs against one server, one after the other: shards of a larger load."""
    folder = tmp_path_factory.mktemp("runs")
    files = folder / "one.json", folder / "two.json"
    with demo_server_process("127.0.0.1") as url:
        for file in files:
            made = _sse("bench", f"{url}/load?rate=20", "-n", "5", "-z", "2s", "--json", file, "-q")
            assert made.returncode == 0, made.stderr
    return files


def _figures(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_one_report_is_shown_as_after_its_run(runs: tuple[Path, Path]) -> None:
    made = _sse("report", runs[0])
    assert (made.returncode, made.stderr) == (0, "")
    assert "5 opened  0 failed" in made.stdout


def test_merged_counts_and_percentiles_are_those_of_both_runs(runs: tuple[Path, Path], tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    assert _sse("report", *runs, "--json", file, "-q").returncode == 0
    one, two, both = (_figures(path) for path in (*runs, file))
    for part, name in (("streams", "opened"), ("events", "received"), ("events", "bytes")):
        assert both[part][name] == one[part][name] + two[part][name]
    ours, first, second = (document["latency"]["delivery"] for document in (both, one, two))
    assert ours["count"] == first["count"] + second["count"]
    assert min(first["p50_ms"], second["p50_ms"]) <= ours["p50_ms"] <= max(first["p50_ms"], second["p50_ms"])
    assert (both["run"]["reports"], both["run"]["plan"]["connections"]) == (2, 10)
    assert _sse("report", file).returncode == 0


def test_other_plan_is_refused_and_force_says_so(runs: tuple[Path, Path], tmp_path: Path) -> None:
    other = _figures(runs[1])
    other["run"]["plan"]["storm_s"] = 1.5
    file = tmp_path / "storm.json"
    file.write_text(json.dumps(other))
    refused = _sse("report", runs[0], file)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "do not belong together: the plans differ: storm_s is None and 1.5; --force merges" in refused.stderr
    forced = _sse("report", runs[0], file, "--force")
    assert forced.returncode == 0
    assert "2 reports were merged that do not belong together" in " ".join(forced.stdout.split())


def test_same_run_twice_is_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    copy.write_text(runs[0].read_text())
    made = _sse("report", runs[0], runs[1], copy)
    assert (made.returncode, made.stdout) == (2, "")
    assert f"{runs[0]} and {copy} are the same run: its events would count twice" in made.stderr
    assert _sse("report", runs[0], copy, "--force", "-q").returncode == 0


def test_form_that_fails_does_not_cost_the_others(runs: tuple[Path, Path], tmp_path: Path) -> None:
    failing, kept = tmp_path / "a.tls.hgrm", tmp_path / "a.json"
    made = _sse("report", runs[0], "-o", failing, "-o", kept)
    assert made.returncode == 2
    assert made.stderr == f"sse: could not make {failing}: tls was not measured, because no TLS handshake took place\n"
    assert "5 opened" in made.stdout
    assert (failing.exists(), kept.exists()) == (False, True)


def test_bug_of_a_renderer_does_not_cost_the_others(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_report: Report) -> str:
        raise RecursionError("a bug")

    monkeypatch.setattr("sseclient_cli.render.export.junit.junit", broken)
    report = from_json(runs[0].read_text(), "run")
    options = DocumentOutputOptions(output_files=[tmp_path / "a.xml", tmp_path / "a.json"], quiet=True)
    with opened(options, "report") as outputs, pytest.raises(OutputError, match=r"a\.xml: RecursionError: a bug"):
        outputs.write(report)
    assert (tmp_path / "a.json").exists()


def test_unknown_latency_in_a_name_is_an_error_before_anything_is_written(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    made = _sse("report", runs[0], "-o", tmp_path / "a.foo.hgrm", "-o", tmp_path / "a.json")
    assert (made.returncode, made.stdout) == (2, "")
    assert "no latency is named 'foo'" in made.stderr
    assert not (tmp_path / "a.json").exists()


def test_report_is_read_from_stdin(runs: tuple[Path, Path]) -> None:
    assert "5 opened" in _sse("report", "-", given=runs[0].read_text()).stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("not JSON", "it is not JSON"),
        ("[" * 200_000, "it is not JSON"),
        ("[1]", "it has no schema number"),
        ('{"schema": 1}', "has schema 1, but this version reads only schema 2"),
        ('{"schema": 2, "document": "poem"}', "a kind that this version does not know: poem"),
        ('{"schema": 2}', "is not a valid report: tool: Field required"),
    ],
)
def test_file_that_is_no_document_is_one_line(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    made = _sse("report", file)
    assert (made.returncode, made.stdout, made.stderr.count("\n")) == (2, "", 1)
    assert words in made.stderr


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    made = _sse("report", tmp_path / "none.json")
    assert (made.returncode, made.stderr) == (
        2,
        f"sse: cannot read {tmp_path / 'none.json'}: no such file or directory\n",
    )


def test_each_suffix_is_a_format(runs: tuple[Path, Path], tmp_path: Path) -> None:
    names = ["a.json", "a.csv", "a.xml", "a.hgrm", "a.gap.hgrm", "a.prom", "a.txt"]
    made = _sse("report", runs[0], *(part for name in names for part in ("-o", str(tmp_path / name))))
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    begins = {name: (tmp_path / name).read_text().lstrip()[:12] for name in names}
    assert begins["a.json"].startswith("{")
    assert begins["a.csv"].startswith("t_s,open,")
    assert begins["a.xml"].startswith("<testsuites>")
    assert begins["a.hgrm"].startswith("Value")
    assert (tmp_path / "a.hgrm").read_text() != (tmp_path / "a.gap.hgrm").read_text()
    assert begins["a.prom"].startswith("# TYPE sse_")
    assert "http://" in begins["a.txt"]


def test_unknown_suffix_lists_the_known_ones(runs: tuple[Path, Path], tmp_path: Path) -> None:
    made = _sse("report", runs[0], "-o", tmp_path / "a.jsn")
    assert made.returncode == 2
    assert "a report has no form with this suffix: use .json, .html, .csv, .xml, .hgrm, .prom" in made.stderr


def test_assertion_on_a_file_is_exit_code_1(runs: tuple[Path, Path]) -> None:
    made = _sse("report", runs[0], "--assert", "streams.opened == 6", "-q")
    assert (made.returncode, made.stdout) == (1, "")
    assert "assertion failed: streams.opened == 6" in made.stderr
