"""Refuse connections when the limit of open files is near: each connection is an open file.

Without this, accept() fails, and asyncio prints a traceback and tries again. Python 3.11 does so up to 4,096 times per
second (the length of the backlog), and the clients wait without a response. Here, the last files are a reserve: a
connection with one of them is answered with 503 and closed. If the reserve is used up as well, asyncio pauses for 1 s.
A log line has the number of refused connections.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import math
import socket
import sys
import time
from contextlib import suppress
from typing import Any, cast

from demo_server.connections.timestamped_socket import TimestampedSocket, request_timestamps

RESERVED_FILES = 32
MAX_RESERVED_SHARE = 1 / 8  # otherwise, a limit of 40 files would leave no room for connections

# On these errors, asyncio pauses for 1 s (selector_events.py, `_accept_connection`).
OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
PAUSE_S = 0.9

LOG_DELAY_S = 1.0  # one line for a burst of connections
LOG_INTERVAL_S = 5.0

logger = logging.getLogger("demo_server.open_files")


def raise_open_file_limit() -> None:
    """Raise the soft limit to the hard limit. Shells commonly start processes with 1024."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS reports "unlimited" but refuses it. Then the server keeps its lower limit.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_file_limit() -> float:
    """Return the maximum number of open files of this process."""
    if sys.platform == "win32":
        return math.inf
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else soft


def is_in_reserve(file_number: int) -> bool:
    """Say whether a file is one of the last. POSIX assigns the lowest free number to a new file."""
    limit = open_file_limit()
    return file_number >= limit - min(RESERVED_FILES, limit * MAX_RESERVED_SHARE)


class Shortage:
    """Counts refused connections, and logs their number at most every LOG_INTERVAL_S."""

    def __init__(self) -> None:
        self._refused = 0
        self._is_pausing = False
        self._logged_s = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def count_rejected(self) -> None:
        """Count a connection that is answered with 503."""
        self._refused += 1
        self._log_soon()

    def handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle an exception of the event loop: note its pauses, and pass on all others."""
        exc = context.get("exception")
        is_accepting = str(context.get("message")).startswith("socket.accept()")
        if is_accepting and isinstance(exc, OSError) and exc.errno in OUT_OF_FILES:
            self._is_pausing = True
            self._log_soon()
        else:
            loop.default_exception_handler(context)

    def _log_soon(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due_s = max(loop.time() + LOG_DELAY_S, self._logged_s + LOG_INTERVAL_S)
            self._timer = loop.call_at(due_s, self.log)

    def log(self) -> None:
        """Log the refused connections since the last line, if there are any."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer, self._logged_s = None, asyncio.get_running_loop().time()
        waiting = "; further connections wait" if self._is_pausing else ""
        logger.warning(
            "demo server: all %s open files are in use: %s connections were refused with 503%s. "
            "Raise the limit (`ulimit -n`) or start more --workers",
            f"{open_file_limit():,}",
            f"{self._refused:,}",
            waiting,
        )
        self._refused, self._is_pausing = 0, False


class GuardedListener(socket.socket):
    """A listening socket for asyncio, which calls accept() until that would block."""

    def __init__(self, listener: socket.socket, shortage: Shortage) -> None:
        family, kind, protocol = listener.family, listener.type, listener.proto
        super().__init__(family, kind, protocol, listener.detach())
        request_timestamps(self)
        self._shortage = shortage
        self._is_yielding = False
        self._paused_until_s = 0.0

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection; at most one to refuse per turn of the loop, so that its file is free again."""
        if self._is_yielding or time.monotonic() < self._paused_until_s:
            self._is_yielding = False
            raise BlockingIOError
        try:
            connection, address = super().accept()
        except OSError as exc:
            if exc.errno in OUT_OF_FILES:
                self._paused_until_s = time.monotonic() + PAUSE_S
            raise
        if is_in_reserve(connection.fileno()):
            self._is_yielding = True
            self._shortage.count_rejected()
        return TimestampedSocket.of(connection), cast("Any", address)
