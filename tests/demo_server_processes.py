"""The demo server as a process whose start and end are looked at."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

END_WITHIN_S = 3.0


@contextmanager
def started_server(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Yield a server's process and port; whatever happens, the process is gone after."""
    command = [sys.executable, "-m", "demo_server", "--port", "0", "--access-log", "none", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.fullmatch(r"demo server on http://127\.0\.0\.1:(\d+)\n", line)
            assert match, line
            yield process, int(match[1])
        finally:
            process.kill()
