"""The comparison of viewers: each figure comes from a real viewer and a real source."""

from __future__ import annotations

import shutil
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("the yardstick needs epoll", allow_module_level=True)

from benchmarks.building import build, compiler
from benchmarks.event_source import EventSource
from benchmarks.measuring import Outcome
from benchmarks.viewers import Viewer, markdown, measure

if compiler() is None:
    pytest.skip("the yardstick needs a C compiler", allow_module_level=True)


def test_a_viewer_has_every_figure_and_a_broken_one_has_a_reason() -> None:
    curl = shutil.which("curl")
    assert curl
    build()
    with EventSource(None) as source:
        good = measure(Viewer("curl", [curl, "-sN"]), source, 0, 0.2)
        bad = measure(Viewer("none", [curl, "--no-such-option"]), source, 0, 0.2)
    assert good.figures["events_per_s"] > 0
    assert good.figures["cpu_us_per_event"] * good.figures["events_per_s_and_core"] == pytest.approx(1e6)
    assert 0 < good.figures["first_event_s"] < 60
    assert (bad.figures, bad.note) == ({}, "it shows no event")


def test_the_table_has_ratios_to_the_first_viewer() -> None:
    def figures(rate: float) -> Outcome:
        return Outcome(
            {"events_per_s_and_core": rate, "first_event_s": 0.5, "rss_mib": 10, "cpu_us_per_event": 1e6 / rate}
        )

    text = markdown({"curl -N": [figures(1000), figures(1000)], "other": [figures(100), Outcome({}, "it failed")]}, {})
    assert "| other | 100 (0.10x) | 10000.00 us (10.00x) | 10 MiB | 0.50 s |" in text
    assert "- other: it failed" in text
