"""The options of the server. Cheap to import, because `sse demo --help` needs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

MAX_WORKERS = 64  # each is a process of about 60 MB


class AccessLog(Enum):
    """The requests to log."""

    NONE = "none"
    REQUESTS = "requests"
    ALL = "all"


class WorkerLostError(Exception):
    """A worker process has exited by itself."""


class RedisUnusableError(Exception):
    """The server cannot start with this Redis. The message is the reason, without secrets of the URL."""


@dataclass(frozen=True, slots=True)
class Options:
    """Address, processes and logging of a server."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    access_log: AccessLog = AccessLog.REQUESTS
    exit_on_stdin_eof: bool = False
    allow_hosts: tuple[str, ...] = ()
    """Further host names to accept in the Host header; ``*`` accepts all."""
    redis_url: str = field(default="", repr=False)
    """Share channels with all servers at this Redis; it may hold a password."""
    separate_channels: bool = False
    """Do not share channels between workers, to show what is lost then."""
