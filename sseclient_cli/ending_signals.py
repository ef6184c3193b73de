"""The signals that end a run with a report of what was measured until then."""

from __future__ import annotations

import signal
import sys


def hangup_signal() -> signal.Signals | None:
    """Return SIGHUP, which a terminal that is closed sends; None where it is ignored, as by nohup, or unknown."""
    if sys.platform == "win32" or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return None
    return signal.SIGHUP


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return Ctrl-C's signal, SIGTERM, and SIGHUP unless it is ignored."""
    hangup = hangup_signal()
    return (signal.SIGINT, signal.SIGTERM) if hangup is None else (signal.SIGINT, signal.SIGTERM, hangup)
