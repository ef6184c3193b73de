"""Signals as a command takes them while it does not run a load of its own."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sseclient_cli.ending_signals import ending_signals, hangup_signal


@contextmanager
def endings_as_ctrl_c() -> Iterator[None]:
    """End the block as Ctrl-C does, cleaning up, on SIGTERM (`timeout`, schedulers) and SIGHUP (a closed terminal)."""
    with _handled(ending_signals()[1:], _as_ctrl_c):
        yield


def _as_ctrl_c(_number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C would do now: asyncio has a handler that cancels, and raises nothing inside its loop."""
    handler = signal.getsignal(signal.SIGINT)
    # Ignored in jobs of the background; those end all the same.
    (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)


@contextmanager
def hangups_outlived() -> Iterator[None]:
    """Do not end at a SIGHUP unless the block takes it itself.

    A closed terminal sends several: the kernel's and the shell's. The first one ends the run, and its report is then
    written undisturbed.
    """
    hangup = hangup_signal()
    # No SIG_IGN: that is how `nohup` says that a run must not end either.
    with _handled(() if hangup is None else (hangup,), lambda _number, _frame: None):
        yield


@contextmanager
def signals_held_off() -> Iterator[None]:
    """Finish the block whatever signal arrives: for the short time that it takes to write a file."""
    with _handled(ending_signals(), lambda _number, _frame: None):
        yield


@contextmanager
def _handled(numbers: tuple[signal.Signals, ...], handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    previous = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)
