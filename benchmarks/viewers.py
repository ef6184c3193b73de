"""Compare `sse watch` with other viewers of one stream: events per second into a pipe, and time to the first event.

python -m benchmarks.viewers [--quick] [--rounds 5] [--save two-core-vm]
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.building import build
from benchmarks.event_source import EventSource
from benchmarks.facts import facts
from benchmarks.measuring import Outcome
from benchmarks.processes import core_busy_s, cores, cpu_s, pinned_to, rss_bytes
from benchmarks.push_tables import spread
from benchmarks.rounds import median_of
from benchmarks.saving import save, show_progress
from benchmarks.start_up import measure_commands, start_up_lines

ROUNDS, WINDOW_S = 5, 4.0
QUICK_ROUNDS, QUICK_WINDOW_S = 1, 1.0
SETTLE_S = 1.0
"""From the first event to the window: imports and the first reads are over by then."""

READ_BYTES = 1024 * 1024
MARKER = b"seq"
"""Each event of the source has it once, and so has the output of each viewer."""

PACKAGES = ("sseclient-cli", "httpx", "httpx-sse", "httptools", "rich", "typer", "httpie", "requests")
HTTPX_SSE = """\
import sys, httpx, httpx_sse
with httpx.Client(timeout=None, trust_env=False) as client:
    with httpx_sse.connect_sse(client, "GET", sys.argv[1]) as source:
        for event in source.iter_sse():
            sys.stdout.write(event.data + "\\n")
            if {flush}:
                sys.stdout.flush()
"""
"""As in the documentation of httpx-sse. A viewer flushes after each event; the second form writes full buffers."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A command that writes the events of one URL to stdout; the URL is its last argument."""

    name: str
    command: list[str]


def viewers() -> list[Viewer]:
    """Return the viewers that are installed, `curl` first: the ratios refer to it."""
    folder = Path(sys.executable).parent
    sse, http = str(folder / "sse"), folder / "http"
    found = [
        Viewer("sse watch --raw", [sse, "watch", "--raw"]),
        Viewer("sse watch --json", [sse, "watch", "--json"]),
        Viewer("sse watch", [sse, "watch"]),
        Viewer("httpx-sse", [sys.executable, "-c", HTTPX_SSE.format(flush=True)]),
        Viewer("httpx-sse, not flushed", [sys.executable, "-c", HTTPX_SSE.format(flush=False)]),
    ]
    if http.exists():
        found.append(Viewer("HTTPie", [str(http), "--ignore-stdin", "--stream", "--body", "GET"]))
    curl = shutil.which("curl")
    return ([Viewer("curl -N", [curl, "-sN"])] if curl else []) + found


@dataclass(slots=True)
class Reading:
    """A running viewer and the events in its output so far."""

    process: subprocess.Popen[bytes]
    events: int = 0
    _tail: bytes = b""

    def read(self) -> bool:
        """Read a piece of the output; False at its end."""
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), READ_BYTES)
        text = self._tail + data
        self.events += text.count(MARKER)
        # Shorter than the marker, so that no marker is counted twice.
        self._tail = text[-(len(MARKER) - 1) :]
        return bool(data)

    def read_for(self, duration_s: float) -> None:
        """Read for some time. The viewers here always have output."""
        ends_s = time.monotonic() + duration_s
        while time.monotonic() < ends_s and self.read():
            pass


