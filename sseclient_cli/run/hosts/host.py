"""A machine of a cluster."""

from __future__ import annotations

import os
import platform
import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """A machine of the load generator, as it describes itself."""

    name: str
    system: str
    machine: str
    python: str
    cpus: int
    """The number of cores that a process may use there."""


def this_host() -> Host:
    """Return the machine of this process."""
    return Host(
        name=socket.gethostname(),
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        python=platform.python_version(),
        cpus=usable_cores(),
    )


def usable_cores() -> int:
    """Return the number of cores that this process may use, which can be lower than that of the machine."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no sched_getaffinity
        return os.cpu_count() or 1
