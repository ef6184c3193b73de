"""Draws frames on the alternate screen of the terminal behind stderr, so that nothing of the view stays at its end.

A resized terminal rewraps the lines of its main screen, and moving the cursor up would then leave rests. The alternate
screen is always drawn as a whole.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from sseclient_cli.render.live.line import Line

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"""Alternate screen, no cursor, no wrap."""

_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"

_BEGIN_FRAME = "\x1b[?2026h\x1b[H"
"""Synchronized output: terminals that know it show a frame as a whole. Then the cursor goes home."""

_END_FRAME = "\x1b[J\x1b[?2026l"

_FALLBACK_SIZE = (80, 24)


class Screen:
    """The alternate screen, entered with the first frame. After an error, for example a closed terminal, it is off."""

    def __init__(self) -> None:
        self._fd = sys.stderr.fileno()
        self._frames_fd = _opened_without_blocking(self._fd)
        self._is_entered = False
        self._is_gone = False

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal now."""
        with suppress(OSError):
            columns, lines = os.get_terminal_size(self._fd)
            if columns and lines:
                return columns, lines
        return _FALLBACK_SIZE

    def is_ready(self) -> bool:
        """Return whether a frame would be shown: not in a background job, and not while output is stopped (Ctrl-S)."""
        return not self._is_gone and self._is_in_foreground() and _takes_more(self._fd)

    def draw(self, lines: Sequence[Line], width: int) -> None:
        """Show a frame of lines. A terminal that takes no more gets a part of it: the run must not wait."""
        text = _BEGIN_FRAME + "\r\n".join(f"{line.ansi(width)}\x1b[K" for line in lines) + _END_FRAME
        if not self._is_entered:
            self._is_entered = True
            self._is_entered = self._write(_ENTER) and self._is_entered
        self._write(text)

    def _write(self, text: str) -> bool:
        """Write a part of a frame. Return whether all of it was written."""
        rest = text.encode(sys.stderr.encoding or "utf-8", "replace")
        try:
            # The handler of Ctrl-Z may leave the screen between two writes.
            while rest and self._is_entered:
                rest = rest[os.write(self._frames_fd, rest) :]
        except BlockingIOError:
            pass
        except OSError:
            self._is_gone = True
        return not rest

    def leave(self) -> None:
        """Return to the main screen."""
        if self._is_entered:
            self._is_entered = False
            with suppress(OSError):
                os.write(self._fd, _LEAVE.encode())

    def close(self) -> None:
        """Leave the screen, and close the terminal."""
        self.leave()
        if self._frames_fd != self._fd:
            os.close(self._frames_fd)

    def _is_in_foreground(self) -> bool:
        if sys.platform == "win32":
            return True
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return True  # not our controlling terminal


def _opened_without_blocking(fd: int) -> int:
    """Open the terminal of a descriptor again: O_NONBLOCK on its own would hold for all programs that share it."""
    if sys.platform == "win32":
        return fd
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return fd


def _takes_more(fd: int) -> bool:
    return sys.platform == "win32" or bool(select.select([], [fd], [], 0)[1])


@contextmanager
def left_when_suspended(screen: Screen) -> Iterator[None]:
    """Leave the screen before Ctrl-Z stops the process. The next frame enters it again."""
    if sys.platform == "win32" or signal.getsignal(signal.SIGTSTP) is not signal.SIG_DFL:
        yield
        return

    def suspend(_number: int, _frame: FrameType | None) -> None:
        screen.leave()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # stops here, until `fg` or `bg`
        signal.signal(signal.SIGTSTP, suspend)

    signal.signal(signal.SIGTSTP, suspend)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
