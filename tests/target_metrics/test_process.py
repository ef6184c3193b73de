"""Samples of real processes: memory, files and CPU, with children; and processes that end or belong to others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from real_processes import until

from sseclient_cli.errors import UsageError
from sseclient_cli.target_metrics.process import ProcessSource
from sseclient_cli.target_metrics.samples import CPU, FILES, RSS, THREADS, SampleError

# Each line that it reads is run. It answers with a line, so that the test knows that it has run.
OBEDIENT = """
import sys
kept = []
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Obedient:
    """A process that runs lines of Python."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, line: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@contextmanager
def obedient() -> Iterator[Obedient]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", OBEDIENT], stdin=pipe, stdout=pipe, text=True) as process:
        made = Obedient(process)
        made.run("pass")  # it has started
        yield made
        assert process.stdin is not None
        process.stdin.close()


def test_memory_and_files_rise_and_fall_with_those_of_the_process() -> None:
    with obedient() as process:
        source = ProcessSource(process.process.pid)
        first = source.read()
        process.run("kept.append(b'x' * 50_000_000); kept += [open('/dev/null') for _ in range(9)]")
        second = source.read()
        assert second[RSS] - first[RSS] == pytest.approx(50_000_000, rel=0.1)
        assert second[FILES] - first[FILES] == 9
        process.run("kept.clear()")
        assert source.read()[FILES] == first[FILES]
        assert first[THREADS] == 1


def test_cpu_time_is_counted_in_seconds() -> None:
    with obedient() as process:
        source = ProcessSource(process.process.pid)
        before_s = source.read()[CPU]
        burn = "import time; ends_s = time.process_time() + 0.5\nwhile time.process_time() < ends_s: pass"
        process.run(f"exec({burn!r})")
        used_s = source.read()[CPU] - before_s
        assert 0.4 <= used_s <= 1.5


def test_children_count_also_those_that_started_later() -> None:
    with obedient() as process:
        source = ProcessSource(process.process.pid)
        alone = source.read()
        process.run("import subprocess; kept.append(subprocess.Popen(['sleep', '60'], stdin=subprocess.DEVNULL))")
        together = source.read()
        assert (alone[THREADS], together[THREADS]) == (1, 2)
        assert together[RSS] > alone[RSS]
        process.run("kept[0].kill(); kept[0].wait()")
        assert source.read()[THREADS] == 1


def test_cpu_time_of_children_stays_after_their_end() -> None:
    with obedient() as process:
        source = ProcessSource(process.process.pid)
        burn = "import time\\nwhile time.process_time() < 0.4: pass"
        process.run(f"import subprocess, sys; kept.append(subprocess.Popen([sys.executable, '-c', '{burn}']))")
        until(lambda: source.read()[CPU] > 0.3)
        process.run("kept[0].wait()")
        assert source.read()[CPU] > 0.3


def test_process_that_ends_is_a_failed_sample_with_the_reason() -> None:
    with obedient() as process:
        source = ProcessSource(process.process.pid)
        source.read()
        process.process.kill()
        until(lambda: process.process.poll() is not None)
        with pytest.raises(SampleError, match="the process has ended"):
            source.read()


def test_zombie_has_ended() -> None:
    with obedient() as process:
        process.process.kill()
        os.waitid(os.P_PID, process.process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(UsageError, match=r"process [0-9]+ \(.+\) has ended"):
            ProcessSource(process.process.pid)


@pytest.mark.parametrize("pid", [2**22 + 1, 2**40, 2**70])
def test_number_without_a_process_is_a_usage_error(pid: int) -> None:
    with pytest.raises(UsageError, match=f"there is no process {pid}"):
        ProcessSource(pid)


def test_own_process_is_not_the_target() -> None:
    with pytest.raises(UsageError, match="is this command itself"):
        ProcessSource(os.getpid())


READS_A_PROCESS = """
import os
from sseclient_cli.target_metrics.process import ProcessSource
pid = os.getppid()
os.setuid(65534)
source = ProcessSource(pid)
print(sorted(source.read()), source.missing)
"""


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become another user")
def test_files_of_another_user_are_missing_with_the_reason() -> None:
    command = [sys.executable, "-c", READS_A_PROCESS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"['{CPU}', '{RSS}', '{THREADS}'] {{'{FILES}': 'permission denied: run sse as the user of the process'}}\n"
    )
