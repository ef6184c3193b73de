"""A pseudo-terminal for a process of a test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable


class Terminal:
    """A pseudo-terminal with a number of columns, and all its output so far."""

    def __init__(self, columns: int) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self.leader, self.follower = pty.openpty()
        fcntl.ioctl(self.follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.text = ""
        self._more = asyncio.Event()
        self.resume()

    def pause(self) -> None:
        """Stop reading, so that writes to the terminal block."""
        asyncio.get_running_loop().remove_reader(self.leader)

    def resume(self) -> None:
        """Start reading again."""
        asyncio.get_running_loop().add_reader(self.leader, self._read)

    def _read(self) -> None:
        self.text += os.read(self.leader, 65536).decode(errors="replace")
        self._more.set()

    async def until(self, condition: Callable[[str], object]) -> None:
        while not condition(self.text):
            self._more.clear()
            await self._more.wait()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.leader)
        os.close(self.leader)
        os.close(self.follower)
