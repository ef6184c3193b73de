"""A worker process from the inside: one shard, and the pipe to the parent.

Over the pipe come a start (monotonic ns) and perhaps an interrupt; out go ``READY``, snapshots, and at last the totals
or a ``Failure``. Its end means that the parent is dead, and nobody is left to work for. Nothing is ever written
to stderr: that is the user's, and the parent says what happened.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Thread

from sseclient_cli.ending_signals import ending_signals
from sseclient_cli.errors import InternalError, SseError
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.resource_limits import require_open_files
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

READY = "ready"
INTERRUPT = "interrupt"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a worker has no totals: the kind of an error, and its text."""

    kind: str
    text: str


def work(job: Shard, connection: Connection, *, shows: bool) -> None:
    """Do this shard; send snapshots if somebody looks at them."""
    # A terminal's Ctrl-C, and `timeout`'s SIGTERM, go to the whole group: the parent hears them, and tells us once.
    # Until here they were blocked, from before this process began.
    for number in ending_signals():
        signal.signal(number, signal.SIG_IGN)
    outcome: Totals | Failure
    try:
        require_open_files(job.plan.most_open)
        outcome = _worked(job, connection, shows=shows)
    except SseError as exc:
        outcome = Failure(exc.kind, str(exc))
    except Exception as exc:  # noqa: BLE001 - the parent reports it; here it would be a traceback on the user's stderr
        outcome = Failure(InternalError.kind, f"{type(exc).__name__}: {exc}")
    with suppress(OSError):  # the parent is dead
        connection.send(outcome)


def _worked(job: Shard, connection: Connection, *, shows: bool) -> Totals:
    def show(snapshot: Progress) -> None:
        with suppress(OSError):
            if _takes_more(connection):
                connection.send(snapshot)

    worker = Worker(job, show if shows else None)
    connection.send(READY)
    start_ns = connection.recv()
    # A thread, because the loop has no turn for it. As long as it waits it costs nothing.
    Thread(target=_listen, args=(connection, worker), daemon=True).start()
    if start_ns == INTERRUPT:
        worker.interrupt()
        start_ns = None
    return worker.run(start_ns)


def _listen(connection: Connection, worker: Worker) -> None:
    """Interrupt the worker when the parent says so; end this process when the parent has ended."""
    try:
        while True:
            connection.recv()
            worker.interrupt()
    except (EOFError, OSError):
        os._exit(1)


def _takes_more(connection: Connection) -> bool:
    """Return whether a snapshot can be sent at once: the load must not wait for a parent that is stopped or busy."""
    # Windows has no such question for a pipe.
    return sys.platform == "win32" or bool(select.select([], [connection], [], 0)[1])
