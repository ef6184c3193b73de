"""A fast stream is read as fast as the CPU allows, without pauses that make the load generator the bottleneck."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.measure.saturation import MAX_RECEIVE_QUEUE_BYTES, saturation_reasons
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

# A separate process, so that it does not share an interpreter with the load generator. It sends events of 1 KB. The
# argument is the rate in bytes per second.
SERVER = """
import socket, sys, time
rate = float(sys.argv[1])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
connection.recv(65536)
connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\n\\r\\n")
block = b"data: %b\\n\\n" % (b"x" * 992) * 50
began, sent = time.monotonic(), 0
while True:
    connection.sendall(block)
    sent += len(block)
    time.sleep(max(began + sent / rate - time.monotonic(), 0))
"""


@contextmanager
def sending(bytes_per_s: float) -> Iterator[int]:
    """Run a server that sends one stream at this rate, and yield its port."""
    command = [sys.executable, "-c", SERVER, str(bytes_per_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def ran(port: int) -> Totals:
    resolved = ResolvedTarget(Target(url=f"http://127.0.0.1:{port}/"), Address(socket.AF_INET, ("127.0.0.1", port)))
    plan = Plan(connections=1, duration_s=2, ramp_up_s=0, timestamp=Choice.NONE, sequence=Choice.NONE)
    return Worker(Shard(chain=(resolved,), plan=plan)).run()


def test_stream_of_25_mb_per_second_is_read_without_a_large_receive_queue() -> None:
    reasons = []
    for _ in range(3):  # one success is enough: a pause of 1 ms after each 16 KiB would always leave megabytes
        with sending(25e6) as port:
            totals = ran(port)
        assert totals.errors == {}
        middle = totals.receive_queue.percentiles_us([50])[50]
        if middle is not None and middle < MAX_RECEIVE_QUEUE_BYTES:
            return
        reasons += saturation_reasons(totals)
    raise AssertionError(reasons)


def test_stream_at_full_speed_is_not_limited_by_pauses_of_the_loop() -> None:
    fastest_per_s = 0.0
    for _ in range(5):  # one success is enough: 16 KiB and a pause of 1 ms never exceed 16.4 MB/s
        with sending(1e12) as port:
            totals = ran(port)
        fastest_per_s = max(fastest_per_s, totals.bytes / (totals.duration_ns / 1e9))
        if fastest_per_s > 20e6:
            return
    raise AssertionError(f"{fastest_per_s:,.0f} bytes per second")
