"""Checks before a run whether this machine has the open files, ports and memory for it.

Each ``require_`` function reads a limit of the system. Its pure part is a ``check_`` function. If a limit is unknown,
the check is skipped, and the run reports errors when the limit is reached.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from sseclient_cli.errors import LimitError

RESERVED_FILES = 64
"""File descriptors for other uses: the poller, standard streams, module imports, the report."""

STREAM_BYTES = 8 * 1024
"""Memory per stream. An idle stream takes 2 KB in the worker (`make bench`) and 2.5 KB in the kernel (MemAvailable over
16,000 sockets). The rest is for events that are being received."""

TLS_BYTES = 32 * 1024
"""Additional memory per stream with TLS: 28 KB (RSS over 1,000 streams, OpenSSL 3)."""

WORKER_BYTES = 64 * 1024 * 1024
"""Memory of a worker without streams: 45 MB of RSS, plus growing histograms and timeline."""

RESERVED_BYTES = 256 * 1024 * 1024
"""Memory for everything else on the machine. With less, Linux begins to evict pages of running programs."""


def require_open_files(connections: int, workers: int = 1) -> None:
    """Raise the soft limit of open files to the hard limit. Workers inherit it.

    Raises LimitError if this number of workers still cannot open the connections.
    """
    if sys.platform == "win32":
        _require(connections, 512 * workers, "windows-sockets", "the selector of Windows holds 512 in a process")
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        # macOS reports no hard limit but rejects more than OPEN_MAX. Request only the limit that is needed.
        hard = max(soft, connections // workers + 1 + RESERVED_FILES)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    fitting = (hard - RESERVED_FILES) * workers
    _require(connections, fitting, "open-files", f"the limit of open files of a process is {hard:,}")


def require_ports(connections: int, source_count: int) -> None:
    """Raise LimitError if the source addresses have fewer local ports than there are connections to one address."""
    with suppress(OSError, ValueError):  # only Linux has this file
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()
        check_ports(connections, source_count, int(high) - int(low) + 1)


def check_ports(connections: int, source_count: int, port_count: int) -> None:
    """Do the check of ``require_ports`` for a given number of local ports."""
    fitting = port_count * max(source_count, 1)
    _require(connections, fitting, "local-ports", f"a source address has {port_count:,} local ports")


def require_memory(connections: int, workers: int, *, tls: bool) -> None:
    """Raise LimitError if the streams need more memory than is available."""
    available_bytes = available_memory_bytes()
    if available_bytes is not None:
        check_memory(connections, workers, available_bytes, tls=tls)


def check_memory(connections: int, workers: int, available_bytes: int, *, tls: bool) -> None:
    """Do the check of ``require_memory`` for a given amount of available memory."""
    each_bytes = STREAM_BYTES + (TLS_BYTES if tls else 0)
    for_streams_bytes = available_bytes - RESERVED_BYTES - workers * WORKER_BYTES
    reason = (
        f"each takes about {each_bytes // 1024} KiB, and {available_bytes // 2**20:,} MiB of memory are available "
        f"({RESERVED_BYTES // 2**20} MiB are reserved)"
    )
    _require(connections, for_streams_bytes // each_bytes, "memory", reason)


def available_memory_bytes() -> int | None:
    """Return the memory that is available without swapping, also in a container; None if it is unknown."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        available_bytes = int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024
        with suppress(OSError, ValueError):  # no container, or a container without a limit ("max")
            available_bytes = min(available_bytes, int(Path("/sys/fs/cgroup/memory.max").read_text("ascii")))
        return available_bytes
    return None


def _require(connections: int, fitting: int, code: str, reason: str) -> None:
    if connections > fitting:
        words = f"{connections:,} connections exceed the limit of {max(fitting, 0):,} on this machine: {reason}"
        raise LimitError(words, code=code, arguments=["connections"])
