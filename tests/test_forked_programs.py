from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cluster_processes import dask_cluster, load_processes
from cluster_runs import running_bench
from demo_server_processes import demo_server_process
from forked_programs import DEMO_CODE, ForkedPopen, RealPopen
from real_processes import SSE, streams_open, until

SHOWN = """if True:
    import gc, json, os, resource, signal, sys, threading
    from pathlib import Path

    def stream(name):
        text = getattr(sys, name)
        names = ("name", "mode", "encoding", "errors", "line_buffering", "write_through", "newlines")
        kinds = (type(text).__name__, type(text.buffer).__name__, text is getattr(sys, f"__{name}__"))
        return [*(getattr(text, attribute, None) for attribute in names), *kinds]

    status = dict(line.split(":\\t") for line in Path("/proc/self/status").read_text().splitlines())
    main = sys.modules["__main__"]
    json.dump({
        "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "flags": str(sys.flags), "gc": gc.isenabled(),
        "main": [main.__name__, main.__spec__, getattr(main, "__file__", None), main.__package__],
        "streams": [stream(name) for name in ("stdin", "stdout", "stderr")],
        "descriptors": sorted(os.listdir("/proc/self/fd")), "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
        "signals": [status[name] for name in ("SigBlk", "SigIgn", "SigCgt")], "threads": threading.active_count(),
        "interrupt": str(signal.getsignal(signal.SIGINT).__class__), "environ": dict(os.environ),
        "parent": os.getppid(), "group": os.getpgid(0) - os.getpid() * (os.getpgid(0) == os.getpid()),
        "session": os.getsid(0) == os.getpid(), "cwd": os.getcwd(), "umask": status["Umask"], "name": status["Name"],
        "shown": Path("/proc/self/cmdline").read_text().rstrip("\\0"), "input": sys.stdin.read(),
    }, sys.stdout)
    sys.stdout.flush()
    os._exit(7)
"""


def shown_by(start: type[subprocess.Popen[Any]], folder: Path, **options: Any) -> dict[str, Any]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", SHOWN + DEMO_CODE, "--port", "0"]
    with start(command, stdin=pipe, stdout=pipe, cwd=folder, env={**os.environ, "ONE": "more"}, **options) as process:
        output, _ = process.communicate(b"said", timeout=30)
    assert process.returncode == 7
    shown: dict[str, Any] = json.loads(output)
    return shown


@pytest.fixture(autouse=True)
def forks() -> None:
    if subprocess.Popen is not ForkedPopen:
        pytest.skip("processes are not forked here: not Linux, or coverage is measured")


def test_forked_process_is_like_one_that_was_started(tmp_path: Path) -> None:
    for options in ({"stderr": subprocess.STDOUT}, {"start_new_session": True}):
        forked, started = (shown_by(start, tmp_path, **options) for start in (ForkedPopen, RealPopen))
        assert {name: value for name, value in forked.items() if value != started[name]} == {
            name: value for name, value in started.items() if value != forked[name]
        }
        assert (forked["cwd"], forked["environ"]["ONE"], forked["parent"]) == (str(tmp_path), "more", os.getpid())


def test_forked_process_inherits_blocked_signals(tmp_path: Path) -> None:
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        forked, started = (shown_by(start, tmp_path) for start in (ForkedPopen, RealPopen))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
    assert {name: value for name, value in forked.items() if value != started[name]} == {
        name: value for name, value in started.items() if value != forked[name]
    }


ENDS = {
    "at-exit": "atexit.register(print, 'at exit'); print('unflushed', end=''); sys.exit(7)",
    "thread": "threading.Thread(target=lambda: print(threading.main_thread().join(), 'later')).start()",
    "text": "sys.exit('a text')",
    "large-code": "sys.exit(259)",
    "error": "1 / 0",
    "cycle": "Left.itself = Left()",
    "closed": "sys.stdout.close()",
    "lost-output": "os.dup2(os.open('/dev/full', os.O_WRONLY), 1); print('lost')",
    "interrupt": "raise KeyboardInterrupt",
    "loop": "asyncio.new_event_loop()",
}
"""The last lines of programs. Those that go on print the help of the demo server."""

ENDING = """if True:
    import asyncio, atexit, os, sys, threading

    class Left:
        def __del__(self):
            os.write(2, b"deleted")

    {last}
"""


@pytest.mark.parametrize("end", ENDS)
def test_forked_process_ends_like_one_that_was_started(end: str) -> None:
    command = [sys.executable, "-c", ENDING.format(last=ENDS[end]) + DEMO_CODE, "--help"]
    ends = []
    for start in (ForkedPopen, RealPopen):
        with start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            output, errors = process.communicate(timeout=30)
        ends.append((output, errors.splitlines()[-1:], process.returncode))  # tracebacks differ before the last line
    assert ends[0] == ends[1]


def test_forked_process_complains_of_objects_that_it_left_behind() -> None:
    code = ENDING.format(last="left = asyncio.sleep(1)") + DEMO_CODE
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, timeout=30, check=True)
    assert b"coroutine 'sleep' was never awaited" in done.stderr


def test_signal_ends_a_forked_process() -> None:
    with subprocess.Popen([*SSE, "demo", "--port", "0"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.kill()
    assert process.returncode == -signal.SIGKILL


def test_load_process_of_a_dask_worker_is_forked(tmp_path: Path) -> None:
    with dask_cluster(tmp_path, workers=1) as cluster, demo_server_process() as server:
        arguments = ["-n", "2", "-z", "60s", "--cluster", cluster.address]
        with running_bench(tmp_path, f"{server}/load", *arguments) as run:
            until(lambda: streams_open(server) == 2)
            (process,) = load_processes(cluster)
            # A forked process shows its arguments in the room of a long one of its server.
            assert Path(f"/proc/{process}/cmdline").read_bytes().endswith(bytes(100))
            assert run.signalled(signal.SIGINT).code == 130
