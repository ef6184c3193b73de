"""What this machine lets one process hold, known before the run rather than found out in the middle of it."""

from __future__ import annotations

import sys

from sseclient_cli.errors import LimitError

RESERVED_FILES = 64
"""Descriptors that are not streams: the loop's own, the standard ones, modules being imported, the report."""


def require_open_files(connections: int) -> None:
    """Raise the limit of open files to what the system allows. Raises LimitError if the streams still do not fit."""
    if sys.platform == "win32":
        _require(connections, 512, "the selector of Windows holds no more")
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        # macOS names no hard limit but refuses more than OPEN_MAX; what is needed is enough.
        hard = max(soft, connections + RESERVED_FILES)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _require(connections, hard - RESERVED_FILES, f"the limit of open files is {hard:,}; ulimit -Hn raises it")


def _require(connections: int, fitting: int, reason: str) -> None:
    if connections > fitting:
        raise LimitError(f"{connections:,} connections do not fit, at most {max(fitting, 0):,} do: {reason}")
