"""A demo server of one's own, whose exit and stderr can be looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def started_server(**environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a server's process and URL; whatever happens, the process is gone after."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "demo_server", "--port", "0"],
        stdout=pipe,
        stderr=pipe,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.kill()
