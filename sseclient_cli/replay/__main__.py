"""Replay one recording for another command, until the end of stdin: ``python -m sseclient_cli.replay FILE``."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

from sseclient_cli.errors import SseError
from sseclient_cli.replay.pacing import Pacing
from sseclient_cli.replay.server import loaded, serve


def main() -> None:
    """Serve on a free port of the loopback interface."""
    Thread(target=_stop_at_stdin_eof, daemon=True).start()
    try:
        with loaded(Path(sys.argv[1]), _say) as timelines:
            serve(timelines, Pacing(), "127.0.0.1", 0)
    except SseError as exc:
        sys.exit(str(exc))


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _stop_at_stdin_eof() -> None:
    """Stop with the process that started this one."""
    # Not sys.stdin: a thread that reads it holds a lock that Python needs to exit. OSError: stdin is closed.
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    main()
