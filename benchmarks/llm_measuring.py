"""One load generator against one server, once: the server on one core, the tool with all its processes on another."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.demo_process import DemoProcess
from benchmarks.llm_task import Load, Task
from benchmarks.llm_tools import Tool
from benchmarks.llm_truth import Truth
from benchmarks.measuring import DISTURBED, DISTURBED_PERCENT, Figures, Outcome
from benchmarks.processes import core_busy_s, cpu_s, family, pinned_to, pss_bytes
from benchmarks.push_measuring import Cores

SAMPLE_EVERY_S = 0.05
MEMORY_EVERY = 20
"""Samples from one reading of the memory to the next: it takes milliseconds."""

ENDS_WITHIN_S = 300.0
SERVER_FULL_PERCENT = 90.0


class Sample(NamedTuple):
    """Clocks at one moment, on the wall clock of the server's log."""

    time_s: float
    cpu_s: float
    core_s: float
    server_s: float


@dataclass(frozen=True, slots=True)
class Observed:
    """A run of a tool, seen from outside."""

    samples: Sequence[Sample]
    wall_s: float
    cpu_s: float
    memory_bytes: int

    def at(self, time_s: float) -> Sample:
        """Return the clocks at a time, interpolated between two samples."""
        after = next((number for number, one in enumerate(self.samples) if one.time_s >= time_s), 0)
        if not after:
            raise RuntimeError("it was not watched at that time")
        first, last = self.samples[after - 1], self.samples[after]
        share = (time_s - first.time_s) / (last.time_s - first.time_s)
        return Sample(*(one + share * (other - one) for one, other in zip(first, last, strict=True)))


def measure(tool: Tool, load: Load, cores: Cores) -> Outcome:
    """Run a tool, and return what it reports, what the server did, and what it cost."""
    if missing := tool.missing():
        return Outcome({}, missing)
    try:
        with DemoProcess(cores.server) as server, tempfile.TemporaryDirectory() as folder:
            task = Task(load, server.port, Path(folder))
            observed = _observe(tool.command(task), task.folder, server.pid, cores)
            figures = tool.claims(task.folder)
            truth = Truth.of(server.port, tool.left_out)
    except (RuntimeError, OSError, LookupError, ValueError, TypeError) as exc:
        return Outcome({}, f"not measured: {exc}")
    figures |= truth.figures(tool.quantile) | _costs(observed, truth)
    return Outcome(figures, _note(figures, load))


def _observe(command: Sequence[str], folder: Path, server_pid: int, cores: Cores) -> Observed:
    """Run a command to its end. Raises RuntimeError if it fails."""
    output = folder / "output.txt"
    began_s = time.monotonic()
    with output.open("w") as written:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(Path(__file__).parent.parent)},
            preexec_fn=pinned_to(cores.reader),
            start_new_session=True,  # Ctrl-C stops this process, which ends the tool
        )
        watched = _Watched(process, server_pid, cores)
        try:
            watched.wait(began_s + ENDS_WITHIN_S)
        finally:
            watched.kill()
    if watched.status:
        lines = [line for line in output.read_text(errors="replace").splitlines() if line.strip()]
        raise RuntimeError(f"it ended with {watched.status}: {lines[-1][:200] if lines else 'no output'}")
    return Observed(watched.samples, time.monotonic() - began_s, watched.cpu_s, watched.memory_bytes)


class _Watched:
    """A process that is sampled until it ends."""

    def __init__(self, process: subprocess.Popen[bytes], server_pid: int, cores: Cores) -> None:
        self._process, self._server_pid, self._core = process, server_pid, cores.reader
        self.samples: list[Sample] = []
        self.memory_bytes = 0
        self.cpu_s = 0.0
        """Of the process and of all descendants that it has waited for."""
        self.status: int | None = None

    def wait(self, until_s: float) -> None:
        """Sample until the end. Raises RuntimeError at a time on the monotonic clock."""
        while self.status is None:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                # So that an answer that ends between the last sample and the end of the process has a time after it.
                self.samples += [sample._replace(time_s=time.time()) for sample in self.samples[-1:]]
                self.status = self._process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu_s = usage.ru_utime + usage.ru_stime
                return
            if time.monotonic() > until_s:
                raise RuntimeError(f"it did not end in {ENDS_WITHIN_S:.0f} s")
            self._sample()
            time.sleep(SAMPLE_EVERY_S)

    def _sample(self) -> None:
        # A process may end between the look into its parent and the look at itself.
        with suppress(FileNotFoundError, ProcessLookupError):
            pid, core_s = self._process.pid, core_busy_s(self._core) if self._core is not None else 0.0
            self.samples.append(Sample(time.time(), cpu_s(pid), core_s, cpu_s(self._server_pid)))
            if len(self.samples) % MEMORY_EVERY == 0:
                self.memory_bytes = max(self.memory_bytes, pss_bytes(pid))

    def kill(self) -> None:
        """End what is left of it."""
        if self.status is not None:
            return
        for pid in family(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()


def _costs(observed: Observed, truth: Truth) -> Figures:
    """Return the cost of the whole command, and of the time in which the server had requests."""
    first, last = observed.at(truth.starts_s), observed.at(truth.ends_s)
    elapsed_s, used_s = last.time_s - first.time_s, last.cpu_s - first.cpu_s
    others_s = max(last.core_s - first.core_s - used_s, 0)
    return {
        "cpu_us_per_token": used_s * 1e6 / truth.tokens,
        "cpu_percent": 100 * used_s / elapsed_s,
        "others_cpu_percent": 100 * others_s / elapsed_s,
        "server_cpu_percent": 100 * (last.server_s - first.server_s) / elapsed_s,
        "command_cpu_s": observed.cpu_s,
        "command_wall_s": observed.wall_s,
        "requests_wall_s": truth.ends_s - truth.starts_s,
        "pss_mib": observed.memory_bytes / 2**20,
    }


def _note(figures: Figures, load: Load) -> str | None:
    if figures["others_cpu_percent"] > DISTURBED_PERCENT:
        return f"{DISTURBED}: others used {figures['others_cpu_percent']:.0f} % of its core"
    if figures["server_cpu_percent"] > SERVER_FULL_PERCENT:
        return f"the server's core was full: {figures['server_cpu_percent']:.0f} %"
    if figures["true_requests"] != load.requests or figures["requests"] != load.requests:
        counts = f"{figures['true_requests']:.0f} by the server, {figures['requests']:.0f} by the tool"
        return f"{load.requests} requests were ordered: {counts}"
    return None
