"""The signals that end a run early. The run still reports its results."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


def hangup_signal() -> signal.Signals | None:
    """Return SIGHUP, the signal of a closed terminal; None if it is ignored (nohup) or unknown (Windows)."""
    if sys.platform == "win32" or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return None
    return signal.SIGHUP


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return SIGINT (Ctrl-C), SIGTERM, and SIGHUP unless it is ignored."""
    hangup = hangup_signal()
    return (signal.SIGINT, signal.SIGTERM) if hangup is None else (signal.SIGINT, signal.SIGTERM, hangup)


@contextmanager
def ending_signals_taken(on_first: Callable[[], None], on_second: Callable[[int], None]) -> Iterator[None]:
    """Call ``on_first`` at the first ending signal, and ``on_second`` with the number of the next.

    The previous handlers are restored before ``on_second``. ``on_first`` must be reentrant.
    """
    hangup = hangup_signal()
    previous = {number: signal.getsignal(number) for number in ending_signals()}

    def set_all(handler: Callable[[int, FrameType | None], object]) -> None:
        for number in previous:
            signal.signal(number, handler)

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def first(_number: int, _frame: FrameType | None) -> None:
        set_all(second)
        if hangup is not None:  # a closed terminal and its shell each send one: the second one is not a second request
            signal.signal(hangup, previous[hangup])
        on_first()

    def second(number: int, _frame: FrameType | None) -> None:
        restore()
        on_second(number)

    set_all(first)
    try:
        yield
    finally:
        restore()


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Block signals in processes that are started in this block.

    Python installs its SIGINT handler long before the main function of such a process can ignore the signal. Signals to
    this process are pending until the end of the block.
    """
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    # Otherwise it starts with the first process. Its start blocks the signals and then unblocks them too early.
    resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ending_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
