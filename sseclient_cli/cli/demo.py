"""``sse demo``: run the bundled server, for a user or for another command.

The only module that knows both packages. For another command, the server runs in a process of its own, like any target.
"""

from __future__ import annotations

import errno
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated

import typer

import demo_server
from demo_server import AccessLog
from sseclient_cli.cli.child_server import PATIENCE_S, RunningServer, ServerProgram, serving
from sseclient_cli.errors import UsageError, WorkerLostError


@dataclass(frozen=True, slots=True)
class ServerTally:
    """The bundled server's own count of streams and events, to compare with the measured figures."""

    streams_opened: int
    events_sent: int

    @classmethod
    def of(cls, server: str) -> ServerTally | None:
        """Return the count of the server at this URL; None if it does not answer."""
        import httpx

        try:
            # Without TLS: loading its certificates would take longer than the request.
            stats = httpx.get(f"{server}/stats", trust_env=False, verify=False, timeout=PATIENCE_S).json()
        except (httpx.HTTPError, ValueError):
            return None
        return cls(stats["streams_opened"], stats["events_sent"])

    def __sub__(self, earlier: ServerTally) -> ServerTally:
        return ServerTally(self.streams_opened - earlier.streams_opened, self.events_sent - earlier.events_sent)


def demo(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Listen on this address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Listen on this port; 0 picks a free port.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=demo_server.MAX_WORKERS, help="Run this many worker processes.")
    ] = 1,
    access_log: Annotated[
        AccessLog, typer.Option(help="Log these requests as JSON lines on stderr; `all` includes streams.")
    ] = AccessLog.REQUESTS,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Also accept this host name; * accepts any; repeatable."),
    ] = None,
    redis: Annotated[
        str,
        typer.Option(metavar="URL", help="Share channels through this Redis or Valkey, also with other servers."),
    ] = "",
    separate_channels: Annotated[
        bool,
        typer.Option("--separate-channels", help="Do not share channels between workers: subscribers miss events."),
    ] = False,
) -> None:
    """Run the demo server: event streams to watch and load-test, and a page that shows them."""
    if redis and separate_channels:
        raise UsageError("--separate-channels cannot be used with --redis, which shares them")
    if separate_channels and workers == 1:
        raise UsageError("--separate-channels needs --workers 2 or more: one process has nothing to share")
    try:
        demo_server.run(
            demo_server.Options(
                host,
                port,
                workers,
                access_log,
                allow_hosts=tuple(allow_host or ()),
                redis_url=redis,
                separate_channels=separate_channels,
            )
        )
    except OSError as exc:
        advice = "; --port 0 picks a free port" if exc.errno == errno.EADDRINUSE else ""
        raise UsageError(f"{exc.strerror}{advice}") from exc
    except demo_server.RedisUnusableError as exc:
        raise UsageError(f"--redis: {exc}") from exc
    except demo_server.WorkerLostError as exc:
        raise WorkerLostError(str(exc)) from exc


def is_demo(url: str) -> bool:
    """Return whether a URL means the bundled server: ``demo``, also with a path or a query."""
    return re.match(r"demo(?=[/?]|$)", url) is not None


def demo_url(server: str, url: str, default_path: str) -> str:
    """Return the URL of a request to the bundled server; ``demo`` without a path means the default path."""
    rest = url.removeprefix("demo")
    path = rest if rest.startswith("/") else default_path + rest
    return (server.replace("http://", "ws://", 1) if is_demo_websocket(url) else server) + path


def is_demo_websocket(url: str) -> bool:
    """Return whether a URL means the WebSocket endpoint of the bundled server."""
    return re.match(r"demo/ws(?=\?|$)", url) is not None


def serving_demo(*, http2: bool) -> AbstractContextManager[RunningServer]:
    """Start the bundled server on a free port; it stops at the end of the block."""
    arguments = ("demo_server", "--port", "0", "--access-log", "none", "--exit-on-stdin-eof")
    return serving(ServerProgram("the demo server", "sse demo", arguments), http2=http2)
