"""The cost of push endpoints: the tables show the figures, and the measurement works end to end."""

import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the yardstick needs epoll", allow_module_level=True)

from benchmarks.building import build, compiler
from benchmarks.demo_process import COMMAND, DemoProcess
from benchmarks.measuring import Outcome
from benchmarks.processes import raise_open_files
from benchmarks.push_endpoints import chosen
from benchmarks.push_measuring import ENDPOINTS, Cores, Sizes, falls_behind, measure, note
from benchmarks.push_tables import markdown, ratio_to_base, spread
from benchmarks.workloads import Kind

SIZES = Sizes(window_s=0.5, streams=1000, idle_streams=(100, 2000))
SMALL = Sizes(window_s=0.5, streams=300, idle_streams=(5, 25))


def row(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {start} |"))


def cpu(*values: float, note: str | None = None) -> list[Outcome]:
    return [Outcome({"cpu_us_per_event": value}, note) for value in values]


def reached(*values: float) -> list[Outcome]:
    return [Outcome({"events_per_s_and_core": value}) for value in values]


def test_summary_has_median_ratio_and_spread() -> None:
    text = markdown(
        {(Kind.PACED, "/load"): reached(40, 40, 50), (Kind.PACED, "/stream"): reached(10, 20, 20)}, SIZES, {}
    )
    assert row(text, "/stream") == "| /stream | – | – | 20 (0.40x, spread 50% of 3) | – |"
    assert row(text, "/load") == "| /load | – | – | 40 (spread 25% of 3) | – |"


def test_ratio_compares_figures_of_the_same_round() -> None:
    assert ratio_to_base(cpu(10, 40, 90), cpu(10, 20, 30), "cpu_us_per_event") == 2
    assert ratio_to_base(cpu(10), [Outcome({}, "it did not start")], "cpu_us_per_event") is None


def test_ratio_ignores_disturbed_rounds() -> None:
    own = [*cpu(30), *cpu(900, note="disturbed: by a test"), *cpu(30)]
    base = [*cpu(10), *cpu(10), *cpu(1, note="disturbed: by a test")]
    assert ratio_to_base(own, base, "cpu_us_per_event") == 3


def test_single_round_has_no_spread() -> None:
    assert spread(cpu(10), "cpu_us_per_event") == ""


def test_endpoint_that_does_not_keep_up_has_events_per_s_but_no_cost_per_event() -> None:
    figures = {"cpu_us_per_event": 198.0, "events_per_s": 5000.0, "events_per_s_and_core": 5050.0}
    figures |= {"sent_share": 0.5, "cpu_percent": 99.0}
    outcome = Outcome(figures, note(figures))
    assert outcome.note == "does not keep up: its core is full, and it falls behind by 0.50 s each second"
    text = markdown({(Kind.PACED, "/native"): [outcome]}, SIZES, {})
    assert row(text, "/native") == r"| /native | – | does not keep up: 5,000 events/s\* | 5,050\* | – |"


def test_full_core_falls_behind_even_if_it_catches_up_briefly() -> None:
    assert falls_behind({"sent_share": 1.1, "cpu_percent": 99.0})
    assert not falls_behind({"sent_share": 0.999, "cpu_percent": 80.0})
    assert not falls_behind({"cpu_percent": 100.0})  # full speed


def test_doubtful_figures_have_a_note() -> None:
    assert (
        note({"others_cpu_percent": 12.0, "sent_share": 0.5, "cpu_percent": 50.0})
        == "disturbed: others used 12 % of its core"
    )
    assert note({"reader_core_percent": 98.0, "cpu_percent": 70.0}) == (
        "the reader's core was full, the server's for 70 %"
    )
    assert note({"others_cpu_percent": 1.0, "sent_share": 0.999, "cpu_percent": 50.0}) is None


def test_endpoints_are_chosen_by_name_and_the_base_is_always_measured() -> None:
    assert [endpoint.name for endpoint in chosen("/stream,ws")] == ["/load", "/ws", "/stream"]
    assert chosen(None) == list(ENDPOINTS)
    with pytest.raises(LookupError, match="'strem' is none of"):
        chosen("strem")


@pytest.fixture(scope="module")
def built() -> None:
    if compiler() is None:
        pytest.skip("the yardstick is written in C, and there is no gcc here")
    build()
    raise_open_files()


@pytest.mark.parametrize("kind", [Kind.BLAST, Kind.PACED, Kind.IDLE])
@pytest.mark.usefixtures("built")
def test_websocket_is_measured_like_other_endpoints(kind: Kind) -> None:
    (_, endpoint) = chosen("ws")
    outcome = measure(kind, endpoint, SMALL, Cores(None, None))
    assert outcome.figures, outcome.note
    if kind is not Kind.IDLE:
        assert outcome.figures["events_per_s"] > 0
        assert outcome.figures["cpu_us_per_event"] > 0


@pytest.mark.usefixtures("built")
def test_channel_is_measured_with_published_events() -> None:
    (_, endpoint) = chosen("channels")
    outcome = measure(Kind.PACED, endpoint, SMALL, Cores(None, None))
    assert outcome.figures.get("events_per_s", 0) > 0, outcome.note


@pytest.mark.usefixtures("built")
def test_missing_endpoint_is_reported() -> None:
    (endpoint,) = chosen("load")
    gone = type(endpoint)("/gone", "/gone?rate=10", "/gone", "/gone?interval=0")
    outcome = measure(Kind.BLAST, gone, SMALL, Cores(None, None))
    assert not outcome.figures
    assert "it ended after it had opened 0 streams" in (outcome.note or "")


def test_failed_start_of_the_server_is_reported_with_its_error() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 2 before it served: .*--nonsense"):
        DemoProcess(None, (*COMMAND, "--nonsense"))


def test_unknown_endpoint_is_refused_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.push_endpoints", "--endpoints", "strem"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "'strem' is none of: source in C, load," in done.stderr
