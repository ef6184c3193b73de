"""Several worker processes that listen on one port, and the process that starts and ends them.

Each worker has a socket of its own where the kernel spreads connections over such sockets (Linux); elsewhere all
accept from the same one. A worker that ends by itself ends the server, and it says so: what the worker's clients were
sent, and what it knew of channels and runs, cannot be had back by starting another.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
from collections.abc import Callable

from demo_server.options import Options, WorkerLostError
from demo_server.workers.hub import Hub
from demo_server.workers.peers import Members

# A worker promises to be gone within 3 s; it had its signal just after us.
END_WITHIN_S = 4.0
LOOK_EVERY_S = 0.1


def supervise(listeners: list[socket.socket], options: Options, on_ready: Callable[[], None]) -> None:
    """Serve on each of the sockets, in a process each, until a signal comes.

    Raises WorkerLostError when a worker ends by itself; the others are ended first.
    """
    ours, theirs = zip(*(socket.socketpair() for _ in listeners), strict=True)
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=work, args=(listener, hub, options))
        for listener, hub in zip(listeners, theirs, strict=True)
    ]
    # From here on a signal is only noted: an exception between two starts would leave workers behind that nobody ends.
    signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))
    # A Ctrl-C reaches the workers, too, and before they have a handler it would print their tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for process in processes:
            process.start()
        signal.signal(signal.SIGINT, lambda number, _: signals.append(number))
        for sock in (*listeners, *theirs):
            sock.close()
        asyncio.run(wait_for_end(list(ours), signals, on_ready))
    finally:
        started = [process for process in processes if process.pid is not None]
        for process in started:
            process.terminate()
        for process in started:
            process.join(END_WITHIN_S)
            process.kill()


async def wait_for_end(hubs: list[socket.socket], signals: list[int], on_ready: Callable[[], None]) -> None:
    """Pass messages between the workers until a signal is noted."""
    hub = Hub()
    workers = await hub.connect(hubs)
    ready = asyncio.create_task(hub.all_ready.wait())
    waiting = asyncio.create_task(wait_for_signal(signals))
    done, _ = await asyncio.wait([*workers, ready, waiting], return_when=asyncio.FIRST_COMPLETED)
    if ready in done:
        on_ready()
        await asyncio.wait([*workers, waiting], return_when=asyncio.FIRST_COMPLETED)
    hub.close()
    if not signals:  # Ctrl-C ends the workers, too, and one of them may be gone before we have looked
        raise WorkerLostError("a worker process has ended by itself, and the server with it")


async def wait_for_signal(signals: list[int]) -> None:
    """Look for one now and then, as uvicorn does: a loop that waits is not woken by what a thread raises."""
    while not signals:  # noqa: ASYNC110 - an Event cannot be set from a signal handler
        await asyncio.sleep(LOOK_EVERY_S)


def work(listener: socket.socket, hub: socket.socket, options: Options) -> None:
    """Be a worker."""
    # Here and not above: the process that supervises needs none of it.
    from demo_server.connections.open_files import raise_open_file_limit
    from demo_server.server import serve

    raise_open_file_limit()
    peers = Members(hub)
    serve(listener, options, peers, peers.join)
