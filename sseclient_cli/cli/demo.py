"""``sse demo``: run the bundled server, for a user or for another command.

The only module that knows both packages. For another command, the server runs in a process of its own, like any target.
"""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread, Timer
from typing import IO, Annotated, NamedTuple

import typer

import demo_server
from demo_server import AccessLog
from sseclient_cli.errors import ConnectError, UsageError, WorkerLostError


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
            stats = httpx.get(f"{server}/stats", trust_env=False, timeout=PATIENCE_S).json()
        except (httpx.HTTPError, ValueError):
            return None
        return cls(stats["streams_opened"], stats["events_sent"])

    def __sub__(self, earlier: ServerTally) -> ServerTally:
        return ServerTally(self.streams_opened - earlier.streams_opened, self.events_sent - earlier.events_sent)


PATIENCE_S = 5.0
"""The time limit for the bundled server to answer or to stop: its own limit to stop is 3 s."""

START_WITHIN_S = 30.0
"""The time limit for its start, which takes half a second of CPU time, on a machine that may be busy."""


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


def demo_path(url: str, default_path: str) -> str:
    """Return the path and query of the request to the bundled server, with the default path if there is none."""
    rest = url.removeprefix("demo")
    return rest if rest.startswith("/") else default_path + rest


class RunningServer(NamedTuple):
    """The bundled server of another command."""

    url: str
    """Without a path."""
    pid: int


@contextmanager
def serving_demo() -> Iterator[RunningServer]:
    """Start the bundled server on a free port, yield it, and stop it afterwards.

    It runs in a session of its own, so that Ctrl-C does not stop it before the partial report has its counts. It stops
    when its stdin is closed, so that it cannot outlive this process.
    """
    # -P: otherwise Python imports modules from the current directory first, where a demo_server.py or a json.py may be.
    command = [sys.executable, "-P", "-m", "demo_server", "--port", "0", "--access-log", "none", "--exit-on-stdin-eof"]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
    except OSError as exc:
        advice = "; raise the limit (ulimit -n)" if exc.errno in (errno.EMFILE, errno.ENFILE) else ""
        raise ConnectError(f"cannot start the demo server: {(exc.strerror or str(exc)).lower()}{advice}") from exc
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    errors = _Stderr(process.stderr)
    try:
        yield RunningServer(_wait_for_url(process, process.stdout, errors), process.pid)
    finally:
        process.stdin.close()
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        errors.join()


def _wait_for_url(process: subprocess.Popen[bytes], stdout: IO[bytes], errors: _Stderr) -> str:
    """Return the URL that the server prints when it accepts connections."""
    is_late = Event()

    def give_up() -> None:
        is_late.set()
        process.kill()

    timer = Timer(START_WITHIN_S, give_up)
    timer.daemon = True
    timer.start()
    try:
        line = stdout.readline().decode("ascii", "replace")
    finally:
        timer.cancel()
    if match := re.fullmatch(r"demo server on (http://\S+)\s*", line):
        errors.pass_on()
        return match[1]
    process.kill()
    code = process.wait()
    errors.join()
    if is_late.is_set():
        raise ConnectError(f"the demo server did not start within {START_WITHIN_S:g} s; `sse demo` shows why")
    raise ConnectError(f"the demo server did not start (exit code {code}): {errors.last_line or 'it gave no reason'}")


class _Stderr:
    """The server's stderr: held back while it starts, since a failed start is reported in one line; then passed on."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._held: list[bytes] | None = []
        self._lock = Lock()
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def last_line(self) -> str:
        """The last held-back line; the last line of a traceback is the error."""
        lines = [line.decode("utf-8", "replace").strip() for line in self._held or ()]
        return next(filter(None, reversed(lines)), "")

    def pass_on(self) -> None:
        """Write held-back and all later text to stderr."""
        with self._lock:
            held, self._held = self._held or [], None
            _write_error(b"".join(held))

    def join(self) -> None:
        """Wait until all text of the ended process has been read."""
        self._thread.join(PATIENCE_S)

    def _read(self) -> None:
        with self._pipe:
            for line in self._pipe:
                with self._lock:
                    if self._held is not None:
                        self._held.append(line)
                    else:
                        _write_error(line)


def _write_error(text: bytes) -> None:
    with suppress(OSError):  # a closed stderr does not stop the run
        os.write(2, text)
