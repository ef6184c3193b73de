"""The C event source as a process, and its counters."""

from __future__ import annotations

import http.client
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.building import BUILD
from benchmarks.processes import pinned_to


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters of a stream server since it started."""

    streams_opened: int
    streams_open: int
    events_sent: int


@dataclass(frozen=True, slots=True)
class Stats(Counts):
    """The counters of the source since it started."""

    bytes_sent: int
    cpu_us: int
    most_late_us: int
    """How late it wrote an event at most, since it was asked last: its own lateness, no reader's."""


class EventSource:
    """A running source on a port of its own; ends with the block."""

    def __init__(self, core: int | None, folder: Path = BUILD) -> None:
        self._process = subprocess.Popen(
            [folder / "source"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=pinned_to(core),
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)  # closes its standard input, which ends it

    def stats(self) -> Stats:
        """Ask for the counters."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/stats")
            return Stats(**json.load(connection.getresponse()))
        finally:
            connection.close()