@contextmanager
def watching(viewer: Viewer, url: str, core: int) -> Iterator[Reading]:
    """Start a viewer on a core, and end it with the block."""
    process = subprocess.Popen(
        [*viewer.command, url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=pinned_to(core),
    )
    try:
        yield Reading(process)
    finally:
        process.kill()
        process.communicate()


def measure_rate(viewer: Viewer, source: EventSource, core: int, window_s: float) -> dict[str, float]:
    """Return the rate, CPU per event and memory of a viewer at full blast."""
    with watching(viewer, f"http://127.0.0.1:{source.port}/events?rate=0", core) as reading:
        while not reading.events and reading.read():
            pass
        reading.read_for(SETTLE_S)
        pid = reading.process.pid
        events, used_s, busy_s, began_s = reading.events, cpu_s(pid), core_busy_s(core), time.monotonic()
        reading.read_for(window_s)
        events, used_s = reading.events - events, cpu_s(pid) - used_s
        elapsed_s = time.monotonic() - began_s
        if not events:
            raise RuntimeError("it shows no events at full blast")
        return {
            "events_per_s": events / elapsed_s,
            "events_per_s_and_core": events / used_s,
            "cpu_us_per_event": used_s / events * 1e6,
            "rss_mib": rss_bytes(pid) / 2**20,
            "other_load_percent": 100 * max(core_busy_s(core) - busy_s - used_s, 0) / elapsed_s,
        }


def measure_start(viewer: Viewer, source: EventSource, core: int) -> dict[str, float]:
    """Return the time from the start of the process to its first event, of a stream that begins with one."""
    began_s = time.monotonic()
    with watching(viewer, f"http://127.0.0.1:{source.port}/events?rate=0&count=1000", core) as reading:
        while not reading.events:
            if not reading.read():
                raise RuntimeError("it shows no event")
        return {"first_event_s": time.monotonic() - began_s}


def markdown(rounds: Mapping[str, list[Outcome]], known: Mapping[str, str], start_up: Iterable[str] = ()) -> str:
    """Return the report."""
    base = median_of(next(iter(rounds.values()))).figures
    lines = [
        "# Viewers of one stream",
        "",
        "Full blast on loopback: the source has one core, the viewer another one, and its output goes into a pipe. In",
        f"parentheses: the ratio to {next(iter(rounds))}, and the spread of the rounds.",
        "",
        "| viewer | events/s per core | CPU per event | memory | first event after |",
        "|---|---|---|---|---|",
    ]
    for name, outcomes in rounds.items():
        figures = median_of(outcomes).figures
        cells = [
            _cell("{:,.0f}", figures, base, outcomes, "events_per_s_and_core"),
            _cell("{:.2f} us", figures, base, outcomes, "cpu_us_per_event"),
            _cell("{:.0f} MiB", figures, {}, [], "rss_mib"),
            _cell("{:.2f} s", figures, {}, outcomes, "first_event_s"),
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        *(f"- {name}: {outcome.note}" for name, outcomes in rounds.items() for outcome in outcomes if outcome.note),
    ]
    lines += ["", *start_up]
    return "\n".join([*lines, "## The machine", "", *(f"- {name}: {value}" for name, value in known.items()), ""])


def _cell(
    shown: str, figures: Mapping[str, float], base: Mapping[str, float], outcomes: list[Outcome], name: str
) -> str:
    if name not in figures:
        return "not measured"
    remarks = [f"{figures[name] / base[name]:.2f}x"] if base.get(name) else []
    remarks += [text] if (text := spread(outcomes, name)) else []
    return shown.format(figures[name]) + (f" ({', '.join(remarks)})" if remarks else "")


def measure(viewer: Viewer, source: EventSource, core: int, window_s: float) -> Outcome:
    """Return all figures of a viewer, or the reason why there are none."""
    try:
        return Outcome(measure_start(viewer, source, core) | measure_rate(viewer, source, core, window_s))
    except (RuntimeError, OSError) as exc:
        return Outcome({}, str(exc))


def main() -> None:
    """Run the command line."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    usable = cores()
    if len(usable) < 2:
        raise SystemExit("benchmarks.viewers needs two cores, one for the source and one for the viewer")
    build()
    known = facts(PACKAGES)
    count, window_s = (QUICK_ROUNDS, QUICK_WINDOW_S) if options.quick else (options.rounds, WINDOW_S)
    rounds: dict[str, list[Outcome]] = {}
    commands = []
    with EventSource(usable[0]) as source:
        for number in range(count):
            # Interleaved, so that other load on the machine affects all viewers alike.
            commands.append(measure_commands(usable[1]))
            for viewer in viewers():
                outcome = measure(viewer, source, usable[1], window_s)
                rounds.setdefault(viewer.name, []).append(outcome)
                shown = ", ".join(f"{name} {value:,.4g}" for name, value in outcome.figures.items())
                show_progress(f"round {number + 1}/{count}, {viewer.name}: {shown or outcome.note}")
    known["load after"] = " ".join(f"{load:.2f}" for load in os.getloadavg())
    text = markdown(rounds, known, start_up_lines(commands, rounds))
    print(text)
    if options.save:
        figures = {name: [asdict(outcome) for outcome in outcomes] for name, outcomes in rounds.items()}
        stem = f"{time.strftime('%Y-%m-%d')}-viewers-{options.save}"
        starts = {"first event of all rounds, median": _starts(rounds), "commands": commands}
        save(stem, text, {"facts": known, **starts, "rounds": figures})


def _starts(rounds: Mapping[str, list[Outcome]]) -> dict[str, float]:
    found = {name: [o.figures["first_event_s"] for o in outcomes if o.figures] for name, outcomes in rounds.items()}
    return {name: statistics.median(values) for name, values in found.items() if values}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.viewers", description="Compare `sse watch` with other viewers of one stream."
    )
    parser.add_argument("--quick", action="store_true", help="one short round, for a first look")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"number of rounds ({ROUNDS})")
    parser.add_argument("--save", metavar="MACHINE", help="write the report to results/, with this name of the machine")
    return parser.parse_args()


if __name__ == "__main__":
    main()
