"""Which of thousands of sockets are ready: epoll, with as little as possible between the kernel and the streams.

Not asyncio's or uvloop's readers. Where the kernel stamps arrivals, a read may come a fraction of a millisecond late
without falsifying anything, so one turn of the loop can take what has come to many sockets; and an event loop keeps
objects for each socket that cost memory and time (``docs/decisions/0002-event-loop-of-the-engine.md`` has the figures).
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
"""Sockets handled before the loop looks at the clock: at full blast each takes 0.3 ms, else 0.02 ms."""

MAX_UNCERTAINTY_NS = 2_000_000
"""Two turns of the loop. Beyond it the load generator was late, and an arrival time is unknown."""

NOTHING = 0
READABLE = selectors.EVENT_READ
WRITABLE = selectors.EVENT_WRITE


class Poller:
    """Sockets by file descriptor, each with what to call when it is ready. Level-triggered. A context manager.

    A handler may close its own socket and open others. A socket is forgotten before it is closed, because its number
    soon belongs to another.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Handler] = {}
        self.empty_ns = 0
        """At this moment (wall clock), what is handled now had nothing to be read, or was read since."""
        self._looked_ns = 0
        self.has_more = False
        """Whether the last turn left work that needs no waiting: a handler sets it that has left data in its socket."""
        self._next_turn: dict[int, Handler] = {}
        self._selector = _Epoll() if sys.platform == "linux" else _Portable()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._selector.close()

    def watch(self, fd: int, interest: int, handler: Handler) -> None:
        """Call the handler whenever the socket is ready for what is of interest, in place of an earlier one."""
        if fd in self._handlers:
            self._selector.modify(fd, interest)
        else:
            self._selector.register(fd, interest)
        self._handlers[fd] = handler

    def forget(self, fd: int) -> None:
        """Stop watching a socket, which is about to be closed."""
        if self._handlers.pop(fd, None) is not None:
            self._selector.unregister(fd)
            self._next_turn.pop(fd, None)

    def pause(self, fd: int, handler: Handler) -> None:
        """Leave what comes to the socket, and call the handler once in the next turn."""
        self.watch(fd, NOTHING, _do_nothing)  # which epoll calls when the connection breaks
        self._next_turn[fd] = handler
        self.has_more = True

    def uncertainty_ns(self, arrival_ns: int, *, is_fresh: bool) -> int | None:
        """Return how much earlier than the last byte of a read (wall clock) another of its bytes may have arrived.

        None: too much to know. ``is_fresh``: the read before took everything that had arrived.
        """
        uncertainty_ns = arrival_ns - self.empty_ns
        return max(uncertainty_ns, 0) if is_fresh and uncertainty_ns <= MAX_UNCERTAINTY_NS else None

    def handle_ready(self, timeout_s: float) -> None:
        """Wait for at most that long, and call the handlers of what is ready."""
        handlers = self._handlers
        self.has_more = False
        if self._next_turn:
            self._handle_next_turn()
        self.empty_ns, looked_ns = self._looked_ns, time_ns()
        ready = self._selector.poll(timeout_s)
        if len(ready) < MAX_READY:  # or some that are ready may not be among them
            self._looked_ns = looked_ns  # of before: afterwards, anything may have kept us from taking the time
        for fd, _ in ready:
            handlers[fd]()

    def _handle_next_turn(self) -> None:
        """Call what was put off to this turn, the oldest first: what they put off in turn comes after all others."""
        for fd, handler in list(islice(self._next_turn.items(), MAX_READY)):
            del self._next_turn[fd]
            handler()
        if self._next_turn:
            self.has_more = True


def _do_nothing() -> None:
    pass


class _Epoll:
    """epoll in the shape that the poller uses."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.close = self._epoll.close

    def register(self, fd: int, interest: int) -> None:
        self._epoll.register(fd, _EPOLL_MASKS[interest])

    def modify(self, fd: int, interest: int) -> None:
        self._epoll.modify(fd, _EPOLL_MASKS[interest])

    def unregister(self, fd: int) -> None:
        pass  # epoll(7): closing a file descriptor removes it, and saves a call

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
    """The same on kqueue or select."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.close = self._selector.close

    def register(self, fd: int, interest: int) -> None:
        if interest:  # selectors refuse to watch for nothing
            self._selector.register(fd, interest)

    def modify(self, fd: int, interest: int) -> None:
        self.unregister(fd)
        self.register(fd, interest)

    def unregister(self, fd: int) -> None:
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def poll(self, timeout_s: float) -> list[tuple[int, int]]:
        if not self._selector.get_map():  # which Windows cannot wait for
            time.sleep(timeout_s)
            return []
        ready = [(key.fd, mask) for key, mask in self._selector.select(timeout_s)]
        # Not always the same ones.
        return random.sample(ready, MAX_READY) if len(ready) > MAX_READY else ready
