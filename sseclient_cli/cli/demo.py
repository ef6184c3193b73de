"""``sse demo``: the bundled server, for a person or for another command.

The only place that knows both packages: the server runs as a process of its own, as any other target would.
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
from typing import IO, Annotated

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

START_WITHIN_S = 30.0
"""How long it may take to start: half a second of CPU time, on a machine that may be busy."""


def demo(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=demo_server.MAX_WORKERS, help="Processes that share the port.")
    ] = 1,
    access_log: Annotated[
        AccessLog, typer.Option(help="Which requests to log as JSON lines on stderr; only 'all' has streams in it.")
    ] = AccessLog.REQUESTS,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Also answer requests for this host name; * is any; may be given many times."
        ),
    ] = None,
) -> None:
    """Run the demo server: streams to watch and to load, and a page that shows them."""
    try:
        demo_server.run(demo_server.Options(host, port, workers, access_log, allow_hosts=tuple(allow_host or ())))
    except OSError as exc:
        advice = "; --port 0 takes a free one" if exc.errno == errno.EADDRINUSE else ""
        raise UsageError(f"{exc.strerror}{advice}") from exc
    except demo_server.WorkerLostError as exc:
        raise WorkerLostError(str(exc)) from exc


def is_demo(url: str) -> bool:
    """Say whether a URL means the bundled server: ``demo`` alone, or with a path or a query behind it."""
    return re.match(r"demo(?=[/?]|$)", url) is not None


def demo_path(url: str, default_path: str) -> str:
    """Return the path and query to request of the bundled server; a URL without a path has the default one."""
    rest = url.removeprefix("demo")
    return rest if rest.startswith("/") else default_path + rest


@contextmanager
def serving_demo() -> Iterator[str]:
    """Start the bundled server on a free port, yield its URL without a path, and stop it afterwards.

    It runs in a session of its own, so that Ctrl-C reaches only us and the partial report still has a server to
    ask; and it ends when its stdin does, so that it cannot outlive us.
    """
    # -P: without it, Python looks for modules in the current directory first, and would run a demo_server.py or a
    # json.py of that directory.
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
        yield _wait_for_url(process, process.stdout, errors)
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
    """What the server writes to stderr: held back while it starts, because a failed start is one line; then ours."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._held: list[bytes] | None = []
        self._lock = Lock()
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def last_line(self) -> str:
        """The last line that is held back: of a traceback, the error itself."""
        lines = [line.decode("utf-8", "replace").strip() for line in self._held or ()]
        return next(filter(None, reversed(lines)), "")

    def pass_on(self) -> None:
        """Write to our stderr what is held back, and what comes from now on."""
        with self._lock:
            held, self._held = self._held or [], None
            _write_error(b"".join(held))

    def join(self) -> None:
        """Wait until the process, which has ended, has been read to its end."""
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
    with suppress(OSError):  # our stderr is gone: the run goes on
        os.write(2, text)
