"""``sse demo``: the bundled server, for a person or for another command.

The only place that knows both packages: the server runs as a process of its own, as any other target would.
"""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

import demo_server
from demo_server import AccessLog
from sseclient_cli.errors import ConnectError, UsageError, WorkerLostError


@dataclass(frozen=True, slots=True)
class ServerTally:
    """What the bundled server itself says it has done: the truth to hold our own figures against."""

    streams_opened: int
    events_sent: int

    @classmethod
    def of(cls, server: str) -> ServerTally | None:
        """Ask the server at this URL; None if it does not answer: that is no reason to lose a report."""
        import httpx

        try:
            stats = httpx.get(f"{server}/stats", trust_env=False, timeout=PATIENCE_S).json()
        except (httpx.HTTPError, ValueError):
            return None
        return cls(stats["streams_opened"], stats["events_sent"])

    def __sub__(self, earlier: ServerTally) -> ServerTally:
        return ServerTally(self.streams_opened - earlier.streams_opened, self.events_sent - earlier.events_sent)


PATIENCE_S = 5.0
"""How long the bundled server may take to answer or to stop: it promises to be gone in 3 s."""


def demo(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=demo_server.MAX_WORKERS, help="Processes that share the port.")
    ] = 1,
    access_log: Annotated[
        AccessLog, typer.Option(help="Which requests to log as JSON lines on stderr; only 'all' has streams in it.")
    ] = AccessLog.REQUESTS,
) -> None:
    """Run the demo server: streams to watch and to load, and a page that shows them."""
    try:
        demo_server.run(demo_server.Options(host, port, workers, access_log))
    except OSError as exc:
        advice = "; --port 0 takes a free one" if exc.errno == errno.EADDRINUSE else ""
        raise UsageError(f"{exc.strerror}{advice}") from exc
    except demo_server.WorkerLostError as exc:
        raise WorkerLostError(str(exc)) from exc


@contextmanager
def serving_demo() -> Iterator[str]:
    """Start the bundled server on a free port, yield its URL without a path, and stop it afterwards.

    It runs in a session of its own, so that Ctrl-C reaches only us and the partial report still has a server to
    ask; and it ends when its stdin does, so that it cannot outlive us.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "demo_server", "--port", "0", "--access-log", "none", "--exit-on-stdin-eof"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise ConnectError(f"the demo server did not start (exit code {process.wait()}): see above")
        yield line.split()[-1]
    finally:
        process.stdin.close()
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
