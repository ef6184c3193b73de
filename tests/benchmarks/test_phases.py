"""The parts of a process are told apart: its start, its reading, and its end."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the yardstick needs epoll", allow_module_level=True)

from benchmarks.building import build, compiler
from benchmarks.event_source import EventSource
from benchmarks.phases import follow
from benchmarks.processes import cpu_s
from benchmarks.readers import Reader, Report
from benchmarks.running import Setup, reading
from benchmarks.workloads import Kind, Workload

BURN = """
ends = time.process_time() + {cpu_s}
while time.process_time() < ends:
    pass
"""
# It sleeps before and after each moment that divides two parts: the looks of a busy machine may come late.
PROGRAM = """
import socket, sys, time
{start}
stream = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
stream.sendall(b"GET /idle HTTP/1.1\\r\\n\\r\\n")
time.sleep(0.5)
{reading}
time.sleep(0.5)
stream.close()
time.sleep(0.5)
{end}
"""
PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-S", "-c", sys.argv[1]])
print(flush=True)
input()
"""


@pytest.fixture
def source(tmp_path: Path) -> Iterator[EventSource]:
    if compiler() is None:
        pytest.skip("the yardstick is written in C, and there is no gcc here")
    build(tmp_path)
    with EventSource(core=None, folder=tmp_path) as running:
        yield running


def test_start_reading_and_end_are_told_apart(source: EventSource) -> None:
    burn = {part: BURN.format(cpu_s=cpu) for part, cpu in {"start": 0.3, "reading": 0.6, "end": 0.2}.items()}
    program = PROGRAM.format(**burn)
    reader = Reader(
        "test",
        lambda order: [sys.executable, "-S", "-c", program, str(order.port)],
        lambda _order, _output: Report(opened=1, events=1, duration_s=1),
    )
    bench = Setup(source, None, 1.0)
    before = source.stats()
    with reading(bench, reader, Workload("test", "test", Kind.WHOLE, 1, "/idle"), duration_s=20) as running:
        phases, _ = follow(bench, running, 1, before)
    # Starting Python takes some of it, too.
    assert 0.3 <= phases.start_s < 0.5
    assert 0.55 <= phases.reading_s < 0.7
    assert 0.15 <= phases.end_s < 0.3


def test_cpu_of_a_process_counts_children_that_have_ended() -> None:
    child = "import time" + BURN.format(cpu_s=0.2)
    command = [sys.executable, "-S", "-c", PARENT, child]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert cpu_s(process.pid) >= 0.2
        process.communicate(b"\n")
