"""Merges files of pickled totals: one after the other, or in the tree of a cluster's agents."""

from __future__ import annotations

import gc
import pickle
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Self

from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.hosts.tree import Branch, tree


@dataclass(frozen=True, slots=True)
class Merge:
    """The cost of one node: it loads totals, merges them and, in a tree, pickles the result."""

    cpu_s: float
    peak_bytes: int
    """Resident memory at its peak, without that of the process before."""
    read_bytes: int
    written_bytes: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The cost of a tree: each worker merges its own totals with those of its children."""

    children: int
    levels: int
    inner: list[Merge]
    """The workers with children; the last one is the root."""
    path_s: float
    """CPU time of the slowest path to the root: nodes of other paths merge meanwhile."""

    @property
    def root(self) -> Merge:
        """The node that sends the totals of the run to the client."""
        return self.inner[-1]


class Merger:
    """Merges files of pickled totals, each time in a new process: memory at the peak is that of this merge."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        context = get_context("forkserver")
        # What each process imports, with the module of the command line.
        context.set_forkserver_preload([__name__, "benchmarks.merge_totals", "sseclient_cli.report.build"])
        self._pool = ProcessPoolExecutor(1, context, max_tasks_per_child=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def in_sequence(self, files: Sequence[Path], result: Path, *, are_held: bool) -> Merge:
        """Merge one after the other; with ``are_held``, all totals are in memory before the first merge."""
        return self._pool.submit(_merge, files, result, are_held=are_held).result()

    def in_tree(self, files: Sequence[Path], children: int) -> tuple[Tree, Path]:
        """Merge in a tree. Return its cost, and the file with the result."""
        inner: list[Merge] = []

        def merged_by(branch: Branch) -> tuple[Path, float]:
            """Return the result of a branch, and the CPU time until it is there."""
            own = files[int(branch.agent)]
            if not branch.below:
                return own, 0.0
            below = [merged_by(each) for each in branch.below]
            result = self._folder / f"tree-{children}-{branch.agent}"
            merge = self.in_sequence([own, *(file for file, _ in below)], result, are_held=True)
            inner.append(merge)
            return result, merge.cpu_s + max(ready_s for _, ready_s in below)

        root = tree([str(number) for number in range(len(files))], children)
        result, path_s = merged_by(root)
        return Tree(children, root.height, inner, path_s), result


def _merge(files: Sequence[Path], result: Path, *, are_held: bool) -> Merge:
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak to the present memory: proc(5)
    before_bytes = _peak_bytes()
    contents = [file.read_bytes() for file in files] if are_held else (file.read_bytes() for file in files)
    read_bytes = sum(file.stat().st_size for file in files)
    gc.freeze()  # the modules
    began_s = time.process_time()
    all_totals: Iterator[Totals] | list[Totals] = map(pickle.loads, contents)
    if are_held:
        all_totals = list(all_totals)
    totals = Totals()
    for each in all_totals:
        totals.merge(each)
    written = pickle.dumps(totals)
    cpu_s = time.process_time() - began_s
    peak_bytes = _peak_bytes() - before_bytes
    result.write_bytes(written)
    return Merge(cpu_s, peak_bytes, read_bytes, len(written))


def _peak_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
