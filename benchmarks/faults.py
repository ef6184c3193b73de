"""Whether the audit of `sse bench` equals the fault log of /faults, for random combinations of faults.

    .venv/bin/python -m benchmarks.faults                  # 20 combinations, 200 streams each, ten times in a row
    .venv/bin/python -m benchmarks.faults --combinations 3 --streams 20 --repeat 1

A combination is drawn with the seed: lost, duplicated and reordered events, on streams with odd line ends, split
characters, bursts, heartbeats or huge events. The exit code is 1 if a count differs.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from benchmarks.demo_process import DemoProcess

COUNTS = ("checked", "lost", "duplicated", "out_of_order")
EVENTS = 100
"""Events of a stream. The fault log lists 50,000 numbers of a run, 250 for each of 200 streams."""

CLOSED_WITHIN_S = 30.0


def main() -> int:
    """Run the combinations, print each that differs, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--combinations", type=int, default=20)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    combinations = [_drawn(chance) for _ in range(options.combinations)]
    differing, totals = 0, dict.fromkeys(COUNTS, 0)
    with DemoProcess(None) as server:
        for repetition in range(options.repeat):
            for number, faults in enumerate(combinations):
                run = f"{repetition}-{number}"
                url = f"http://127.0.0.1:{server.port}/faults?{urlencode({**faults, 'run': run})}"
                found = _found(url, options.streams)
                truth = audit_of_log(_log(server.port, run))
                differing += found != truth
                totals = {name: totals[name] + truth[name] for name in COUNTS}
                if found != truth:
                    print(f"{urlencode(faults)}: found {found}, true {truth}", flush=True)
    runs = options.repeat * options.combinations
    counts = ", ".join(f"{totals[name]:,} {name}" for name in COUNTS)
    print(f"{runs - differing} of {runs} runs equal the fault log: {counts}")
    return 1 if differing else 0


def audit_of_log(log: Mapping[str, Any], preflights: int = 0) -> dict[str, int]:
    """Return the audit that a run must have, from the fault log alone, without the first requests of the log.

    A client cannot detect a drop before its first event or after its last one.
    """
    if log["is_cut"]:
        raise ValueError("the fault log is not complete: run fewer streams or events")
    found = dict.fromkeys(COUNTS, 0)
    for stream in log["streams"][preflights:]:
        sent = stream["sent"]
        is_seen_from = 0 if stream["last_event_id"] else sent["first"]
        found["checked"] += sent["count"]
        found["lost"] += sum(is_seen_from < seq < sent["largest"] for seq in stream["dropped"]["listed"])
        found["duplicated"] += stream["duplicated"]["count"]
        found["out_of_order"] += stream["reordered"]["count"]
    return found


def _drawn(chance: random.Random) -> dict[str, Any]:
    faults: dict[str, Any] = {"interval": 0, "count": EVENTS, "seed": chance.randrange(1_000_000)}
    for name, least, most in (("drop", 2, 30), ("duplicate", 2, 30), ("reorder", 2, 40)):
        if chance.random() < 0.7:
            faults[name] = chance.randint(least, most)
    others = {
        "line_end": "mixed",
        "bom": "true",
        "split_utf8": "true",
        "burst": 7,
        "heartbeat": 0.01,
        "no_final_blank": "true",
        "huge": 40,
    }
    faults |= {name: value for name, value in others.items() if chance.random() < 0.3}
    return faults | ({"huge_bytes": 20_000} if "huge" in faults else {})


def _found(url: str, streams: int) -> dict[str, int]:
    command = [sys.executable, "-m", "sseclient_cli", "bench", url, "-n", str(streams), "-z", "60s", "--no-preflight"]
    done = subprocess.run([*command, "--sequence", "id", "--json", "-", "-q"], check=True, stdout=subprocess.PIPE)
    audit = json.loads(done.stdout)["audit"]
    return {name: audit[name] for name in COUNTS}


def _log(port: int, run: str) -> dict[str, Any]:
    """Return the fault log of a run, once all its streams have ended."""
    ends_s = time.monotonic() + CLOSED_WITHIN_S
    while True:
        with urlopen(f"http://127.0.0.1:{port}/truth/{run}") as answer:
            log: dict[str, Any] = json.load(answer)
        if all(stream["ended"] for stream in log["streams"]) or time.monotonic() >= ends_s:
            return log
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
