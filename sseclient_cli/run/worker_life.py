"""The life of a worker, wherever it runs: check the machine, wait for the start, run a shard, send its totals.

It talks to its coordinator through two functions, so that it works over a pipe, a queue or a cluster. Nothing is
written to stderr: the coordinator reports what happened.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from sseclient_cli.errors import InternalError, SseError
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.messages import Command, Interrupt, Ready, Start
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.resource_limits import require_open_files
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

Receive = Callable[[], Command | None]
"""Waits for the next command; None means that the coordinator is gone."""


def work(
    shard: Shard,
    receive: Receive,
    send: Callable[[Ready | Totals | SseError], None],
    send_progress: Callable[[Progress], None] | None,
    on_orphaned: Callable[[], None],
) -> None:
    """Do a shard. ``on_orphaned`` is called in a thread of its own when the coordinator is gone."""
    outcome: Totals | SseError
    try:
        require_open_files(shard.plan.most_open)
        worker = Worker(shard, send_progress)
        send(Ready())
        outcome = _worked(worker, receive, on_orphaned)
    except SseError as exc:
        outcome = exc
    except Exception as exc:  # noqa: BLE001 - the coordinator reports it; here it would be a traceback on the user's stderr
        outcome = InternalError(f"{type(exc).__name__}: {exc}")
    send(outcome)


def _worked(worker: Worker, receive: Receive, on_orphaned: Callable[[], None]) -> Totals:
    command = receive()
    if command is None:
        on_orphaned()
    # A thread, because the worker's loop has no turn for it. It costs nothing while it waits.
    Thread(target=_listen, args=(worker, receive, on_orphaned), daemon=True).start()
    if isinstance(command, Start):
        return worker.run(command.at_ns)
    worker.interrupt()
    return worker.run()


def _listen(worker: Worker, receive: Receive, on_orphaned: Callable[[], None]) -> None:
    """Interrupt the worker when the coordinator says so."""
    while (command := receive()) is not None:
        if isinstance(command, Interrupt):
            worker.interrupt()
    on_orphaned()
