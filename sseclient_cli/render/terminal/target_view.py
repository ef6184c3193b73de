"""The row of the summary with the target's own metrics."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from sseclient_cli.render.quantities import size
from sseclient_cli.render.terminal.rows import Facts
from sseclient_cli.report.target_model import TargetMemory, TargetMetrics


def target_facts(target: TargetMetrics) -> Facts:
    """Return memory, files and CPU of the target."""
    facts = list(_facts(target))
    return Facts(*(facts or [Text("not sampled", "yellow")]))


def _facts(target: TargetMetrics) -> Iterator[Text]:
    memory, files, cpu = target.memory, target.files, target.cpu
    if memory is not None:
        yield from _memory(memory)
    if files is not None:
        after = "" if files.after is None else f" → {files.after:,} after"
        yield Text(f"files {files.before:,} → {files.peak:,}{after}")
    if cpu is not None:
        yield Text(f"CPU {cpu.mean_percent:.0f} % of a core ({cpu.peak_percent:.0f} % at most)")


def _memory(memory: TargetMemory) -> Iterator[Text]:
    if memory.per_stream_bytes is not None:
        yield Text(f"{_signed(memory.per_stream_bytes)} per stream")
    after = "" if memory.after_bytes is None else f" → {size(memory.after_bytes)} after"
    yield Text(f"memory {size(memory.before_bytes)} → {size(memory.peak_bytes)}{after}")


def _signed(count: float) -> str:
    return f"-{size(-count)}" if count < 0 else size(count)
