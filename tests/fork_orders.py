"""Orders to a fork server (fork_server.py), as the process sees it that orders."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

HEADER_BYTES = 8
PR_SET_CHILD_SUBREAPER = 36

GROUP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals to a process group, which do not concern the server: it ends with its socket."""


@dataclass(frozen=True)
class Order:
    """A process to start. Copies of its descriptors accompany the order."""

    arguments: list[str]
    """Those of the interpreter: `-m MODULE ...` or `-c CODE ...`."""

    environment: dict[str, str]
    directory: str
    parent: int
    descriptors: list[int]
    """The numbers of its descriptors."""

    new_session: bool
    process_group: int
    umask: int
    open_files: list[int]
    ignored_signals: list[int]
    blocked_signals: list[int]
    namespaces: list[str]
    """Files in /proc of the namespaces to enter."""

    @classmethod
    def like_this_process(
        cls,
        arguments: list[str],
        descriptors: list[int],
        *,
        environment: Mapping[str, str] = os.environ,
        directory: str = "",
        new_session: bool = False,
        process_group: int = -1,
        umask: int = -1,
        namespaces: Sequence[str] = (),
    ) -> Order:
        """Return the order for a child of this process, which inherits the rest."""
        return cls(
            arguments,
            dict(environment),
            directory or os.getcwd(),
            os.getpid(),
            descriptors,
            new_session,
            process_group,
            current_umask() if umask < 0 else umask,
            list(resource.getrlimit(resource.RLIMIT_NOFILE)),
            [number for number in GROUP_SIGNALS if signal.getsignal(number) is signal.SIG_IGN],
            sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
            list(namespaces),
        )


def current_umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


class ForkServer:
    """A fork server, as the process sees it that orders."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._prctl = ctypes.CDLL(None).prctl

    def start(self, order: Order, descriptors: list[int]) -> int:
        """Start a process with these of our descriptors, and return its number."""
        data = json.dumps(asdict(order)).encode()
        with self._lock:
            self._prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            try:
                socket.send_fds(self._control, [len(data).to_bytes(HEADER_BYTES, "big")], descriptors)
                self._control.sendall(data)
                return int.from_bytes(received(self._control, HEADER_BYTES), "big")
            finally:
                self._prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def close(self) -> None:
        self._control.close()


def received(control: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = control.recv(count - len(data))
        assert more, "the other end is closed"
        data += more
    return data
