"""Runs the readers over the workloads, and writes the results.

python -m benchmarks [--quick] [--rounds 3] [--readers limit,sse\\ bench] [--workloads 4000x10,blast] [--no-bars]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from dataclasses import asdict

from benchmarks.bars import scaling, truthfulness
from benchmarks.building import build
from benchmarks.event_source import EventSource
from benchmarks.facts import facts
from benchmarks.measuring import Outcome, measure
from benchmarks.processes import cores, raise_open_files
from benchmarks.readers import LIMIT, READERS, Reader
from benchmarks.running import Bench
from benchmarks.saving import save, show_progress
from benchmarks.tables import markdown
from benchmarks.workloads import WORKLOADS, Workload

ROUNDS, WINDOW_S = 3, 6.0
QUICK_ROUNDS, QUICK_WINDOW_S = 1, 2.0


def main() -> None:
    """Run the command line."""
    options = _options()
    readers = [reader for reader in READERS if reader.name in options.readers]
    workloads = [workload for workload in WORKLOADS if workload.name in options.workloads]
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    window_s = QUICK_WINDOW_S if options.quick else WINDOW_S
    # The processes that this run has started must end with it, in every case.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # A shell lets its background jobs ignore it, and they would hand that down to the readers, which are to hear it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _require_machine(workloads)
    build()
    known = facts()
    usable = cores()
    source_core, reader_core = usable[0], usable[1]
    # This process looks at the clock now and then: on the source's core, which has time to spare.
    os.sched_setaffinity(0, {source_core})
    outcomes: dict[tuple[str, str], list[Outcome]] = {}
    truth: list[Outcome] = []
    with EventSource(source_core) as source:
        bench = Bench(source, reader_core, window_s)
        for number in range(rounds):
            # Each round runs all readers: other load on the machine affects them equally.
            for workload in workloads:
                for reader in readers:
                    show_progress(f"round {number + 1}/{rounds}, {workload.name}, {reader.name}")
                    outcome = _measure(bench, reader, workload)
                    outcomes.setdefault((workload.name, reader.name), []).append(outcome)
            if options.bars:
                show_progress(f"round {number + 1}/{rounds}, busy against quiet")
                truth.append(truthfulness(bench))
    os.sched_setaffinity(0, set(usable))
    speed_up = []
    for number in range(rounds if options.bars else 0):
        show_progress(f"round {number + 1}/{rounds}, two workers against one")
        speed_up.append(scaling(window_s))
    text = markdown(outcomes, known, truth, speed_up)
    print(text)
    _write(options.name, known, text, outcomes, truth, speed_up)


def _measure(bench: Bench, reader: Reader, workload: Workload) -> Outcome:
    missing = reader.missing()
    outcome = Outcome({}, f"not measured: {missing}") if missing else measure(bench, reader, workload)
    show_progress(
        "    " + (", ".join(f"{name} {value:.4g}" for name, value in outcome.figures.items()) or str(outcome.note))
    )
    return outcome


def _require_machine(workloads: list[Workload]) -> None:
    if len(cores()) < 2:
        raise SystemExit("make bench: two cores are needed, one for the source and one for the reader")
    files = raise_open_files()
    most = max((workload.streams for workload in workloads), default=0) + 100
    if files < most:
        raise SystemExit(f"make bench: {most:,} open files are needed, the limit is {files:,} (ulimit -Hn)")


def _write(
    name: str,
    known: dict[str, str],
    text: str,
    outcomes: dict[tuple[str, str], list[Outcome]],
    truth: list[Outcome],
    speed_up: list[Outcome],
) -> None:
    stem = f"{time.strftime('%Y-%m-%d')}-{name or known['commit']}"
    document = {
        "facts": known,
        "outcomes": [
            {"workload": workload, "reader": reader, "rounds": [asdict(outcome) for outcome in found]}
            for (workload, reader), found in outcomes.items()
        ],
        "busy_against_quiet": [asdict(outcome) for outcome in truth],
        "two_workers_against_one": [asdict(outcome) for outcome in speed_up],
    }
    save(stem, text, document)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What reading event streams costs.")
    parser.add_argument(
        "--quick", action="store_true", help="one round of short windows: figures to look at, not to keep"
    )
    parser.add_argument("--rounds", type=int, help=f"how often to measure each ({ROUNDS})")
    parser.add_argument("--readers", help="names with commas between: " + ",".join(reader.name for reader in READERS))
    parser.add_argument("--workloads", help="names with commas between: " + ",".join(load.name for load in WORKLOADS))
    parser.add_argument("--no-bars", dest="bars", action="store_false", help="leave the two promises out")
    parser.add_argument("--name", default="", help="name of the result files, after the date")
    options = parser.parse_args()
    options.readers = _chosen(parser, options.readers, [reader.name for reader in READERS])
    if LIMIT not in options.readers:
        options.readers = [LIMIT, *options.readers]  # nothing can be compared without it
    options.workloads = _chosen(parser, options.workloads, [workload.name for workload in WORKLOADS])
    return options


def _chosen(parser: argparse.ArgumentParser, given: str | None, names: list[str]) -> list[str]:
    chosen = given.split(",") if given is not None else names
    for name in chosen:
        if name and name not in names:
            parser.error(f"{name!r} is none of: {', '.join(names)}")
    return chosen


if __name__ == "__main__":
    main()
