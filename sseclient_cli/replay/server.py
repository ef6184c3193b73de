"""Read a recording, and run its server until a signal arrives."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

import uvicorn

from sseclient_cli.client.recording_reader import DamageLog
from sseclient_cli.errors import UsageError
from sseclient_cli.replay.app import Replay
from sseclient_cli.replay.pacing import Pacing
from sseclient_cli.replay.timeline import Timeline

BACKLOG = 4096
"""The maximum by default since Linux 5.4."""

ABORT_AFTER_S = 0.5
"""The time for clients to read their last bytes when the server stops."""

GRACEFUL_SHUTDOWN_S = 2


@contextmanager
def loaded(path: Path, say: Callable[[str], None]) -> Iterator[list[Timeline]]:
    """Yield a timeline for each stream of a recording. ``say`` writes a message for each damaged line.

    Raises UsageError if the file is not a recording, or has nothing to send.
    """
    with ExitStack() as stack:
        damage = DamageLog(path, say)
        first = stack.enter_context(Timeline(path, damage.add))
        damage.end()
        others = [Timeline(path, lambda _: None, number) for number in range(1, len(first.header.streams))]
        timelines = [first, *map(stack.enter_context, others)]
        if not any(map(len, timelines)):
            raise UsageError(f"{path} has no event and no comment to replay")
        yield timelines


def serve(timelines: Sequence[Timeline], pacing: Pacing, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C, and write the URL to stdout. Raises UsageError if it cannot listen."""
    listener = _listening(host, port)
    config = uvicorn.Config(
        replay := Replay(timelines, pacing),
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        backlog=BACKLOG,
        access_log=False,
        log_config=None,  # warnings and errors still reach stderr through logging.lastResort
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    _Server(config, replay, lambda: _announce(_url_of(listener))).run(sockets=[listener])


def _announce(url: str) -> None:
    with suppress(OSError, AttributeError):  # a closed pipe, or sys.stdout is None
        # Not through the buffer: Python would flush it again at exit, and print a traceback.
        os.write(sys.stdout.fileno(), f"replay on {url}\n".encode())


def _listening(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 selects a free port. Raises UsageError."""
    _raise_open_file_limit()
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except UnicodeError as exc:  # raised by the IDNA codec for labels that are empty or longer than 63 bytes
        raise UsageError(f"cannot listen on {host}: not a host name") from exc
    except socket.gaierror as exc:
        raise UsageError(f"cannot listen on {host}: {(exc.strerror or str(exc)).lower()}") from exc
    except OSError as exc:  # the strerror of create_server includes the address
        code = "address-in-use" if exc.errno == errno.EADDRINUSE else ""
        raise UsageError(
            f"cannot listen on {host} port {port}: {os.strerror(exc.errno or 0).lower()}", code=code
        ) from exc


def _url_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, replay: Replay, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._replay = replay
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._replay.end()
        asyncio.get_running_loop().call_later(ABORT_AFTER_S, self._abort_all)
        await super().shutdown(sockets)

    def _abort_all(self) -> None:
        """Abort the connections of clients that do not read."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop. uvicorn would raise the signal again after the shutdown, and exit with its code."""
        self.should_exit = True


def _raise_open_file_limit() -> None:
    """Allow as many connections as the system does: each takes one file."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS has a lower limit than "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
