"""Runs `sse bench` on the Dask cluster of a test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from progress_lines import without_progress
from real_processes import SSE
from report_json import validate

END_WITHIN_S = 60


@dataclass(frozen=True)
class Finished:
    """A run that has ended."""

    code: int
    stdout: str
    stderr: str
    report: dict[str, Any]
    """Empty if the run did not begin."""

    @property
    def text(self) -> str:
        """The summary without its line breaks."""
        return " ".join(self.stdout.split())

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        """`run.hosts` of the report by name."""
        return {host["name"]: host for host in self.report["run"]["hosts"]}

    @property
    def findings(self) -> dict[str, dict[str, Any]]:
        return {finding["code"]: finding for finding in self.report["findings"]}


class Running:
    """A run in a process group of its own."""

    def __init__(self, popen: subprocess.Popen[str], file: Path) -> None:
        self._file = file
        self.popen = popen

    def finished(self) -> Finished:
        """Wait for the end."""
        stdout, stderr = self.popen.communicate(timeout=END_WITHIN_S)
        report = json.loads(self._file.read_text("utf-8")) if self._file.exists() else {}
        if report:
            validate(report)
        return Finished(self.popen.returncode, stdout, without_progress(stderr), report)

    def signalled(self, number: signal.Signals) -> Finished:
        """Send a signal to the process group, as a terminal does, and wait for the end."""
        os.killpg(self.popen.pid, number)
        return self.finished()


@contextmanager
def running_bench(
    folder: Path, *arguments: str, prefix: Sequence[str] = (), environment: dict[str, str] | None = None
) -> Iterator[Running]:
    """Start `sse bench`; nothing of it is left when the block ends."""
    file = folder / "run.json"
    file.unlink(missing_ok=True)
    command = [*prefix, *SSE, "bench", *arguments, "--json", str(file)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, **(environment or {})},
    ) as popen:  # fmt: skip
        try:
            yield Running(popen, file)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(popen.pid, signal.SIGKILL)


def bench(
    folder: Path, *arguments: str, prefix: Sequence[str] = (), environment: dict[str, str] | None = None
) -> Finished:
    with running_bench(folder, *arguments, prefix=prefix, environment=environment) as run:
        return run.finished()
