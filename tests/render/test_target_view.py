"""The row of the summary with the target's own metrics."""

from __future__ import annotations

import pytest
from rich.console import Console

from sseclient_cli.render.terminal.target_view import target_facts
from sseclient_cli.report.target_model import TargetCpu, TargetFiles, TargetMemory, TargetMetrics

MEMORY = TargetMemory(
    before_bytes=49_500_000,
    steady_bytes=59_000_000,
    peak_bytes=59_100_000,
    after_bytes=59_000_000,
    kept_bytes=9_500_000,
    per_stream_bytes=47_800,
)
FILES = TargetFiles(before=9, peak=1209, after=9, kept=0)


def shown(
    width: int = 120,
    memory: TargetMemory | None = None,
    files: TargetFiles | None = None,
    cpu: TargetCpu | None = None,
) -> list[str]:
    target = TargetMetrics(memory=memory, files=files, cpu=cpu, sampled_after_s=2.1, sources=[])
    return [line.plain for line in target_facts(target).wrap(Console(), width)]


def test_memory_per_stream_comes_first() -> None:
    assert shown(memory=MEMORY, files=FILES, cpu=TargetCpu(mean_percent=17.4, peak_percent=61)) == [
        "47.8 kB per stream  memory 49.5 MB → 59.1 MB → 59.0 MB after  files 9 → 1,209 → 9 after",
        "CPU 17 % of a core (61 % at most)",
    ]


def test_narrow_terminal_breaks_between_figures() -> None:
    assert shown(51, memory=MEMORY, files=FILES) == [
        "47.8 kB per stream",
        "memory 49.5 MB → 59.1 MB → 59.0 MB after",
        "files 9 → 1,209 → 9 after",
    ]


def test_unknown_figures_are_left_out() -> None:
    memory = MEMORY.model_copy(update={"after_bytes": None, "kept_bytes": None, "per_stream_bytes": None})
    files = FILES.model_copy(update={"after": None, "kept": None})
    assert shown(memory=memory, files=files) == ["memory 49.5 MB → 59.1 MB  files 9 → 1,209"]
    assert shown() == ["not sampled"]


@pytest.mark.parametrize(("per_stream", "words"), [(-2_000, "-2.00 kB per stream"), (0, "0 bytes per stream")])
def test_memory_may_fall(per_stream: float, words: str) -> None:
    memory = MEMORY.model_copy(update={"per_stream_bytes": per_stream})
    assert shown(memory=memory)[0].startswith(f"{words}  ")
