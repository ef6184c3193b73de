"""The demo server as a process, and its counters."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.event_source import Counts
from benchmarks.processes import pinned_to

COMMAND = (sys.executable, "-m", "demo_server", "--port", "0", "--access-log", "none", "--exit-on-stdin-eof")
STOPS_WITHIN_S = 10.0


class DemoProcess:
    """A running demo server on a port of its own; ends with the block."""

    def __init__(self, core: int | None, command: Sequence[str] = COMMAND) -> None:
        # Not to the terminal: its last words are told if it does not start.
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in __exit__
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            cwd=Path(__file__).parent.parent,
            preexec_fn=pinned_to(core),
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        line = self._process.stdout.readline()  # "demo server on http://127.0.0.1:8000"
        if not line:
            self._process.communicate()
            code = self._process.returncode
            with self._stderr as said:
                said.seek(0)
                last_words = said.read().strip().rpartition("\n")[2]
            raise RuntimeError(f"the demo server ended with {code} before it served: {last_words}")
        self.port = int(line.rpartition(":")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._process.communicate(timeout=STOPS_WITHIN_S)  # closes its standard input, which ends it
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._stderr.close()

    def stats(self) -> Counts:
        """Ask for the counters."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/stats")
            return Counts(**json.load(connection.getresponse()))
        finally:
            connection.close()
