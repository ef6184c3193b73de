"""The tables show the measured figures against the limit, and nothing else."""

from benchmarks.measuring import Outcome
from benchmarks.rounds import Rounds
from benchmarks.tables import markdown


def report(rounds: Rounds) -> str:
    return markdown(rounds, {"cores": "2"}, [], [], [])


def row(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {start} |"))


def test_costs_are_a_multiple_of_the_limit_and_speeds_a_share_of_it() -> None:
    text = report(
        {
            ("4000x10", "limit"): [Outcome({"cpu_us_per_event": 4.0})],
            ("4000x10", "other"): [Outcome({"cpu_us_per_event": 10.0})],
            ("opening", "limit"): [Outcome({"opened_per_s": 20_000.0})],
            ("opening", "other"): [Outcome({"opened_per_s": 5000.0})],
        }
    )
    assert row(text, "4,000 x 10/s, each event alone") == (
        "| 4,000 x 10/s, each event alone | 4.00 us | **2.50x** (10.00 us) |"
    )
    assert row(text, "opening 5,000 streams") == "| opening 5,000 streams | 20,000 | **25%** (5,000) |"


def test_rounds_become_their_median_and_their_spread() -> None:
    rounds = [Outcome({"cpu_us_per_event": value}) for value in (9.0, 10.0, 14.0)]
    assert "| 10.00 us | 50% of 3 |" in report({("4000x10", "limit"): rounds})


def test_a_disturbed_round_is_left_out_and_that_is_said() -> None:
    rounds = [Outcome({"cpu_us_per_event": 10.0}), Outcome({"cpu_us_per_event": 2.0}, "disturbed: by a test")]
    text = report({("4000x10", "limit"): rounds})
    assert row(text, "4,000 x 10/s, each event alone") == r"| 4,000 x 10/s, each event alone | 10.00 us\* |"
    assert "1 of 2 rounds left out: disturbed" in text


def test_a_reader_without_figures_has_no_column_but_a_reason() -> None:
    text = report(
        {
            ("blast-id-data", "limit"): [Outcome({"events_per_s_and_core": 10.0})],
            ("blast-id-data", "other"): [Outcome({}, "cannot be measured: it is not there")],
        }
    )
    assert row(text, "`id` `data`") == "| `id` `data` | 10 |"
    assert row(text, "other") == "| other | cannot be measured: it is not there |"


def test_a_figure_with_a_note_has_a_star() -> None:
    text = report({("blast-id-data", "other"): [Outcome({"events_per_s_and_core": 10.0}, "disturbed")]})
    assert row(text, "`id` `data`") == r"| `id` `data` | 10\* |"


def test_a_reader_that_falls_behind_is_named() -> None:
    text = report(
        {
            ("12000x10", "limit"): [Outcome({"cpu_us_per_event": 4.0, "read_share": 1.0})],
            ("12000x10", "other"): [Outcome({"cpu_us_per_event": 8.0, "read_share": 0.6})],
        }
    )
    assert "**2.00x** (8.00 us, does not keep up)" in row(text, "12,000 x 10/s")


def test_fixed_costs_have_their_own_table() -> None:
    text = report({("whole", "other"): [Outcome({"start_cpu_ms": 400.0, "end_cpu_ms": 90.0})]})
    assert row(text, "start: CPU until the first hundredth of the streams").endswith("| 400.000 ms |")
    assert row(text, "end and report: CPU").endswith("| 90.000 ms |")
