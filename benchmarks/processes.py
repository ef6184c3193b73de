"""Processes seen from outside: their core, CPU time and memory. Linux only.

Measuring from outside makes readers comparable: no reader reports its own cost, and all of their work is counted.
A reader may have child processes; they count as part of it.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cores() -> list[int]:
    """Return the cores this process may use."""
    return sorted(os.sched_getaffinity(0))


def pinned_to(core: int | None) -> Callable[[], None] | None:
    """Return the function that pins a child process to this core; None for no particular core."""
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


def raise_open_files() -> int:
    """Raise the limit of open files, for this process and those it starts, and return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [pid]
    for parent in found:  # grows while it is read
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found.extend(int(child) for child in children.read_text().split())
    return found


def cpu_s(pid: int) -> float:
    """Return the user and system time that a process and its descendants have used, also ended ones (to 10 ms)."""
    used_s = 0.0
    for member in family(pid):
        # The name, in parentheses, may hold spaces. The 14th and 15th field after it are the times of children that it
        # has waited for. Its own time, which the 12th and 13th have, is read from its clock, to the nanosecond.
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        used_s += _clock_s(member) + sum(int(field) for field in fields[13:15]) / _TICKS_PER_S
    return used_s


def _clock_s(pid: int) -> float:
    """Return the time of all threads of a process, from the clock that clock_getcpuclockid(3) names."""
    return time.clock_gettime(~pid << 3 | 2)


def children_cpu_s() -> float:
    """Return the user and system time of all children of this process that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def core_busy_s(core: int) -> float:
    """Return the time that a core has spent on anything, since the machine started."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = (int(value) for value in fields[:8])
            return (user + nice + system + irq + softirq + steal) / _TICKS_PER_S
    raise LookupError(f"/proc/stat has no core {core}")


def pss_bytes(pid: int) -> int:
    """Return the proportional memory of a process and its descendants: pages that they share count once."""
    total_kib = 0
    for member in family(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total_kib += int(line.split()[1])
    return total_kib * 1024


def rss_bytes(pid: int) -> int:
    """Return the resident memory of a process and its descendants."""
    return sum(int(Path(f"/proc/{member}/statm").read_text().split()[1]) for member in family(pid)) * _PAGE_BYTES
