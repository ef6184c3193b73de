"""Signal handlers of a command outside of a load run."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sseclient_cli.ending_signals import ending_signals, hangup_signal


@contextmanager
def endings_as_ctrl_c() -> Iterator[None]:
    """End the block like Ctrl-C, with clean-up, on SIGTERM (`timeout`, schedulers) and SIGHUP (a closed terminal)."""
    with _handled(ending_signals()[1:], _as_ctrl_c):
        yield


def _as_ctrl_c(_number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C would do now. In asyncio, that is a handler that cancels instead of raising."""
    handler = signal.getsignal(signal.SIGINT)
    # SIGINT is ignored in background jobs, which must end on SIGTERM too.
    (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)


@contextmanager
def hangups_outlived() -> Iterator[None]:
    """Ignore SIGHUP unless the block handles it.

    A closed terminal sends several, from the kernel and from the shell. The first one ends the run; the others must not
    keep its report from being written.
    """
    hangup = hangup_signal()
    # Not SIG_IGN, which `nohup` sets to keep the run itself from ending.
    with _handled(() if hangup is None else (hangup,), lambda _number, _frame: None):
        yield


@contextmanager
def ignoring_ending_signals() -> Iterator[None]:
    """Ignore the signals that end a command, for example while the block writes a file."""
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
