"""What a server is started with. Cheap to import: the command line needs it for its help."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MAX_WORKERS = 64  # each is a process of some 60 MB


class AccessLog(Enum):
    """Which requests are logged."""

    NONE = "none"
    REQUESTS = "requests"
    ALL = "all"


class WorkerLostError(Exception):
    """A worker process has ended without being asked to."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen, in how many processes, and what to say."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    access_log: AccessLog = AccessLog.REQUESTS
    exit_on_stdin_eof: bool = False
    allow_hosts: tuple[str, ...] = ()
    """Names besides the server's own that a request may have in Host; ``*`` is any."""
