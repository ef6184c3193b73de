"""Compare every duration of `sse bench --llm` with the demo server's own log: one request, 500, and a busy core.

python -m benchmarks.llm_oracle [--rounds 3] [--save two-core-vm]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.demo_process import DemoProcess
from benchmarks.facts import facts
from benchmarks.llm_truth import Truth, nearest_rank
from benchmarks.processes import cores, pinned_to, raise_open_files
from benchmarks.saving import save, show_progress

ROUNDS = 3
PERCENTILES = (50, 99)
TOLERANCE_MS, TOLERANCE = 0.1, 0.01
"""A figure is right within 0.1 ms, or 1 % of the truth."""

SPIN = "while True: pass"


@dataclass(frozen=True, slots=True)
class Case:
    """A load, and whether another process takes half of the load generator's core."""

    title: str
    slots: int
    requests: int
    query: str
    is_busy: bool = False


CASES = (
    Case("1 request at a time", 1, 5, ""),
    Case("1 at a time, role at 50 ms, 16 tokens of reasoning, jitter", 1, 5, "role_at=0.05&reasoning=16&jitter=0.5"),
    # 500 x 50 tokens/s would fill the server's core.
    Case("500 at a time, 10 tokens/s each", 500, 1000, "rate=10"),
    Case("500 at a time, a busy core", 500, 1000, "rate=10", is_busy=True),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A percentile of one duration, as reported and as it was."""

    name: str
    reported_ms: float
    true_ms: float

    @property
    def is_right(self) -> bool:
        """Whether the difference is within the tolerance."""
        return abs(self.reported_ms - self.true_ms) <= max(TOLERANCE_MS, TOLERANCE * self.true_ms)


def compared(report: Mapping[str, Any], truth: Truth) -> Iterator[Compared]:
    """Yield the percentiles of each duration of a report."""
    for name, values in truth.durations_ms().items():
        latency = report["requests"].get(name) or report["llm"].get(name)
        for percentile in PERCENTILES:
            reported_ms = float("nan") if latency is None else latency[f"p{percentile}_ms"]
            yield Compared(f"{name}.p{percentile}", reported_ms, nearest_rank(sorted(values), percentile / 100))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.llm_oracle", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--save", metavar="MACHINE", help="write the report to results/, with this name of the machine")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    usable = cores()
    if len(usable) < 2:
        raise SystemExit("benchmarks.llm_oracle needs two cores, one for the server and one for the load generator")
    raise_open_files()
    known = facts(("sseclient-cli", "uvicorn", "fastapi"))
    found = {case: [_measured(case, usable[0], usable[1]) for _ in range(options.rounds)] for case in CASES}
    known["load after"] = " ".join(f"{load:.2f}" for load in os.getloadavg())
    text = "\n".join(_markdown(found, known))
    print(text)
    if options.save:
        measured = {case.title: [list(map(asdict, one.figures)) for one in rounds] for case, rounds in found.items()}
        save(f"{time.strftime('%Y-%m-%d')}-llm-oracle-{options.save}", text, {"facts": known, "cases": measured})


@dataclass(frozen=True, slots=True)
class Round:
    """One run of a case."""

    figures: list[Compared]
    core_percent: float
    read_delay_p99_ms: float
    estimated: float
    """The share of the chunks with an estimated arrival."""


def _measured(case: Case, server_core: int, own_core: int) -> Round:
    show_progress(case.title)
    with ExitStack() as stack:
        server = stack.enter_context(DemoProcess(server_core))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if case.is_busy:
            stack.enter_context(_spinning(own_core))
        report_file = folder / "run.json"
        url = f"http://127.0.0.1:{server.port}/v1/chat/completions?run=oracle&{case.query}"
        command = [
            *(sys.executable, "-m", "sseclient_cli", "bench", url, "--llm", "--no-preflight", "--quiet"),
            *("-c", str(case.slots), "--requests", str(case.requests), "--workers", "1", "--json", str(report_file)),
        ]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, preexec_fn=pinned_to(own_core))
        report = json.loads(report_file.read_text())
        truth = Truth.of(server.port, run="oracle")
    generator, llm = report["generator"], report["llm"]
    if llm["output_tokens"] != sum(one["tokens"] for one in truth.done) or len(truth.done) != case.requests:
        raise RuntimeError(f"{case.title}: the counts of tokens or requests differ")
    return Round(
        list(compared(report, truth)),
        generator["cpu_percent"][0],
        generator["read_delay"]["p99_ms"],
        llm["chunks_estimated"] / llm["chunks"],
    )


@contextmanager
def _spinning(core: int) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", SPIN], preexec_fn=pinned_to(core))
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _markdown(found: Mapping[Case, Sequence[Round]], known: Mapping[str, str]) -> Iterator[str]:
    yield "# Figures of LLM requests against the server's log\n"
    yield from (f"- {name}: {value}" for name, value in known.items())
    yield (
        "\nReported and true, ms, median of the rounds. The worst round is the largest difference, in percent of the "
        f"truth. A figure is right within {TOLERANCE_MS:g} ms or {TOLERANCE:.0%}.\n"
    )
    for case, rounds in found.items():
        load = ", ".join(f"{each.core_percent:.0f} %" for each in rounds)
        delay = ", ".join(f"{each.read_delay_p99_ms:.2g} ms" for each in rounds)
        estimated = ", ".join(f"{each.estimated:.1%}" for each in rounds)
        yield f"## {case.title}\n"
        yield f"Load generator: {load} of its core; read delay p99 {delay}; estimated arrivals {estimated}.\n"
        yield "| figure | reported | true | worst round | right |"
        yield "|---|---|---|---|---|"
        for each in zip(*(one.figures for one in rounds), strict=True):
            yield _row(each)
        yield ""


def _row(rounds: Sequence[Compared]) -> str:
    reported, true = (median(getattr(each, name) for each in rounds) for name in ("reported_ms", "true_ms"))
    worst = max(rounds, key=lambda each: abs(each.reported_ms - each.true_ms) / each.true_ms)
    right = sum(each.is_right for each in rounds)
    share = (worst.reported_ms - worst.true_ms) / worst.true_ms
    return f"| {rounds[0].name} | {reported:.3f} | {true:.3f} | {share:+.2%} | {right} of {len(rounds)} |"


if __name__ == "__main__":
    main()
