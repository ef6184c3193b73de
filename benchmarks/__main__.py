"""Runs the readers over the workloads, and writes the results.

python -m benchmarks [--quick] [--rounds 3] [--readers limit,sse\\ bench] [--workloads 4000x10,'blast-*'] [--no-bars]
python -m benchmarks --install locust,artillery,aiperf
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase

from benchmarks.bars import verdicts
from benchmarks.building import build
from benchmarks.event_source import EventSource
from benchmarks.facts import facts
from benchmarks.measuring import CANNOT, Outcome, measure
from benchmarks.packages import AIPERF, ARTILLERY, LOCUST, PACKAGES, install
from benchmarks.processes import cores, raise_open_files
from benchmarks.promises import scaling, truthfulness
from benchmarks.readers import LIMIT, READERS, Reader, takes
from benchmarks.running import Bench
from benchmarks.saving import save, show_progress
from benchmarks.tables import markdown
from benchmarks.workloads import WORKLOADS, Workload

ROUNDS, WINDOW_S = 3, 4.0
QUICK_ROUNDS, QUICK_WINDOW_S = 1, 2.0


@dataclass(slots=True)
class Results:
    """The outcomes of all rounds."""

    readers: dict[tuple[str, str], list[Outcome]] = field(default_factory=dict)
    """By workload and reader."""
    truth: list[Outcome] = field(default_factory=list)
    speed_up: list[Outcome] = field(default_factory=list)

    def gave_up(self, reader: Reader) -> bool:
        """Return whether a workload has shown that this reader cannot be measured."""
        found = (outcomes for (_, name), outcomes in self.readers.items() if name == reader.name)
        return any((outcome.note or "").startswith(CANNOT) for outcomes in found for outcome in outcomes)


def main() -> None:
    """Run the command line."""
    options = _options()
    if options.install:
        install(options.install.split(","))
        return
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
    known |= {tool.name: tool.version for tool in (AIPERF, LOCUST, ARTILLERY) if not tool.missing()}
    results = _run(readers, workloads, rounds, window_s, options.bars)
    known["load after"] = " ".join(f"{load:.2f}" for load in os.getloadavg())
    found = verdicts(results.readers)
    text = markdown(results.readers, known, found, results.truth, results.speed_up)
    print(text)
    _write(options.name, known, text, results)
    if options.bars and not all(verdict.holds for verdict in found):
        sys.exit(1)


def _run(readers: list[Reader], workloads: list[Workload], rounds: int, window_s: float, promises: bool) -> Results:
    results = Results()
    usable = cores()
    source_core, reader_core = usable[0], usable[1]
    # This process looks at the clock now and then: on the source's core, which has time to spare.
    os.sched_setaffinity(0, {source_core})
    with EventSource(source_core) as source:
        bench = Bench(source, reader_core, window_s)
        for number in range(rounds):
            # Each round runs all readers: other load on the machine affects them equally.
            for workload in (load for load in workloads if number < (load.most_rounds or rounds)):
                for reader in (reader for reader in readers if takes(workload, reader) and not results.gave_up(reader)):
                    show_progress(f"round {number + 1}/{rounds}, {workload.name}, {reader.name}")
                    outcome = _measure(bench, reader, workload)
                    results.readers.setdefault((workload.name, reader.name), []).append(outcome)
            if promises:
                show_progress(f"round {number + 1}/{rounds}, busy against quiet")
                results.truth.append(truthfulness(bench))
    os.sched_setaffinity(0, set(usable))
    for number in range(rounds if promises else 0):
        show_progress(f"round {number + 1}/{rounds}, two workers against one")
        results.speed_up.append(scaling(window_s))
    return results


def _measure(bench: Bench, reader: Reader, workload: Workload) -> Outcome:
    missing = reader.missing()
    outcome = Outcome({}, f"{CANNOT}: {missing}") if missing else measure(bench, reader, workload)
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


def _write(name: str, known: dict[str, str], text: str, results: Results) -> None:
    stem = f"{time.strftime('%Y-%m-%d')}-{name or known['commit']}"
    found = verdicts(results.readers)
    document = {
        "facts": known,
        "bars": [{**asdict(verdict), "holds": verdict.holds} for verdict in found],
        "outcomes": [
            {"workload": workload, "reader": reader, "rounds": [asdict(outcome) for outcome in outcomes]}
            for (workload, reader), outcomes in results.readers.items()
        ],
        "busy_against_quiet": [asdict(outcome) for outcome in results.truth],
        "two_workers_against_one": [asdict(outcome) for outcome in results.speed_up],
    }
    save(stem, text, document)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What reading event streams costs.")
    parser.add_argument(
        "--quick", action="store_true", help="one round of short windows: figures to look at, not to keep"
    )
    parser.add_argument("--rounds", type=int, help=f"how often to measure each ({ROUNDS})")
    parser.add_argument("--readers", help="names with commas between: " + ",".join(reader.name for reader in READERS))
    parser.add_argument(
        "--workloads", help="names or patterns with commas between: " + ",".join(load.name for load in WORKLOADS)
    )
    parser.add_argument(
        "--no-bars", dest="bars", action="store_false", help="leave the two promises out, and end with 0 in any case"
    )
    parser.add_argument("--name", default="", help="name of the result files, after the date")
    parser.add_argument(
        "--install", metavar="NAMES", help="install these and end: " + ",".join(package.name for package in PACKAGES)
    )
    options = parser.parse_args()
    options.readers = _chosen(parser, options.readers, [reader.name for reader in READERS])
    if LIMIT not in options.readers:
        options.readers = [LIMIT, *options.readers]  # nothing can be compared without it
    options.workloads = _chosen(parser, options.workloads, [workload.name for workload in WORKLOADS])
    return options


def _chosen(parser: argparse.ArgumentParser, given: str | None, names: list[str]) -> list[str]:
    chosen = []
    for pattern in given.split(",") if given is not None else names:
        matching = [name for name in names if fnmatchcase(name, pattern)]
        if pattern and not matching:
            parser.error(f"{pattern!r} is none of: {', '.join(names)}")
        chosen += matching
    return chosen


if __name__ == "__main__":
    main()
