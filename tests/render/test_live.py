"""The live view of a run: a panel for each progress report."""

from __future__ import annotations

import io
from collections import Counter

from golden import Golden
from rich.console import Console

from sseclient_cli.measure.samples import Latency
from sseclient_cli.render.terminal.live import live_panel
from sseclient_cli.run.progress import Progress


def text_of(progress: Progress, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    with console.capture() as captured:
        console.print(live_panel(progress))
    return captured.get()


def test_a_run_under_way_reads_like_this(golden: Golden) -> None:
    progress = Progress(
        elapsed_s=2.5,
        duration_s=10,
        planned=4_000,
        opened=3_998,
        open_now=3_990,
        failed=2,
        events=123_456,
        events_per_s=39_900.4,
        recent={Latency.DELIVERY: Counter({70: 98, 1_500: 2}), Latency.GAP: Counter({100_000: 100})},
        errors={"connect-refused": 2, "http-503": 1_200},
    )
    golden("live", text_of(progress))


def test_a_run_that_has_just_started_shows_no_latency_and_no_errors(golden: Golden) -> None:
    progress = Progress(
        elapsed_s=0, duration_s=10, planned=500, opened=0, open_now=0, failed=0, events=0, events_per_s=0
    )
    golden("live-at-the-start", text_of(progress))


def test_many_kinds_of_errors_stay_one_line(golden: Golden) -> None:
    progress = Progress(
        elapsed_s=12,
        duration_s=10,
        planned=500,
        opened=500,
        open_now=0,
        failed=500,
        events=0,
        events_per_s=0,
        recent={Latency.GAP: Counter({100_000: 100})},
        errors={f"http-{status}": status for status in range(500, 512)},
    )
    golden("live-with-many-errors", text_of(progress, 60))
