"""What a way to push costs: the table says what was measured, and the measurement works from start to end."""

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
from benchmarks.push_measuring import WAYS, Cores, Sizes, falls_behind, measure, note
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


def test_the_table_has_the_median_the_ratio_and_the_spread() -> None:
    text = markdown(
        {(Kind.PACED, "/load"): reached(40, 40, 50), (Kind.PACED, "/stream"): reached(10, 20, 20)}, SIZES, {}
    )
    assert row(text, "/stream") == "| /stream | – | – | 20 (0.40x, spread 50% of 3) | – |"
    assert row(text, "/load") == "| /load | – | – | 40 (spread 25% of 3) | – |"


def test_a_ratio_is_that_of_the_same_round() -> None:
    assert ratio_to_base(cpu(10, 40, 90), cpu(10, 20, 30), "cpu_us_per_event") == 2
    assert ratio_to_base(cpu(10), [Outcome({}, "it did not start")], "cpu_us_per_event") is None


def test_a_ratio_leaves_rounds_out_in_which_either_was_disturbed() -> None:
    own = [*cpu(30), *cpu(900, note="disturbed: by a test"), *cpu(30)]
    base = [*cpu(10), *cpu(10), *cpu(1, note="disturbed: by a test")]
    assert ratio_to_base(own, base, "cpu_us_per_event") == 3


def test_a_single_round_has_no_spread() -> None:
    assert spread(cpu(10), "cpu_us_per_event") == ""


def test_a_way_that_does_not_keep_up_has_no_cost_per_event_but_what_it_reaches() -> None:
    figures = {"cpu_us_per_event": 198.0, "events_per_s": 5000.0, "events_per_s_and_core": 5050.0}
    figures |= {"sent_share": 0.5, "cpu_percent": 99.0}
    outcome = Outcome(figures, note(figures))
    assert outcome.note == "does not keep up: its core is full, and it falls behind by 0.50 s each second"
    text = markdown({(Kind.PACED, "/native"): [outcome]}, SIZES, {})
    assert row(text, "/native") == r"| /native | – | does not keep up: 5,000 events/s\* | 5,050\* | – |"


def test_a_full_core_is_late_even_where_it_catches_up_for_a_moment() -> None:
    assert falls_behind({"sent_share": 1.1, "cpu_percent": 99.0})
    assert not falls_behind({"sent_share": 0.999, "cpu_percent": 80.0})
    assert not falls_behind({"cpu_percent": 100.0})  # full blast


def test_what_makes_a_figure_doubtful_is_noted() -> None:
    assert (
        note({"others_cpu_percent": 12.0, "sent_share": 0.5, "cpu_percent": 50.0})
        == "disturbed: others used 12 % of its core"
    )
    assert note({"reader_core_percent": 98.0, "cpu_percent": 70.0}) == (
        "the reader's core was full, the server's for 70 %"
    )
    assert note({"others_cpu_percent": 1.0, "sent_share": 0.999, "cpu_percent": 50.0}) is None


def test_ways_are_chosen_by_name_and_the_base_is_always_measured() -> None:
    assert [way.name for way in chosen("/stream,ws")] == ["/load", "/ws", "/stream"]
    assert chosen(None) == list(WAYS)
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
def test_a_websocket_is_measured_like_the_others(kind: Kind) -> None:
    (_, way) = chosen("ws")
    outcome = measure(kind, way, SMALL, Cores(None, None))
    assert outcome.figures, outcome.note
    if kind is not Kind.IDLE:
        assert outcome.figures["events_per_s"] > 0
        assert outcome.figures["cpu_us_per_event"] > 0


@pytest.mark.usefixtures("built")
def test_a_channel_is_published_to() -> None:
    (_, way) = chosen("channels")
    outcome = measure(Kind.PACED, way, SMALL, Cores(None, None))
    assert outcome.figures.get("events_per_s", 0) > 0, outcome.note


@pytest.mark.usefixtures("built")
def test_a_way_that_is_not_there_says_so() -> None:
    (way,) = chosen("load")
    gone = type(way)("/gone", "/gone?rate=10", "/gone", "/gone?interval=0")
    outcome = measure(Kind.BLAST, gone, SMALL, Cores(None, None))
    assert not outcome.figures
    assert "it ended after it had opened 0 streams" in (outcome.note or "")


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 2 before it served: .*--nonsense"):
        DemoProcess(None, (*COMMAND, "--nonsense"))


def test_an_unknown_way_is_refused_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.push_endpoints", "--ways", "strem"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "'strem' is none of: source in C, load," in done.stderr
