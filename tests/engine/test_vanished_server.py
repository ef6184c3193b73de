"""Streams are reported as lost if the server vanishes without FIN or RST."""

import errno
import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from scripted_server import head

from sseclient_cli.engine.exception_mapping import mapped
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

KEEP_ALIVE_TIMER = "02"


def timer_of_connection_to(port: int) -> tuple[str, float]:
    """Return the kind of the connection's timer, and the seconds until it fires (proc(5): jiffies of 10 ms)."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, _, timer, *_ = line.split()
        if remote.endswith(f":{port:04X}") and state == "01":
            kind, _, when = timer.partition(":")
            return kind, int(when, 16) / os.sysconf("SC_CLK_TCK")
    return "", 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the timers of its connections")
def test_lasting_connection_has_keep_alive() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        address = Address(socket.AF_INET, ("127.0.0.1", port))
        resolved = ResolvedTarget(Target(url=f"http://127.0.0.1:{port}/"), address)
        worker = Worker(Shard(chain=(resolved,), plan=Plan(connections=1, duration_s=30, ramp_up_s=0)))
        running = threading.Thread(target=worker.run)
        running.start()
        connection, _ = listener.accept()
        with connection:
            connection.sendall(head())
            deadline_s = time.monotonic() + 20
            while (timer := timer_of_connection_to(port))[0] != KEEP_ALIVE_TIMER and time.monotonic() < deadline_s:
                time.sleep(0.1)
            worker.interrupt()
            running.join()
    assert timer[0] == KEEP_ALIVE_TIMER
    assert timer[1] <= 10  # the default of Linux is two hours


@pytest.mark.parametrize("code", [errno.ETIMEDOUT, errno.EHOSTUNREACH])
def test_unanswered_keep_alive_probes_mean_a_vanished_server(code: int) -> None:
    error = mapped(OSError(code, os.strerror(code)))
    assert error.kind == "connection-lost"
    assert str(error) == "the server vanished: no answer to keep-alive probes for 19 s"
