"""Signals as a command takes them while it does not run a load of its own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """End the block as Ctrl-C does, cleaning up, when somebody sends SIGTERM: `timeout` does, and every scheduler."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
