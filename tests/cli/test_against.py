"""`sse bench A --against B`: one run with two targets, on servers whose difference is known."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from in_process import InProcess
from real_servers import serving_app

COMMAND = [sys.executable, "-m", "sseclient_cli", "bench"]


@pytest.fixture(name="server")
def delayed_server() -> Iterator[str]:
    with serving_app("delayed") as url:
        yield url


def _bench(file: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    command = [*COMMAND, *arguments, "--json", str(file), "--no-tui"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in made.stderr
    return made, json.loads(file.read_text())


def _verdicts(document: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["changes"][0]["verdict"] for each in document["differences"]}


@pytest.mark.timeout(150)
def test_delayed_target_is_found_with_the_right_sign(server: str, tmp_path: Path) -> None:
    def check(a: str, b: str, verdict: str) -> None:
        urls = f"{server}/?{a}", "--against", f"{server}/?{b}"
        made, document = _bench(tmp_path / f"{verdict}.json", *urls, "-n", "4", "-z", "8s")
        assert made.returncode == 0, made.stderr
        assert document["document"] == "comparison"
        assert _verdicts(document)["delivery.p50"] in (verdict, "unclear")  # a busy machine leaves too few full rows
        before, after = (report["latency"]["delivery"]["p50_ms"] for report in document["reports"])
        assert (after - before > 400) if verdict == "worse" else (before - after > 400)
        assert [each["run"]["target"]["url"] for each in document["reports"]] == document["names"]

    with ThreadPoolExecutor() as pool:  # both at once: they mostly wait
        list(pool.map(check, ("a=1", "late_s=0.5"), ("late_s=0.5", "b=1"), ("worse", "better")))


@pytest.mark.timeout(150)
def test_same_target_on_both_sides_shows_no_difference(server: str, tmp_path: Path) -> None:
    urls = f"{server}/?a=1", "--against", f"{server}/?b=1"
    made, document = _bench(tmp_path / "aa.json", *urls, "-n", "4", "-z", "8s")
    assert made.returncode == 0, made.stderr
    verdicts = _verdicts(document)
    assert verdicts["streams.failed"] == "same"
    assert {"delivery.p50", "gap.p50", "events.per_s"} <= verdicts.keys()
    assert set(verdicts.values()) <= {"same", "unclear"}


@pytest.mark.timeout(150)
def test_counts_of_both_sides_are_those_of_the_server_with_several_workers(server: str, tmp_path: Path) -> None:
    urls = f"{server}/?a=1", "--against", f"{server}/?b=1"
    made, document = _bench(tmp_path / "ab.json", *urls, "-n", "7", "-z", "2s", "--workers", "2", "--no-preflight")
    assert made.returncode == 0, made.stderr
    with urlopen(f"{server}/log") as answer:
        assert json.load(answer) == {"a=1": 7, "b=1": 7}
    for report in document["reports"]:
        assert report["streams"]["opened"] == report["streams"]["open_at_end"] == 7
        assert report["run"]["workers"] == len(report["generator"]["cpu_percent"]) == 2
        assert report["audit"]["lost"] == 0


@pytest.mark.timeout(150)
def test_target_that_refuses_does_not_hide_the_other(server: str, tmp_path: Path) -> None:
    urls = f"{server}/?a=1", "--against", f"{server}/?refuse=1"
    made, document = _bench(tmp_path / "ab.json", *urls, "-n", "3", "-z", "2s", "--no-preflight")
    assert made.returncode == 3
    assert f"sse: B ({server}/?refuse=1): no stream could be used" in made.stderr
    assert [report["streams"]["opened"] for report in document["reports"]] == [3, 0]
    assert [report["streams"]["failed"] for report in document["reports"]] == [0, 3]


@pytest.mark.parametrize(
    "options",
    [
        ("--find-limit", "delivery.p99 < 1ms"),
        ("--from", "run.json"),
        ("--assert", "streams.failed == 0", "--abort-on-fail"),
        ("--pid", "1"),
        ("--scrape", "http://127.0.0.1:1/"),
    ],
)
def test_options_for_one_target_are_refused(sse_in_process: InProcess, options: tuple[str, ...]) -> None:
    code, _, err = sse_in_process("bench", "http://127.0.0.1:1/", "--against", "http://127.0.0.1:2/", *options)
    assert code == 2
    assert "and --against exclude each other" in err
