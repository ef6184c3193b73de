"""Starts a load process from a process that multiprocessing cannot use as a parent.

The worker processes of Dask are daemons, which may not have children of multiprocessing. It would also import the main
module of its parent, which is Dask's, in each child. Run as a program, this module is the child.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection

from sseclient_cli.run.executors.processes import LoadProcess, work_over
from sseclient_cli.run.spec import Shard


def started_apart(shard: Shard, with_progress: bool) -> tuple[LoadProcess, Connection]:
    """Start a load process, not on Windows."""
    ours, theirs = socket.socketpair()
    with theirs:
        # P: the folder of the parent must not provide modules.
        command = [sys.executable, "-Pm", "sseclient_cli.run.executors.apart", str(theirs.fileno())]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    connection = Connection(ours.detach())
    connection.send((shard, with_progress))
    return _Apart(process), connection


class _Apart:
    """A process with the interface of multiprocessing."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def exitcode(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()

    def join(self, timeout: float | None = None) -> None:
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return


def _main() -> None:
    connection = Connection(int(sys.argv[1]))
    try:
        shard, with_progress = connection.recv()
    except EOFError:  # its parent has ended
        os._exit(1)
    work_over(shard, connection, with_progress)


if __name__ == "__main__":
    _main()
