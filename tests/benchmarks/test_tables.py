"""The table shows the measured figures against the limit, and nothing else."""

from benchmarks.measuring import Outcome
from benchmarks.tables import markdown


def row(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {start} |"))


def test_costs_are_so_many_times_the_limit_and_speeds_a_share_of_it() -> None:
    text = markdown(
        {
            ("4000x10", "limit"): [Outcome({"cpu_us_per_event": 4.0})],
            ("4000x10", "other"): [Outcome({"cpu_us_per_event": 10.0})],
            ("opening", "limit"): [Outcome({"opened_per_s": 20_000.0})],
            ("opening", "other"): [Outcome({"opened_per_s": 5000.0})],
        },
        {"cores": "2"},
        [],
        [],
    )
    assert row(text, "limit") == "| limit | 4.00 us | 20,000 | – |"
    assert row(text, "other") == "| other | **2.50x** (10.00 us) | **25%** (5,000) | – |"


def test_rounds_become_their_median_and_their_spread() -> None:
    rounds = [Outcome({"cpu_us_per_event": value}) for value in (9.0, 10.0, 14.0)]
    text = markdown({("4000x10", "limit"): rounds}, {}, [], [])
    assert "| 10.00 us | 50% of 3 |" in text


def test_a_disturbed_round_is_left_out_and_that_is_said() -> None:
    rounds = [Outcome({"cpu_us_per_event": 10.0}), Outcome({"cpu_us_per_event": 2.0}, "disturbed: by a test")]
    text = markdown({("4000x10", "limit"): rounds}, {}, [], [])
    assert row(text, "limit").startswith(r"| limit | 10.00 us\* |")
    assert "1 of 2 rounds left out: disturbed" in text


def test_a_missing_figure_is_a_dash_with_the_reason() -> None:
    text = markdown({("blast", "other"): [Outcome({}, "not measured: it is not there")]}, {}, [], [])
    assert row(text, "other").count("–") == 2
    assert "not measured: it is not there" in text


def test_a_figure_with_a_note_has_a_star() -> None:
    text = markdown({("blast", "other"): [Outcome({"events_per_s": 10.0}, "disturbed")]}, {}, [], [])
    assert row(text, "other") == r"| other | 10\* | – |"


def test_a_reader_that_falls_behind_is_named() -> None:
    text = markdown(
        {
            ("12000x10", "limit"): [Outcome({"cpu_us_per_event": 4.0, "read_share": 1.0})],
            ("12000x10", "other"): [Outcome({"cpu_us_per_event": 8.0, "read_share": 0.6})],
        },
        {},
        [],
        [],
    )
    assert "**2.00x** (8.00 us, does not keep up)" in row(text, "other")
