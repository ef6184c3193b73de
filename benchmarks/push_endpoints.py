"""Measure the cost of each push endpoint of the demo server.

python -m benchmarks.push_endpoints [--quick] [--rounds 5] [--endpoints stream,load] [--wait 20] [--save two-core-vm]
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
from benchmarks.push_measuring import BASE, ENDPOINTS, Cores, PushEndpoint, Sizes, measure
from benchmarks.push_tables import markdown
from benchmarks.saving import save, show_progress
from benchmarks.workloads import Kind

ROUNDS, SIZES = 5, Sizes(window_s=4.0, streams=1000, idle_streams=(100, 2000))
QUICK_ROUNDS, QUICK_SIZES = 1, Sizes(window_s=1.0, streams=1000, idle_streams=(100, 1000))
LOOK_S = 0.5
KINDS = (Kind.BLAST, Kind.PACED, Kind.IDLE)
PACKAGES = ("sseclient-cli", "fastapi", "starlette", "sse-starlette", "uvicorn", "httptools", "websockets")


def main() -> None:
    """Run the command line."""
    options = _options()
    # So that the started processes end with this one.
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
        # Interleaved, so that other load on the machine affects all endpoints alike.
        for kind in KINDS:
            for endpoint in options.endpoints:
                show_progress(f"round {number + 1}/{number_of_rounds}, {endpoint.name}, {kind.value}")
                if kind is not Kind.IDLE:  # memory is the same on a busy machine
                    wait_until_quiet(usable[:2], options.wait)
                outcome = measure(kind, endpoint, sizes, Cores(usable[0], usable[1]))
                outcomes.setdefault((kind, endpoint.name), []).append(outcome)
                shown = ", ".join(f"{name} {value:.4g}" for name, value in outcome.figures.items())
                show_progress("    " + "; ".join(text for text in (shown, outcome.note) if text))
    known["load after"] = " ".join(f"{load:.2f}" for load in os.getloadavg())
    text = markdown(outcomes, sizes, known)
    print(text)
    if options.save:
        _save(f"{time.strftime('%Y-%m-%d')}-push-{options.save}", text, known, outcomes)


def wait_until_quiet(watched: Sequence[int], patience_s: float) -> None:
    """Wait for idle cores, with a limit: a disturbed round is marked as such."""
    ends_s = time.monotonic() + patience_s
    while time.monotonic() < ends_s:
        before_s = [core_busy_s(core) for core in watched]
        time.sleep(LOOK_S)
        busy_s = max(core_busy_s(core) - before for core, before in zip(watched, before_s, strict=True))
        if 100 * busy_s / LOOK_S < DISTURBED_PERCENT:
            return


def _require_machine(sizes: Sizes) -> None:
    if len(cores()) < 2:
        raise SystemExit("benchmarks.push_endpoints needs two cores, one for the server and one for the reader")
    files, most = raise_open_files(), max(sizes.streams, *sizes.idle_streams) + 100
    if files < most:
        raise SystemExit(f"benchmarks.push_endpoints needs {most:,} open files; the limit is {files:,} (ulimit -Hn)")


def _save(stem: str, text: str, known: dict[str, str], outcomes: dict[tuple[Kind, str], list[Outcome]]) -> None:
    document = {
        "facts": known,
        "outcomes": [
            {"measured": kind.value, "endpoint": name, "rounds": [asdict(outcome) for outcome in found]}
            for (kind, name), found in outcomes.items()
        ],
    }
    save(stem, text, document)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.push_endpoints", description="Measure the cost of each push endpoint."
    )
    parser.add_argument("--quick", action="store_true", help="one short round, for a first look")
    parser.add_argument("--rounds", type=int, help=f"number of rounds ({ROUNDS})")
    parser.add_argument(
        "--endpoints",
        metavar="NAMES",
        help="comma-separated: " + ",".join(endpoint.name.lstrip("/") for endpoint in ENDPOINTS),
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="S",
        help="wait up to S seconds for an idle machine before each round (0)",
    )
    parser.add_argument("--save", metavar="MACHINE", help="write the report to results/, with this name of the machine")
    options = parser.parse_args()
    try:
        options.endpoints = chosen(options.endpoints)
    except LookupError as exc:
        parser.error(str(exc))
    return options


def chosen(names: str | None) -> list[PushEndpoint]:
    """Return the endpoints with these names, with or without a slash, and the base of all ratios."""
    by_name = {endpoint.name.lstrip("/"): endpoint for endpoint in ENDPOINTS}
    given = [name.strip().lstrip("/") for name in (names or ",".join(by_name)).split(",")]
    if unknown := [name for name in given if name not in by_name]:
        raise LookupError(f"{unknown[0]!r} is none of: {', '.join(by_name)}")
    return [endpoint for name, endpoint in by_name.items() if name in given or endpoint.name == BASE]


if __name__ == "__main__":
    main()
