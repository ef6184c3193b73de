"""What this machine can hold, known before the run rather than found out in the middle of it.

Each ``require_`` reads a figure of the system and hands it to a ``check_``, which is pure. Where the system does not
say, nothing is required: the run finds out.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from sseclient_cli.errors import LimitError

RESERVED_FILES = 64
"""Descriptors that are not streams: the loop's own, the standard ones, modules being imported, the report."""

STREAM_BYTES = 8 * 1024
"""Memory of a stream. Idle, it takes 2 KB in the worker (`make bench`) and 2.5 KB in the kernel (MemAvailable over
16,000 sockets); the rest is for events under way."""

TLS_BYTES = 32 * 1024
"""What TLS adds to it: 28 KB (RSS over 1,000 streams, OpenSSL 3)."""

WORKER_BYTES = 64 * 1024 * 1024
"""A worker without streams: 45 MB of RSS, and its histograms and timeline as they grow."""

RESERVED_BYTES = 256 * 1024 * 1024
"""Left to everything else on the machine: at less, Linux begins to throw out pages of running programs."""


def require_open_files(connections: int, workers: int = 1) -> None:
    """Raise this process's limit of open files, which workers inherit, to what the system allows.

    Raises LimitError if the streams, spread over so many workers, still do not fit.
    """
    if sys.platform == "win32":
        _require(connections, 512 * workers, "windows-sockets", "the selector of Windows holds 512 in a process")
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        # macOS names no hard limit but refuses more than OPEN_MAX; what is needed is enough.
        hard = max(soft, connections // workers + 1 + RESERVED_FILES)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    fitting = (hard - RESERVED_FILES) * workers
    _require(connections, fitting, "open-files", f"the limit of open files of a process is {hard:,}")


def require_ports(connections: int, source_count: int) -> None:
    """Raise LimitError if there are fewer local ports, on so many source addresses, than connections to one address."""
    with suppress(OSError, ValueError):  # only Linux says
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()
        check_ports(connections, source_count, int(high) - int(low) + 1)


def check_ports(connections: int, source_count: int, port_count: int) -> None:
    """Do what ``require_ports`` says, for a system with so many ports for outgoing connections."""
    fitting = port_count * max(source_count, 1)
    _require(connections, fitting, "local-ports", f"a source address has {port_count:,} local ports")


def require_memory(connections: int, workers: int, *, tls: bool) -> None:
    """Raise LimitError if the streams need more memory than is available."""
    available_bytes = available_memory_bytes()
    if available_bytes is not None:
        check_memory(connections, workers, available_bytes, tls=tls)


def check_memory(connections: int, workers: int, available_bytes: int, *, tls: bool) -> None:
    """Do what ``require_memory`` says, for a system with so much available."""
    each_bytes = STREAM_BYTES + (TLS_BYTES if tls else 0)
    for_streams_bytes = available_bytes - RESERVED_BYTES - workers * WORKER_BYTES
    reason = (
        f"each takes about {each_bytes // 1024} KiB, and {available_bytes // 2**20:,} MiB of memory are available "
        f"({RESERVED_BYTES // 2**20} of them are left alone)"
    )
    _require(connections, for_streams_bytes // each_bytes, "memory", reason)


def available_memory_bytes() -> int | None:
    """Return how much memory can still be had without swapping, also in a container; None where nobody says."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        available_bytes = int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024
        with suppress(OSError, ValueError):  # no container, or one without a limit ("max")
            available_bytes = min(available_bytes, int(Path("/sys/fs/cgroup/memory.max").read_text("ascii")))
        return available_bytes
    return None


def _require(connections: int, fitting: int, code: str, reason: str) -> None:
    if connections > fitting:
        words = f"{connections:,} connections do not fit, at most {max(fitting, 0):,} do: {reason}"
        raise LimitError(words, code=code, arguments=["connections"])
