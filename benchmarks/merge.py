"""Merge the totals of many workers: one after the other, and in trees. Time, memory and traffic of each node.

python -m benchmarks.merge [--workers 1000] [--children 8 16 32] [--save two-core-vm]
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.facts import facts
from benchmarks.merge_totals import Measured, measured, varied
from benchmarks.merge_tree import Merge, Merger, Tree
from benchmarks.saving import save, show_progress
from sseclient_cli.report.build import build_report
from sseclient_cli.report.model import Report
from sseclient_cli.run.hosts.tree import ARITY
from sseclient_cli.run.progress import merged

MIB = 2**20


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.merge", description=__doc__)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--streams", type=int, default=200, help="streams of each worker")
    parser.add_argument("--seconds", type=float, default=60.0, help="duration of the run whose totals are merged")
    parser.add_argument("--children", type=int, nargs="+", default=[ARITY, 16, 32])
    parser.add_argument("--save", metavar="MACHINE", help="write the report to results/, with this name of the machine")
    options = parser.parse_args()
    known = facts(("sseclient-cli", "hdrhistogram"))
    show_progress(f"4 workers with {options.streams} streams each, {options.seconds:.0f} s")
    real = measured(4, options.streams, options.seconds)
    with tempfile.TemporaryDirectory() as name, Merger(Path(name)) as merger:
        folder = Path(name)
        files = [folder / str(number) for number in range(options.workers)]
        for number, file in enumerate(files):
            file.write_bytes(pickle.dumps(varied(real.totals[number % len(real.totals)], number)))
        show_progress(f"{options.workers} workers, one after the other")
        held = merger.in_sequence(files, folder / "held", are_held=True)
        single = merger.in_sequence(files, folder / "single", are_held=False)
        wanted = _report(real, folder / "single")
        trees = []
        for children in options.children:
            show_progress(f"a tree with {children} children")
            tree, result = merger.in_tree(files, children)
            if _report(real, result) != wanted:
                sys.exit(f"the result of the tree with {children} children is another one")
            trees.append(tree)
        text = "\n".join([
            f"# Merging the totals of {len(files):,} workers",
            "",
            f"A worker has {options.streams} streams with 10 events/s each for {options.seconds:.0f} s.",
            "",
            *_markdown(held, single, trees),
            "",
            *_others(real, folder / "single", len(files)),
            "",
            f"Machine: {', '.join(f'{name} {value}' for name, value in known.items())}; load after "
            + " ".join(f"{load:.2f}" for load in os.getloadavg()),
        ])  # fmt: skip
    print(text)
    if options.save:
        save(f"{time.strftime('%Y-%m-%d')}-merge-{options.save}", text + "\n", {"facts": known})


def _report(real: Measured, file: Path) -> Report:
    return build_report(real.spec, real.shard.chain, pickle.loads(file.read_bytes()), started_at_s=0.0)


def _markdown(held: Merge, single: Merge, trees: Sequence[Tree]) -> Iterator[str]:
    yield "| merge | nodes | CPU in all | slowest path | memory at the root | at another node | through the client |"
    yield "|---|---|---|---|---|---|---|"
    for name, merge in (("all totals held, then merged", held), ("each merged when it arrives", single)):
        cells = f"1 | {merge.cpu_s:.1f} s | {merge.cpu_s:.1f} s | {merge.peak_bytes / MIB:,.0f} MiB | - |"
        yield f"| one process, {name} | {cells} {merge.read_bytes / MIB:,.0f} MiB |"
    for each in trees:
        inner = [merge.peak_bytes for merge in each.inner[:-1]] or [each.root.peak_bytes]
        yield (
            f"| tree, {each.children} children, {each.levels} levels | {len(each.inner):,} | "
            f"{sum(merge.cpu_s for merge in each.inner):.1f} s | {each.path_s:.2f} s | "
            f"{each.root.peak_bytes / MIB:,.0f} MiB | {median(inner) / MIB:,.0f} MiB | "
            f"{each.root.written_bytes / MIB:.2f} MiB |"
        )


def _others(real: Measured, file: Path, workers: int) -> Iterator[str]:
    """Yield sizes and times that are the same for each kind of merge."""
    began_s = time.process_time()
    report = _report(real, file)
    report_s = time.process_time() - began_s
    one = len(pickle.dumps(real.progress[0]))
    # Copies: pickle writes an object that occurs twice only once.
    received = [pickle.loads(pickle.dumps(real.progress[number % len(real.progress)])) for number in range(workers)]
    began_s = time.process_time()
    progress = merged(received)
    merge_s = time.process_time() - began_s
    yield f"- Totals of one worker, pickled: {median(len(pickle.dumps(each)) for each in real.totals) / 1024:.0f} KiB"
    yield f"- Totals of all, pickled: {file.stat().st_size / 1024:.0f} KiB"
    yield f"- Report of all: built in {report_s:.2f} s of CPU, {len(report.model_dump_json()) / 1024:.0f} KiB of JSON"
    yield (
        f"- Progress of one worker, pickled: {one / 1024:.1f} KiB; four times a second from {workers:,} workers "
        f"{4 * one * workers / MIB:.1f} MiB/s, merged {4 * len(pickle.dumps(progress)) / MIB:.2f} MiB/s; "
        f"merged in {1000 * merge_s:.0f} ms of CPU"
    )


if __name__ == "__main__":
    main()
