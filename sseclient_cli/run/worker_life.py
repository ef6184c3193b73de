"""The life cycle of a worker: check resource limits, wait for the start, run a shard, send its totals.

It communicates with the coordinator through functions, so that it works over a pipe, a queue or a network. It writes
nothing to stderr: the coordinator reports errors.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from sseclient_cli.errors import InternalError, SseError
from sseclient_cli.measure.totals import Totals
from sseclient_cli.run.messages import Command, Interrupt, Ready, Snapshot, Start
from sseclient_cli.run.progress import Progress
from sseclient_cli.run.resource_limits import require_open_files
from sseclient_cli.run.spec import Shard, connections_for
from sseclient_cli.run.unstarted import unstarted
from sseclient_cli.run.worker import Worker

Receive = Callable[[], Command | None]
"""Waits for the next command. None means that the coordinator has ended."""


def work(
    shard: Shard,
    receive: Receive,
    send: Callable[[Ready | Totals | SseError], None],
    send_progress: Callable[[Progress | Snapshot], object] | None,
    on_orphaned: Callable[[], None],
) -> None:
    """Run a shard. ``on_orphaned`` is called, possibly in another thread, when the coordinator has ended."""
    outcome: Totals | SseError
    try:
        streams = shard.plan.most_open
        require_open_files(sum(connections_for(streams, shard.plan, chain[0].target) for chain in shard.chains))
        worker = Worker(shard, send_progress, send_progress if shard.sends_snapshots else None)
        with worker.prepared():
            send(Ready())
            outcome = _worked(worker, shard, receive, on_orphaned)
    except SseError as exc:
        outcome = exc
    except Exception as exc:  # noqa: BLE001 - the coordinator reports it; no traceback on stderr
        outcome = InternalError(f"{type(exc).__name__}: {exc}")
    send(outcome)


def _worked(worker: Worker, shard: Shard, receive: Receive, on_orphaned: Callable[[], None]) -> Totals:
    command = receive()
    if isinstance(command, Start):
        # Use a thread, because the worker's loop does not wait for commands. A blocked thread costs nothing.
        Thread(target=_listen, args=(worker, receive, on_orphaned), daemon=True).start()
        return worker.run_from(command.at_ns)
    if command is None:
        on_orphaned()
    return unstarted(shard)


def _listen(worker: Worker, receive: Receive, on_orphaned: Callable[[], None]) -> None:
    """Interrupt the worker when the coordinator sends ``Interrupt``."""
    while (command := receive()) is not None:
        if isinstance(command, Interrupt):
            worker.interrupt()
    on_orphaned()
