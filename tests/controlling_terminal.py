"""A process with a terminal of its own, which is its controlling terminal: Ctrl-C and Ctrl-Z send their signals."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WAIT_S = 60


class Pty:
    """A process with a terminal of its own, and all that it wrote."""

    def __init__(self, command: list[str], columns: int = 80, lines: int = 24, **environment: str) -> None:
        import pty

        self.pid, self._leader = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {**os.environ, "TERM": "xterm-256color", **environment})
        self.resize(columns, lines)
        self.text = ""

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self._leader, text.encode())

    def until(self, condition: Callable[[str], object]) -> None:
        ends_s = time.monotonic() + WAIT_S
        while not condition(self.text):
            assert time.monotonic() < ends_s, self.text[-3000:]
            assert self._read(), self.text[-3000:]

    def end(self) -> int:
        """Read the rest, and return the exit code."""
        while self._read():
            pass
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = 0
        return code

    def _read(self) -> bool:
        if not select.select([self._leader], [], [], WAIT_S)[0]:
            return False
        try:
            data = os.read(self._leader, 65_536)
        except OSError:  # the last process has closed the terminal
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def close(self) -> None:
        os.close(self._leader)
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


@contextmanager
def terminal(*command: str, **settings: object) -> Iterator[Pty]:
    started = Pty(list(command), **settings)  # type: ignore[arg-type]
    try:
        yield started
    finally:
        started.close()
