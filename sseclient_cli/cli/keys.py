"""Read keys from the terminal while a command runs, and give the terminal back in each way that it can end or stop.

In cbreak mode (no echo, no lines), Ctrl-C and Ctrl-Z still send their signals. SIGKILL cannot be handled; shells then
restore the terminal.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Self

if sys.platform != "win32":
    import termios

FOREGROUND_CHECK_S = 0.5
"""How often a background job looks whether it is in the foreground again, where it may read keys."""

MAX_READ_BYTES = 1024


class Keys:
    """Calls ``press`` in the event loop with typed text; a context manager. Does nothing without a terminal.

    ``hidden`` removes the view from the screen for a block: the process stops in it.
    """

    def __init__(self, press: Callable[[str], None], hidden: Callable[[], AbstractContextManager[None]]) -> None:
        self._press = press
        self._hidden = hidden
        self._loop = asyncio.get_running_loop()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._mode: list[Any] | None = None  # the terminal's own mode, while it is changed
        self._check: asyncio.TimerHandle | None = None
        self._fd = 0
        self._handled: list[signal.Signals] = []

    @property
    def is_on(self) -> bool:
        """Whether keys are read now."""
        return self._mode is not None

    def __enter__(self) -> Self:
        if sys.platform == "win32" or not (os.isatty(self._fd) and os.isatty(sys.stdout.fileno())):
            return self
        self._handle(signal.SIGCONT, self._begin)
        for number in (signal.SIGTSTP, signal.SIGQUIT, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                self._handle(number, self._stop, number)
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number in self._handled:
            self._loop.remove_signal_handler(number)
        self._end()

    def _handle(self, number: signal.Signals, handler: Callable[..., None], *arguments: object) -> None:
        self._loop.add_signal_handler(number, handler, *arguments)
        self._handled.append(number)

    if sys.platform != "win32":

        def _begin(self) -> None:
            """Read keys, as soon as the process is in the foreground: elsewhere the kernel would stop it."""
            if self._check is not None:
                self._check.cancel()
            if not self._is_in_foreground():
                self._check = self._loop.call_later(FOREGROUND_CHECK_S, self._begin)
                return
            with suppress(OSError, termios.error):  # the terminal is gone
                mode = termios.tcgetattr(self._fd)
                self._mode = mode if self._mode is None else self._mode
                mode = [*mode[:6], list(mode[6])]
                mode[3] &= ~(termios.ECHO | termios.ICANON)
                mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
                # TCSANOW: the other ways wait for output, which may be stopped (Ctrl-S).
                termios.tcsetattr(self._fd, termios.TCSANOW, mode)
                self._loop.add_reader(self._fd, self._read)

        def _is_in_foreground(self) -> bool:
            try:
                return os.tcgetpgrp(self._fd) == os.getpgrp()
            except OSError:
                return True  # not our controlling terminal

        def _end(self) -> None:
            if self._check is not None:
                self._check.cancel()
            mode, self._mode = self._mode, None
            if mode is not None:
                self._loop.remove_reader(self._fd)
                with suppress(OSError, termios.error):
                    termios.tcsetattr(self._fd, termios.TCSANOW, mode)

        def _stop(self, number: signal.Signals) -> None:
            """Give the terminal back, and stop or end the process, as the signal does without a handler."""
            self._end()
            with self._hidden():
                self._loop.remove_signal_handler(number)
                os.kill(os.getpid(), number)  # stops here, until `fg` or `bg`
                self._loop.add_signal_handler(number, self._stop, number)
            self._begin()

    else:

        def _begin(self) -> None: ...

        def _end(self) -> None: ...

        def _stop(self, number: signal.Signals) -> None: ...

    def _read(self) -> None:
        try:
            data = os.read(self._fd, MAX_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # the terminal is gone
            data = b""
        if data:
            self._press(self._decoder.decode(data))
        else:
            self._loop.remove_reader(self._fd)
