"""Run a server of this package in a process of its own, for another command, like any target."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread, Timer
from typing import IO, NamedTuple

from sseclient_cli.errors import ConnectError, UsageError

PATIENCE_S = 5.0
"""The time limit for a server to answer or to stop: its own limit to stop is 3 s."""

START_WITHIN_S = 30.0
"""The time limit for its start, which takes half a second of CPU time, on a machine that may be busy."""


class ServerProgram(NamedTuple):
    """A module to run as a server, which prints ``... on URL`` when it accepts connections, and stops with its stdin.

    ``name`` is the server's name in messages, and ``command`` shows a user why it fails.
    """

    name: str
    command: str
    arguments: tuple[str, ...]
    start_within_s: float = START_WITHIN_S


class RunningServer(NamedTuple):
    """The running server of another command."""

    url: str
    """Without a path."""
    pid: int


@contextmanager
def serving(program: ServerProgram, *, http2: bool = False) -> Iterator[RunningServer]:
    """Start a server, yield it, and stop it afterwards. Raises UsageError if the client will speak HTTP/2.

    It runs in a session of its own, so that Ctrl-C does not stop it before the partial report has its counts. It stops
    when its stdin is closed, so that it cannot outlive this process.
    """
    if http2:
        raise UsageError(f"{program.name} speaks HTTP/1.1 only: leave out --http2")
    # -P: otherwise Python imports modules from the current directory first, where a demo_server.py or a json.py may be.
    command = [sys.executable, "-P", "-m", *program.arguments]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
    except OSError as exc:
        advice = "; raise the limit (ulimit -n)" if exc.errno in (errno.EMFILE, errno.ENFILE) else ""
        raise ConnectError(f"cannot start {program.name}: {(exc.strerror or str(exc)).lower()}{advice}") from exc
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    errors = _Stderr(process.stderr)
    try:
        yield RunningServer(_wait_for_url(program, process, process.stdout, errors), process.pid)
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


def _wait_for_url(program: ServerProgram, process: subprocess.Popen[bytes], stdout: IO[bytes], errors: _Stderr) -> str:
    """Return the URL that the server prints when it accepts connections."""
    is_late = Event()

    def give_up() -> None:
        is_late.set()
        process.kill()

    timer = Timer(program.start_within_s, give_up)
    timer.daemon = True
    timer.start()
    try:
        line = stdout.readline().decode("ascii", "replace")
    finally:
        timer.cancel()
    if match := re.fullmatch(r"[a-z ]+ on (http://\S+)\s*", line):
        errors.pass_on()
        return match[1]
    process.kill()
    code = process.wait()
    errors.join()
    if is_late.is_set():
        raise ConnectError(
            f"{program.name} did not start within {program.start_within_s:g} s; `{program.command}` shows why"
        )
    raise ConnectError(f"{program.name} did not start (exit code {code}): {errors.last_line or 'it gave no reason'}")


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
