"""What the server does when it runs out of open files: each connection is one, and the system sets a limit.

Without this, accept() fails, asyncio prints a traceback and tries again: with Python 3.11 as many times per second as
the backlog is long, 4,096. The clients wait without an answer. Here, the last few files are a reserve: a connection
that is given one of them is answered with 503 and closed. If even the reserve is in use, asyncio pauses for a second. A
line in the log says how many connections were refused.
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

RESERVED_FILES = 32
MAX_RESERVED_SHARE = 1 / 8  # or a limit of 40 files would leave none

# What asyncio pauses for (selector_events.py, `_accept_connection`), for 1 s.
OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
PAUSE_S = 0.9

SAY_AFTER_S = 1.0  # a burst is one line
SAY_EVERY_S = 5.0

logger = logging.getLogger("demo_server.open_files")


def raise_open_file_limit() -> None:
    """Allow as many connections as the system lets us; shells commonly start processes with 1024."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says "unlimited" and refuses it: the server works then, with fewer connections.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_file_limit() -> float:
    """Return how many files this process may have open."""
    if sys.platform == "win32":
        return math.inf
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else soft


def is_in_reserve(file_number: int) -> bool:
    """Say whether a new file is one of the last. POSIX gives each the lowest number that is free."""
    limit = open_file_limit()
    return file_number >= limit - min(RESERVED_FILES, limit * MAX_RESERVED_SHARE)


class Shortage:
    """Counts the connections that are refused, and logs them: at most a line every SAY_EVERY_S."""

    def __init__(self) -> None:
        self._refused = 0
        self._is_pausing = False
        self._said_s = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def note_refusal(self) -> None:
        """Count a connection that is answered with 503."""
        self._refused += 1
        self._say_soon()

    def handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle what asyncio reports: count its pauses, and leave the rest to it."""
        exc = context.get("exception")
        is_accepting = str(context.get("message")).startswith("socket.accept()")
        if is_accepting and isinstance(exc, OSError) and exc.errno in OUT_OF_FILES:
            self._is_pausing = True
            self._say_soon()
        else:
            loop.default_exception_handler(context)

    def _say_soon(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due_s = max(loop.time() + SAY_AFTER_S, self._said_s + SAY_EVERY_S)
            self._timer = loop.call_at(due_s, self.say)

    def say(self) -> None:
        """Log what has happened since the last line, if anything has."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer, self._said_s = None, asyncio.get_running_loop().time()
        waiting = "; others have to wait" if self._is_pausing else ""
        logger.warning(
            "demo server: all of %s open files are in use: %s connections were refused with 503%s. "
            "Raise the limit (`ulimit -n`) or start more --workers",
            f"{open_file_limit():,}",
            f"{self._refused:,}",
            waiting,
        )
        self._refused, self._is_pausing = 0, False


class GuardedListener(socket.socket):
    """A listening socket for asyncio, which calls accept() until it would block."""

    def __init__(self, listener: socket.socket, shortage: Shortage) -> None:
        family, kind, protocol = listener.family, listener.type, listener.proto
        super().__init__(family, kind, protocol, listener.detach())
        self._shortage = shortage
        self._is_giving_way = False
        self._paused_until_s = 0.0

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept; of connections to be refused only one per turn of the loop, which then has its file back."""
        if self._is_giving_way or time.monotonic() < self._paused_until_s:
            self._is_giving_way = False
            raise BlockingIOError
        try:
            connection, address = super().accept()
        except OSError as exc:
            if exc.errno in OUT_OF_FILES:
                self._paused_until_s = time.monotonic() + PAUSE_S
            raise
        if is_in_reserve(connection.fileno()):
            self._is_giving_way = True
            self._shortage.note_refusal()
        return connection, cast("Any", address)
