"""Measures what each way to push costs in the demo server.

python -m benchmarks.push_endpoints [--quick] [--rounds 5] [--ways stream,load] [--wait 20] [--save two-core-vm]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.building import build
from benchmarks.facts import facts
from benchmarks.measuring import DISTURBED_PERCENT, Outcome
from benchmarks.processes import core_busy_s, cores, raise_open_files
from benchmarks.push_measuring import BASE, WAYS, Cores, Sizes, Way, measure
from benchmarks.push_tables import markdown
from benchmarks.saving import save, show_progress
from benchmarks.workloads import Kind

ROUNDS, SIZES = 5, Sizes(window_s=4.0, streams=1000, idle_streams=(100, 2000))
QUICK_ROUNDS, QUICK_SIZES = 1, Sizes(window_s=1.0, streams=1000, idle_streams=(100, 1000))
LOOK_S = 0.5
KINDS = (Kind.BLAST, Kind.PACED, Kind.IDLE)
PACKAGES = ("sseclient-cli", "fastapi", "starlette", "sse-starlette", "uvicorn", "httptools", "websockets")


def main() -> None:
    """Do what the command line says."""
    options = _options()
    # So that whatever ends this run, the processes it has started end, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sizes = QUICK_SIZES if options.quick else SIZES
    _require_machine(sizes)
    build()
    known = facts(PACKAGES)
    usable = cores()
    os.sched_setaffinity(0, {usable[1]})
    outcomes: dict[tuple[Kind, str], list[Outcome]] = {}
    number_of_rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    for number in range(number_of_rounds):
        # Rounds of all ways, and not all rounds of a way: what else the machine does hits them alike.
        for kind in KINDS:
            for way in options.ways:
                show_progress(f"round {number + 1}/{number_of_rounds}, {way.name}, {kind.value}")
                if kind is not Kind.IDLE:  # memory is the same on a busy machine
                    wait_until_quiet(usable[:2], options.wait)
                outcome = measure(kind, way, sizes, Cores(usable[0], usable[1]))
                outcomes.setdefault((kind, way.name), []).append(outcome)
                shown = ", ".join(f"{name} {value:.4g}" for name, value in outcome.figures.items())
                show_progress("    " + "; ".join(text for text in (shown, outcome.note) if text))
    known["load after"] = " ".join(f"{load:.2f}" for load in os.getloadavg())
    text = markdown(outcomes, sizes, known)
    print(text)
    if options.save:
        _save(f"{time.strftime('%Y-%m-%d')}-ways-{options.save}", text, known, outcomes)


def wait_until_quiet(watched: Sequence[int], patience_s: float) -> None:
    """Wait until nothing else runs on these cores, but not for ever: a round that is disturbed is marked as such."""
    ends_s = time.monotonic() + patience_s
    while time.monotonic() < ends_s:
        before_s = [core_busy_s(core) for core in watched]
        time.sleep(LOOK_S)
        busy_s = max(core_busy_s(core) - before for core, before in zip(watched, before_s, strict=True))
        if 100 * busy_s / LOOK_S < DISTURBED_PERCENT:
            return


def _require_machine(sizes: Sizes) -> None:
    if len(cores()) < 2:
        raise SystemExit("benchmarks.push_endpoints: two cores are needed, one for the server and one for the reader")
    files, most = raise_open_files(), max(sizes.streams, *sizes.idle_streams) + 100
    if files < most:
        raise SystemExit(
            f"benchmarks.push_endpoints: {most:,} open files are needed, the limit is {files:,} (ulimit -Hn)"
        )


def _save(stem: str, text: str, known: dict[str, str], outcomes: dict[tuple[Kind, str], list[Outcome]]) -> None:
    document = {
        "facts": known,
        "outcomes": [
            {"measured": kind.value, "way": name, "rounds": [asdict(outcome) for outcome in found]}
            for (kind, name), found in outcomes.items()
        ],
    }
    save(stem, text, document)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.push_endpoints", description="What each way to push costs."
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round, short and small: figures to look at, not to keep"
    )
    parser.add_argument("--rounds", type=int, help=f"how often to measure each ({ROUNDS})")
    parser.add_argument("--ways", help="with commas between: " + ",".join(way.name.lstrip("/") for way in WAYS))
    parser.add_argument(
        "--wait", type=float, default=0, metavar="S", help="how long to wait for a quiet machine, each time (0)"
    )
    parser.add_argument("--save", metavar="MACHINE", help="write the report to results/, under a name for this machine")
    options = parser.parse_args()
    try:
        options.ways = chosen(options.ways)
    except LookupError as exc:
        parser.error(str(exc))
    return options


def chosen(names: str | None) -> list[Way]:
    """Return the ways of these names, which may lack the slash; and the one that all are compared to."""
    by_name = {way.name.lstrip("/"): way for way in WAYS}
    given = [name.strip().lstrip("/") for name in (names or ",".join(by_name)).split(",")]
    if unknown := [name for name in given if name not in by_name]:
        raise LookupError(f"{unknown[0]!r} is none of: {', '.join(by_name)}")
    return [way for name, way in by_name.items() if name in given or way.name == BASE]


if __name__ == "__main__":
    main()
