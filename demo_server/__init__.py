"""A server to try ``sse`` on: an event stream, a plain streaming response and a stream for load tests.

``python -m demo_server`` starts it; ``demo_server.run`` does so from Python. The package never imports
``sseclient_cli``: the bytes it sends are made by its own encoder, so that it can be an oracle for the client.
"""

from __future__ import annotations

import signal
import sys

__all__ = ["run"]


def run(host: str, port: int, *, access_log: str = "requests", exit_on_stdin_eof: bool = False) -> None:
    """Serve until SIGTERM, Ctrl-C or (if asked) the end of stdin; port 0 takes a free one.

    Call it from the main thread, as the last thing the process does: it takes over SIGTERM and SIGINT.
    Raises OSError, with one readable line in ``strerror``, when it cannot listen there.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, exit_at_once)
    # Here and not above, so that `import demo_server` does not cost the half second that FastAPI takes.
    from demo_server.server import serve

    serve(host, port, access_log=access_log, exit_on_stdin_eof=exit_on_stdin_eof)


def exit_at_once(*_: object) -> None:
    """Obey a signal that comes while the server is still being imported: without a traceback, too."""
    sys.exit(0)
