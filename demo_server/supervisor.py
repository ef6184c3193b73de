"""Several worker processes on one port, and the process that starts and stops them.

On Linux each worker has its own listening socket, and the kernel distributes connections over them. Elsewhere all
workers accept from the same socket. If a worker exits by itself, the whole server stops with an error: a replacement
would not have its channels and fault logs.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
from collections.abc import Callable

from demo_server.options import Options, WorkerLostError
from demo_server.workers.hub import Hub
from demo_server.workers.peers import HubPeers

# A worker exits within 3 s of its signal, which it receives after this process.
STOP_TIMEOUT_S = 4.0
POLL_INTERVAL_S = 0.1


def supervise(listeners: list[socket.socket], options: Options, on_ready: Callable[[], None]) -> None:
    """Serve in one process per socket until a signal arrives.

    Raises WorkerLostError when a worker exits by itself, after stopping the others.
    """
    ours, theirs = zip(*(socket.socketpair() for _ in listeners), strict=True)
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=work, args=(listener, hub, options))
        for listener, hub in zip(listeners, theirs, strict=True)
    ]
    # From here on, signals are only recorded: an exception between two starts would leave workers running.
    signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))
    # Ctrl-C also reaches the workers. Before they have a handler, they would print tracebacks, so they inherit SIG_IGN.
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
            process.join(STOP_TIMEOUT_S)
            process.kill()


async def wait_for_end(hubs: list[socket.socket], signals: list[int], on_ready: Callable[[], None]) -> None:
    """Run the hub until a signal is recorded."""
    hub = Hub()
    workers = await hub.connect(hubs)
    ready = asyncio.create_task(hub.all_ready.wait())
    waiting = asyncio.create_task(wait_for_signal(signals))
    done, _ = await asyncio.wait([*workers, ready, waiting], return_when=asyncio.FIRST_COMPLETED)
    if ready in done:
        on_ready()
        await asyncio.wait([*workers, waiting], return_when=asyncio.FIRST_COMPLETED)
    hub.close()
    if not signals:  # after Ctrl-C, a worker may exit before this process has handled its own signal
        raise WorkerLostError("a worker process exited by itself, so the server has stopped")


async def wait_for_signal(signals: list[int]) -> None:
    """Poll for a recorded signal, like uvicorn: a signal raised in a thread does not wake a waiting event loop."""
    while not signals:  # noqa: ASYNC110 - an Event cannot be set from a signal handler
        await asyncio.sleep(POLL_INTERVAL_S)


def work(listener: socket.socket, hub: socket.socket, options: Options) -> None:
    """Run one worker."""
    # Imported here, because the supervising process does not need FastAPI.
    from demo_server.connections.open_files import raise_open_file_limit
    from demo_server.server import serve

    raise_open_file_limit()
    peers = HubPeers(hub)
    serve(listener, options, peers, peers.join)
