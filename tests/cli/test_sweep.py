"""`sse bench --sweep`: its steps, what ends it early, and its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import InProcess
from report_json import report_of
from run_reports import usual_run
from running_demo import Demo

from sseclient_cli.cli import steps
from sseclient_cli.cli.options.assertions import AssertionOptions
from sseclient_cli.cli.options.load import LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.searching import Loads, SearchOptions, parse_loads
from sseclient_cli.cli.sweep import loads_of
from sseclient_cli.cli.sweep_steps import SweepRun
from sseclient_cli.errors import LimitError
from sseclient_cli.report.model import Report
from sseclient_cli.report.requests_model import Llm, Requests
from sseclient_cli.report.step_model import StepStatus, Varied

Measure = Callable[[LoadOptions], Report]

CONNECTIONS = [LoadOptions(connections=count) for count in (1, 2, 4, 8)]


def measured(load: LoadOptions, *, interrupted: bool = False, saturated: bool = False) -> Report:
    """A run whose events per second are its load, and its p99 as many ms."""
    size = load.connections or load.rate_per_s or 0
    made = usual_run(rows=1)
    made["events"]["per_s"] = size
    made["latency"]["delivery"]["p99_ms"] = size
    made["run"]["interrupted"] = interrupted
    made["generator"] |= {"saturated": saturated, "reasons": ["worker 0 used 99 % of its core"] if saturated else []}
    return report_of(made)


def swept(
    measure: Measure,
    loads: list[LoadOptions] = CONNECTIONS,
    measurement: MeasurementOptions = MeasurementOptions(),  # noqa: B008 - frozen
    assertions: list[str] | None = None,
) -> SweepRun:
    run = SweepRun(loads, measurement, AssertionOptions(assertions=assertions), quiet=True)
    run.run(measure, lambda _step, _document: None)
    return run


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "PAUSE_S", 0)


def test_each_load_is_a_step_with_its_figures() -> None:
    run = swept(measured)
    document = run.document
    assert document is not None
    assert (run.exit_code, document.varied, document.loads) == (0, Varied.CONNECTIONS, [1, 2, 4, 8])
    assert [step.load for step in document.steps] == [1, 2, 4, 8]
    assert [column.name for column in document.columns] == ["events.per_s", "delivery.p50", "delivery.p99"]
    assert (document.throughput, document.latency) == ("events.per_s", "latency.delivery")
    for step in document.steps:
        assert step.values["events.per_s"] == step.values["latency.delivery.p99_ms"] == step.load
        assert step.values.keys() == {column.path for column in document.columns}


def test_steps_of_a_rate_have_the_time_to_the_first_event() -> None:
    document = swept(measured, [LoadOptions(rate_per_s=0.5), LoadOptions(rate_per_s=5.0)]).document
    assert document is not None
    assert (document.varied, [step.load for step in document.steps]) == (Varied.RATE, [0.5, 5])
    assert "latency.first_event.p99_ms" in document.steps[0].values


def test_without_timestamps_the_latency_is_the_gap() -> None:
    def measure(load: LoadOptions) -> Report:
        report = measured(load)
        return report.model_copy(update={"latency": report.latency.model_copy(update={"delivery": None})})

    document = swept(measure).document
    assert document is not None
    assert document.latency == "latency.gap"
    assert [column.name for column in document.columns] == ["events.per_s", "gap.p50", "gap.p99"]


def test_steps_of_an_llm_have_its_figures() -> None:
    def measure(load: LoadOptions) -> Report:
        report = measured(load)
        size = load.connections or 0
        first_token = report.latency.gap
        llm = Llm.model_construct(first_token=first_token, tpot=None, token_gap=None, tokens_per_s=None, goodput=None)
        requests = Requests.model_construct(
            succeeded=9, failed=size // 8, per_s=size / 2, duration=first_token, first_chunk=first_token
        )
        return report.model_copy(update={"llm": llm, "requests": requests})

    document = swept(measure).document
    assert document is not None
    # The server does not count the tokens, so that the throughput is that of the requests.
    assert (document.throughput, document.latency) == ("requests.per_s", "llm.first_token")
    assert [column.name for column in document.columns] == ["first_token.p50", "first_token.p99", "requests.per_s"]
    assert [step.values["requests.per_s"] for step in document.steps] == [0.5, 1, 2, 4]
    assert [step.reason for step in document.steps] == ["", "", "", "1 of 10 requests failed"]


def test_each_step_is_judged() -> None:
    run = swept(measured, assertions=["delivery.p99 < 3ms"])
    assert run.exit_code == 1
    assert run.document is not None
    assert [step.status for step in run.document.steps] == [*[StepStatus.PASSED] * 2, *[StepStatus.FAILED] * 2]
    assert run.document.steps[2].reason == "delivery.p99 < 3ms: 4 ms"
    assert swept(measured, assertions=["delivery.p99 < 9ms"]).exit_code == 0


def test_a_saturated_step_is_marked_and_its_latency_is_not_trusted(capfd: pytest.CaptureFixture[str]) -> None:
    def measure(load: LoadOptions) -> Report:
        return measured(load, saturated=load.connections == 8)

    run = swept(measure)
    assert run.document is not None
    assert (run.exit_code, run.document.steps[-1].status) == (0, StepStatus.SATURATED)
    assert swept(measure, assertions=["delivery.p99 < 9ms"]).exit_code == 1
    assert swept(measure, measurement=MeasurementOptions(strict=True)).exit_code == 4
    assert "at 8: the load generator was the bottleneck" in capfd.readouterr().err
    rising = {1: 1, 2: 1, 4: 2, 8: 80, 16: 3_000}

    def with_knee(load: LoadOptions) -> Report:
        made = measured(load, saturated=load.connections == 16)
        delivery = made.latency.delivery
        assert delivery is not None
        slower = delivery.model_copy(update={"p99_ms": float(rising[load.connections or 0])})
        return made.model_copy(update={"latency": made.latency.model_copy(update={"delivery": slower})})

    found = swept(with_knee, [LoadOptions(connections=count) for count in rising]).document
    assert found is not None
    assert found.knee == 4  # with the saturated step, it would be 8


@pytest.mark.parametrize("raises", [True, False])
def test_ctrl_c_keeps_the_steps_so_far(raises: bool) -> None:
    def measure(load: LoadOptions) -> Report:
        if load.connections == 4 and raises:  # in the pause before a step, or in its preparation
            raise KeyboardInterrupt
        return measured(load, interrupted=load.connections == 4)

    run = swept(measure)
    assert run.exit_code == 130
    assert run.document is not None
    assert [step.load for step in run.document.steps] == [1, 2]
    assert (run.document.interrupted, run.document.loads, run.document.reason) == (True, [1, 2, 4, 8], "interrupted")


def test_an_interrupted_first_step_leaves_no_document() -> None:
    run = swept(lambda load: measured(load, interrupted=True))
    assert (run.document, run.exit_code) == (None, 130)


def test_an_error_after_the_first_step_keeps_the_steps_so_far() -> None:
    def measure(load: LoadOptions) -> Report:
        if load.connections == 2:
            raise LimitError("too few files")
        return measured(load)

    run = swept(measure)
    assert str(run.error) == "too few files"
    assert run.document is not None
    assert ([step.load for step in run.document.steps], run.document.reason) == ([1], "too few files")
    with pytest.raises(LimitError):
        swept(measure, CONNECTIONS[1:])


@pytest.mark.parametrize(
    ("text", "loads"),
    [
        ("1,2, 8", Loads((1, 2, 8), are_rates=False)),
        ("1k", Loads((1000,), are_rates=False)),
        ("5/s,30/m", Loads((5, 0.5), are_rates=True)),
    ],
)
def test_loads_are_counts_or_rates(text: str, loads: Loads) -> None:
    assert parse_loads(text) == loads


def test_loads_are_rates_if_they_say_so() -> None:
    rates = SearchOptions(sweep=parse_loads("1/s,2/s"))
    assert loads_of(rates, LoadOptions()) == [LoadOptions(rate_per_s=1.0), LoadOptions(rate_per_s=2.0)]
    search = SearchOptions(sweep=parse_loads("1,2"))
    assert loads_of(search, LoadOptions()) == [LoadOptions(connections=1), LoadOptions(connections=2)]
    assert loads_of(SearchOptions(), LoadOptions()) == [LoadOptions()]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--sweep", "1,5/s"), "'1,5/s' has counts and rates: write it like 1,2,4,8 or 5/s,10/s"),
        (("--sweep", "1,,2"), "'' is not a count above zero"),
        (("--sweep", "0/s"), "'0/s' is not a rate"),
        (("--sweep", "1,2", "-n", "5"), "--connections and --sweep exclude each other"),
        (("--sweep", "1,2", "--rate", "5/s"), "--rate and --sweep exclude each other: give the rates to --sweep"),
        (("--sweep", "1", "--find-limit", "delivery.p99 < 1s"), "--find-limit and --sweep exclude each other"),
        (("--sweep", "1", "--against", "http://127.0.0.1:1/"), "--sweep and --against exclude each other"),
        (("--sweep", "1", "--vanish", "5%"), "--vanish and --sweep exclude each other"),
        (("--sweep", "1/s,2/s", "--ramp-up", "1s"), "--ramp-up and --rate exclude each other"),
        (("--sweep", "1,2000", "--requests", "1k"), "--requests 1,000 is fewer than the 2,000 at once of --sweep"),
        (("--sweep", "1", "-o", "x.csv"), "a sweep has no form with this suffix: use .json, .html, .txt"),
    ],
)
def test_wrong_options_are_refused_before_the_first_step(
    sse_in_process: InProcess, arguments: tuple[str, ...], words: str
) -> None:
    code, _, err = sse_in_process("bench", "http://127.0.0.1:1/", *arguments)
    assert code == 2
    assert words in err


def test_a_sweep_of_a_server_is_written_and_shown_again(
    shared_demo: Demo, tmp_path: Path, sse_in_process: InProcess
) -> None:
    url, file = f"http://127.0.0.1:{shared_demo.port}/load", tmp_path / "sweep.json"
    command = [sys.executable, "-m", "sseclient_cli", "bench", url, "--sweep", "1,3", "-z", "1s", "--json", str(file)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert made.returncode == 0, made.stderr
    document = json.loads(file.read_text("utf-8"))
    assert document["document"] == "sweep"
    assert [step["opened"] for step in document["steps"]] == [1, 3]
    assert all(step["values"]["events.per_s"] > 0 for step in document["steps"])
    assert "1 stream: passed, " in made.stderr
    code, out, _ = sse_in_process("report", str(file))
    assert (code, out) == (0, made.stdout)
    code, _, err = sse_in_process("compare", str(file), str(file))
    assert (code, f"{file} is not the report of a run: it is a sweep" in err) == (2, True)
