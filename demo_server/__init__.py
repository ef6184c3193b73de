"""A demo server for ``sse``: push endpoints, channels, fault injection and a page.

Start it with ``python -m demo_server``, or with ``demo_server.run`` from Python. The package never imports
``sseclient_cli`` and has its own encoder, so that it is an independent oracle for tests of the client.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from threading import Thread

from demo_server.options import MAX_WORKERS, AccessLog, Options, RedisUnusableError, WorkerLostError

__all__ = ["MAX_WORKERS", "AccessLog", "Options", "RedisUnusableError", "WorkerLostError", "run"]


def run(options: Options) -> None:
    """Serve until SIGTERM, Ctrl-C or (with ``exit_on_stdin_eof``) the end of stdin. Port 0 selects a free port.

    Call it from the main thread, and as the last action of the process: it replaces the handlers of SIGTERM and SIGINT,
    and exits. Raises OSError with a readable ``strerror`` if it cannot listen, RedisUnusableError if it cannot use the
    Redis of the options, and WorkerLostError if a worker process exits by itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, exit_at_once)
    from demo_server.connections.listeners import bind, format_url
    from demo_server.connections.open_files import raise_open_file_limit

    if options.redis_url:
        from demo_server.channels.redis_server import check_redis

        check_redis(options.redis_url)
    raise_open_file_limit()
    listeners = bind(options.host, options.port, options.workers)
    url = format_url(listeners[0])
    if options.exit_on_stdin_eof:
        Thread(target=stop_at_stdin_eof, daemon=True).start()

    def announce() -> None:
        with suppress(OSError, AttributeError):  # a closed pipe, or sys.stdout is None
            # Not through the buffer: Python would flush it again at exit, and print a traceback.
            os.write(sys.stdout.fileno(), f"demo server on {url}\n".encode())

    # Imported here, so that `import demo_server` does not import FastAPI, which takes half a second.
    if options.workers == 1:
        from demo_server.server import serve_alone

        serve_alone(listeners[0], options, announce)
    else:
        from demo_server.supervisor import supervise

        supervise(listeners, options, announce)


def exit_at_once(*_: object) -> None:
    """Exit on a signal during the imports, without a traceback."""
    # Not sys.exit: its exception is printed and ignored in callbacks from C, such as finalizers.
    os._exit(0)


def stop_at_stdin_eof() -> None:
    """Wait for the end of stdin, then raise SIGTERM."""
    # Not sys.stdin: a thread that reads it holds a lock that Python needs to exit. OSError: stdin is closed.
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    signal.raise_signal(signal.SIGTERM)
