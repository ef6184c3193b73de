"""A server to try ``sse`` on, and to learn from: every way of server push, channels, faults on request, and a page.

``python -m demo_server`` starts it; ``demo_server.run`` does so from Python. The package never imports
``sseclient_cli``: the bytes it sends are made by its own encoder, so that it can be an oracle for the client.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from threading import Thread

from demo_server.options import MAX_WORKERS, AccessLog, Options, WorkerLostError

__all__ = ["MAX_WORKERS", "AccessLog", "Options", "WorkerLostError", "run"]


def run(options: Options) -> None:
    """Serve until SIGTERM, Ctrl-C or (if asked) the end of stdin; port 0 takes a free one.

    Call it from the main thread, as the last thing the process does: it takes over SIGTERM and SIGINT.
    Raises OSError, with one readable line in ``strerror``, when it cannot listen there, and WorkerLostError when
    a worker process ends by itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, exit_at_once)
    from demo_server.connections.listeners import bind, format_url
    from demo_server.connections.open_files import raise_open_file_limit

    raise_open_file_limit()
    listeners = bind(options.host, options.port, options.workers)
    url = format_url(listeners[0])
    if options.exit_on_stdin_eof:
        Thread(target=stop_at_stdin_eof, daemon=True).start()

    def announce() -> None:
        with suppress(OSError, AttributeError):  # nobody reads it; or there never was a stdout, and it is None
            # Past the buffer: what is left in there is tried again when the process ends, and complained of.
            os.write(sys.stdout.fileno(), f"demo server on {url}\n".encode())

    # Not above, so that `import demo_server` does not cost the half second that FastAPI takes.
    if options.workers == 1:
        from demo_server.server import serve_alone

        serve_alone(listeners[0], options, announce)
    else:
        from demo_server.supervisor import supervise

        supervise(listeners, options, announce)


def exit_at_once(*_: object) -> None:
    """Obey a signal that comes while the server is still being imported: without a traceback, too."""
    # Not sys.exit: what is imported calls Python from C here and there, where an exception is printed and passed over.
    os._exit(0)


def stop_at_stdin_eof() -> None:
    """Wait for the end of stdin, then stop as on SIGTERM."""
    # Not sys.stdin: a thread that waits inside of it holds a lock that Python needs to exit. An OSError:
    # stdin was never open.
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    signal.raise_signal(signal.SIGTERM)
