"""How often `sse compare` calls equal runs different: the false alarms of docs/explanation/comparison.md.

    .venv/bin/python -m benchmarks.comparison --runs 8 --needs-ms 2       # equal runs: each verdict is wrong
    .venv/bin/python -m benchmarks.comparison --runs 4 --needs-ms 2 3     # 4 runs of each: the second is slower

The server takes that many milliseconds for each event, and blocks while it does. All pairs are compared.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations, product
from pathlib import Path

from sseclient_cli.report.comparison import comparison_of
from sseclient_cli.report.comparison_model import Verdict
from sseclient_cli.report.model import Report

SERVER = """
import asyncio, json, sys, time
async def send_events(send):
    due_s = time.time()
    while True:
        due_s += 0.1
        await asyncio.sleep(max(due_s - time.time(), 0))
        time.sleep({needed_s})
        event = b"data: " + json.dumps({{"ts": due_s}}).encode() + b"\\n\\n"
        await send({{"type": "http.response.body", "body": event, "more_body": True}})
async def app(scope, receive, send):
    headers = [(b"content-type", b"text/event-stream")]
    await send({{"type": "http.response.start", "status": 200, "headers": headers}})
    sending = asyncio.create_task(send_events(send))
    while (await receive())["type"] != "http.disconnect":
        pass
    sending.cancel()
"""


def main() -> None:
    """Run, compare all pairs, and print the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--needs-ms", type=float, nargs="+", default=[2.0])
    parser.add_argument("--bench", default="-n 20 -z 12s", help="options of sse bench")
    options = parser.parse_args()
    groups = [_reports(needs_ms / 1000, options.runs, options.bench.split()) for needs_ms in options.needs_ms]
    pairs = list(combinations(groups[0], 2) if len(groups) == 1 else product(*groups[:2]))
    found: Counter[str] = Counter()
    figures: Counter[str] = Counter()
    for pair in pairs:
        differing = [
            f"{each.name} {each.changes[0].verdict.value}"
            for each in comparison_of(pair).differences
            if each.changes[0].verdict in (Verdict.BETTER, Verdict.WORSE)
        ]
        found["pairs with a difference" if differing else "pairs without one"] += 1
        figures.update(differing)
    print(f"{len(pairs)} pairs: {dict(found)}; figures: {dict(figures)}")


def _reports(needed_s: float, runs: int, bench: list[str]) -> list[Report]:
    with _serving(needed_s) as url, tempfile.TemporaryDirectory() as folder:
        made = []
        for number in range(runs):
            file = Path(folder) / f"{number}.json"
            command = [sys.executable, "-m", "sseclient_cli", "bench", url, *bench, "--json", str(file), "-q"]
            subprocess.run(command, check=True)
            made.append(Report.model_validate(json.loads(file.read_text("utf-8"))))
        return made


@contextmanager
def _serving(needed_s: float) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "busy_app.py").write_text(SERVER.format(needed_s=needed_s))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", "busy_app:app", "--port", str(port), "--log-level", "warning"]
        with subprocess.Popen([*command, "--lifespan", "off"], cwd=folder) as server:
            try:
                while not _answers(port):
                    time.sleep(0.1)
                yield f"http://127.0.0.1:{port}/"
            finally:
                server.kill()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    main()
