"""The samples of one source, and the error of a failed sample. Pure: times come in as monotonic nanoseconds.

A process and a Prometheus endpoint use the same names for the same figures: those of the Prometheus client libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

RSS = "process_resident_memory_bytes"
FILES = "process_open_fds"
CPU = "process_cpu_seconds_total"
THREADS = "process_threads"

DEFAULT_SERIES = (RSS, FILES, CPU)
"""Read from each Prometheus endpoint that has them. Client libraries in most languages export them."""

Reading = Mapping[str, float]
"""The values of one sample, by the name of their series."""


class SourceKind(StrEnum):
    """Where samples come from."""

    PROCESS = "process"
    """A process with its children."""
    ENDPOINT = "endpoint"
    """A Prometheus endpoint."""


class SampleError(Exception):
    """A sample could not be taken. The message is the reason, in one line."""


@dataclass(slots=True, kw_only=True)
class SourceSamples:
    """The samples of one source, in order of time."""

    source: str
    kind: SourceKind
    times_ns: list[int] = field(default_factory=list)
    readings: list[Reading | None] = field(default_factory=list)
    """None for a sample that failed."""
    failed: int = 0
    error: str = ""
    """The reason of the first failed sample."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Series that no sample had, with the reason."""

    def add(self, time_ns: int, reading: Reading) -> None:
        """Add the values of a sample."""
        self.times_ns.append(time_ns)
        self.readings.append(reading)

    def add_failure(self, time_ns: int, reason: str) -> None:
        """Count a failed sample."""
        self.times_ns.append(time_ns)
        self.readings.append(None)
        self.failed += 1
        self.error = self.error or reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSamples:
    """All samples of a run. ``start_ns`` and ``end_ns`` are its start and its end on the clock of the samples."""

    start_ns: int
    end_ns: int
    settled: bool
    """Whether sampling went on after the run until the values were back or steady, or the time limit was over."""
    sources: tuple[SourceSamples, ...]
