"""Waits for thousands of sockets with epoll, and calls the handler of each socket that is ready.

It replaces asyncio's and uvloop's readers for two reasons. With kernel timestamps, a read that is a fraction of a
millisecond late does not distort a latency, so that one turn of the loop can read many sockets. An event loop keeps
objects for each socket, which cost memory and time (figures in ``docs/decisions/0002-event-loop-of-the-engine.md``).
"""

from __future__ import annotations

import random
import select
import selectors
import sys
import time
from collections.abc import Callable
from itertools import islice
from time import time_ns
from types import TracebackType
from typing import Self

Handler = Callable[[], None]

MAX_READY = 128
"""Limit of sockets per turn, before the loop checks the clock. A full read takes 0.3 ms, a typical one 0.02 ms."""

MAX_UNCERTAINTY_NS = 2_000_000
"""Two turns of the loop at its short interval. With a larger uncertainty, the arrival time is unknown."""

NOTHING = 0
READABLE = selectors.EVENT_READ
WRITABLE = selectors.EVENT_WRITE


class Poller:
    """Calls a handler per file descriptor when the socket is ready. Level-triggered. A context manager.

    A handler may close its own socket and open others. Call ``forget`` before closing a socket, because the kernel
    reuses its file descriptor.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Handler] = {}
        self.empty_ns = 0
        """Data that is read now arrived after this time (wall clock), unless an earlier read left it in the socket."""
        self._polled_ns = 0
        self.has_more = False
        """Whether the next turn has work without waiting. A handler that leaves data in its socket sets it."""
        self._next_turn: dict[int, Handler] = {}
        self._selector = _Epoll() if sys.platform == "linux" else _Portable()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._selector.close()

    def watch(self, fd: int, interest: int, handler: Handler) -> None:
        """Call the handler whenever the socket is ready for ``interest``. It replaces an earlier handler."""
        if fd in self._handlers:
            self._selector.modify(fd, interest)
        else:
            self._selector.register(fd, interest)
        self._handlers[fd] = handler

    def forget(self, fd: int) -> None:
        """Stop watching a socket that is about to be closed."""
        if self._handlers.pop(fd, None) is not None:
            self._selector.unregister(fd)
            self._next_turn.pop(fd, None)

    def unpause(self, fd: int) -> None:
        """Do not call the handler that ``pause`` set for the next turn."""
        self._next_turn.pop(fd, None)

    def pause(self, fd: int, handler: Handler) -> None:
        """Stop reading the socket, and call the handler once in the next turn."""
        self.watch(fd, NOTHING, _do_nothing)  # epoll reports a broken connection even without interest
        self._next_turn[fd] = handler
        self.has_more = True

    def spread_ns(self, arrival_ns: int, *, is_fresh: bool) -> int | None:
        """Return how much earlier than ``arrival_ns`` (wall clock) other bytes of the same read may have arrived.

        ``arrival_ns`` is the arrival time of the last byte. ``is_fresh``: all earlier data was read before; otherwise
        it is unknown (None).
        """
        return max(arrival_ns - self.empty_ns, 0) if is_fresh else None

    def uncertainty_ns(self, arrival_ns: int, *, is_fresh: bool) -> int | None:
        """Return the same if it is at most MAX_UNCERTAINTY_NS; None means that the arrival is unknown."""
        spread_ns = self.spread_ns(arrival_ns, is_fresh=is_fresh)
        return None if spread_ns is None or spread_ns > MAX_UNCERTAINTY_NS else spread_ns

    def handle_ready(self, timeout_s: float) -> None:
        """Wait for at most ``timeout_s``, and call the handlers of the sockets that are ready."""
        handlers = self._handlers
        self.has_more = False
        if self._next_turn:
            self._handle_next_turn()
        self.empty_ns, polled_ns = self._polled_ns, time_ns()
        ready = self._selector.poll(timeout_s)
        if len(ready) < MAX_READY:
            self._polled_ns = polled_ns  # from before poll(): the process may be interrupted after it
        else:
            self.has_more = True  # a full list may not contain all ready sockets
        for fd, _ in ready:
            handlers[fd]()

    def _handle_next_turn(self) -> None:
        """Call the handlers of paused sockets, oldest first. A socket that pauses again goes to the end."""
        for fd, handler in list(islice(self._next_turn.items(), MAX_READY)):
            del self._next_turn[fd]
            handler()
        if self._next_turn:
            self.has_more = True


def _do_nothing() -> None:
    pass


class _Epoll:
    """epoll with the interface that the poller uses."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.close = self._epoll.close

    def register(self, fd: int, interest: int) -> None:
        self._epoll.register(fd, _EPOLL_MASKS[interest])

    def modify(self, fd: int, interest: int) -> None:
        self._epoll.modify(fd, _EPOLL_MASKS[interest])

    def unregister(self, fd: int) -> None:
        pass  # epoll(7): close() removes the file descriptor, which saves a system call

    def poll(self, timeout_s: float) -> list[tuple[int, int]]:
        return self._epoll.poll(timeout_s, MAX_READY)


if sys.platform == "linux":
    _EPOLL_MASKS = {
        NOTHING: 0,
        READABLE: select.EPOLLIN,
        WRITABLE: select.EPOLLOUT,
        READABLE | WRITABLE: select.EPOLLIN | select.EPOLLOUT,
    }


class _Portable:
    """The same interface for kqueue or select."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.close = self._selector.close

    def register(self, fd: int, interest: int) -> None:
        if interest:  # selectors reject an empty interest
            self._selector.register(fd, interest)

    def modify(self, fd: int, interest: int) -> None:
        self.unregister(fd)
        self.register(fd, interest)

    def unregister(self, fd: int) -> None:
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def poll(self, timeout_s: float) -> list[tuple[int, int]]:
        if not self._selector.get_map():  # select() on Windows rejects empty sets
            time.sleep(timeout_s)
            return []
        ready = [(key.fd, mask) for key, mask in self._selector.select(timeout_s)]
        # A random choice, so that no socket starves.
        return random.sample(ready, MAX_READY) if len(ready) > MAX_READY else ready
