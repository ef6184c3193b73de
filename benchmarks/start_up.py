"""The start of `sse`: the time of its help, and of `sse watch` to the first event, each with its bar."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.measuring import Outcome
from benchmarks.processes import pinned_to

HELP_BAR_S = 0.15
WATCH_BAR_S = 0.35
"""More than `curl -N`, in the same run."""

BASE, WATCH = "curl -N", "sse watch"
COMMANDS = ("--version", "--help", "watch --help", "bench --help")


def measure_commands(core: int) -> dict[str, dict[str, float]]:
    """Return the time, and the CPU time, of each command that shows a text and ends."""
    sse = str(Path(sys.executable).with_name("sse"))
    return {command: _measured([sse, *command.split()], core) for command in COMMANDS}


def _measured(command: list[str], core: int) -> dict[str, float]:
    began_s, used_s = time.monotonic(), _children_s()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, preexec_fn=pinned_to(core))
    return {"took_s": time.monotonic() - began_s, "cpu_s": _children_s() - used_s}


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def start_up_lines(commands: list[dict[str, dict[str, float]]], rounds: Mapping[str, list[Outcome]]) -> Iterator[str]:
    """Return the section of the report: medians of the rounds, and whether each bar holds."""
    yield from ("## Start", "", "| command | time | CPU time | bar |", "|---|---|---|---|")
    for command in COMMANDS:
        took_s, cpu_s = (statistics.median(each[command][name] for each in commands) for name in ("took_s", "cpu_s"))
        yield f"| sse {command} | {took_s:.3f} s | {cpu_s:.3f} s | {_against(took_s, HELP_BAR_S)} |"
    starts = {
        name: [outcome.figures["first_event_s"] for outcome in rounds.get(name, []) if outcome.figures]
        for name in (BASE, WATCH)
    }
    if all(starts.values()):
        more_s = statistics.median(starts[WATCH]) - statistics.median(starts[BASE])
        yield f"| {WATCH}, first event later than {BASE} | {more_s:.3f} s | | {_against(more_s, WATCH_BAR_S)} |"
    yield ""


def _against(took_s: float, bar_s: float) -> str:
    return f"{bar_s:.2f} s: {'holds' if took_s <= bar_s else 'does not hold'}"
