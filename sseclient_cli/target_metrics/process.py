"""Samples of a process and its children: memory, open files, CPU time and threads, by psutil.

The children are looked up for each sample: servers replace their workers. Memory is the sum of the resident sets, so
memory that a parent shares with forked children counts once for each of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress

import psutil

from sseclient_cli.errors import UsageError
from sseclient_cli.target_metrics.samples import CPU, FILES, RSS, THREADS, Reading, SampleError, SourceKind


def _cpu_s(process: psutil.Process) -> float:
    # With the time of children that have ended: the sum must not fall when a server replaces a worker.
    return sum(process.cpu_times()[:4])


def _files(process: psutil.Process) -> float:
    if sys.platform == "win32":
        return process.num_handles()
    return process.num_fds()


_SERIES: dict[str, Callable[[psutil.Process], float]] = {
    RSS: lambda process: process.memory_info().rss,
    FILES: _files,
    CPU: _cpu_s,
    THREADS: lambda process: process.num_threads(),
}


class ProcessSource:
    """A process with its children. Raises UsageError if there is no such process."""

    kind = SourceKind.PROCESS

    def __init__(self, pid: int) -> None:
        if pid == os.getpid():
            raise UsageError(f"process {pid} is this command itself: give the process of the server", arguments=["pid"])
        try:
            self._process = psutil.Process(pid)
            name = self._process.name()
            is_zombie = self._process.status() == psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, OverflowError, ValueError):
            raise UsageError(f"there is no process {pid}", arguments=["pid"]) from None
        except psutil.AccessDenied:
            raise UsageError(f"process {pid} belongs to another user: permission denied", arguments=["pid"]) from None
        if is_zombie:
            raise UsageError(f"process {pid} ({name}) has ended", arguments=["pid"])
        self.name = f"process {pid} ({name})"
        self.missing: dict[str, str] = {}

    def read(self) -> Reading:
        """Return the values of now. Raises SampleError when the process has ended."""
        try:
            # is_running compares the start time: the number may belong to another process by now.
            if not self._process.is_running() or self._process.status() == psutil.STATUS_ZOMBIE:
                raise SampleError("the process has ended")
            family = [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            raise SampleError("the process has ended") from None
        except psutil.Error as exc:
            raise SampleError(str(exc)) from exc
        reading: dict[str, float] = {}
        for series, value_of in _SERIES.items():
            try:
                reading[series] = self._sum(family, value_of)
            except psutil.AccessDenied:
                self.missing[series] = "permission denied: run sse as the user of the process"
        if not reading:
            raise SampleError("permission denied")
        return reading

    def close(self) -> None:
        """Do nothing: a process needs no connection."""

    def _sum(self, family: list[psutil.Process], value_of: Callable[[psutil.Process], float]) -> float:
        total = 0.0
        for each in family:
            with suppress(psutil.NoSuchProcess):  # a child that has just ended
                total += value_of(each)
        return total
