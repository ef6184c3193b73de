"""Starts the demo server as a process, in one place for all tests."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

END_WITHIN_S = 8.0


@contextmanager
def serving(
    *options: str, code: str = "", stderr: int | IO[str] | None = subprocess.PIPE, prefix: Sequence[str] = ()
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the server, or code that does so, and yield process and URL; the process always ends with the block.

    ``prefix`` goes before the command.
    """
    start = ["-c", code] if code else ["-m", "demo_server"]
    command = [*prefix, sys.executable, *start, "--port", "0", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=stderr, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.fullmatch(r"demo server on (http://.+:\d+)\n", line)
            assert match, line
            yield process, match[1]
        finally:
            process.kill()  # its workers, if there are any, end when they lose it


@contextmanager
def started_server(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Yield the process and port of a server that logs nothing, whose start and end are looked at."""
    with serving("--access-log", "none", *options) as (process, url):
        yield process, int(url.rpartition(":")[2])


@contextmanager
def demo_server_process(host: str = "127.0.0.1") -> Iterator[str]:
    """Yield the URL of a server that is merely there."""
    with serving("--access-log", "none", "--host", host, "--exit-on-stdin-eof", stderr=None) as (_, url):
        yield url
