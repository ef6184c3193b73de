"""Random plans against a server with random behaviour: the totals must be consistent."""

import contextlib
import gzip
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from busy_machine import LATE_S
from scripted_server import CHUNKED, LAST_CHUNK, SSE, chunk, head

from sseclient_cli.engine.exchange import Phase
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

GZIP = SSE + b"Content-Encoding: gzip\r\n"
MOST_HELD = 400


def answer(choose: random.Random) -> tuple[bytes, str]:
    """Return the response of one connection, and how the connection then ends."""
    events = b"".join(b'id: %d\ndata: {"n": %d}\n\n' % (n, n) for n in range(choose.randrange(4)))
    body = b"retry: %d\n\n" % choose.choice([0, 1, 50, 400]) + events
    return choose.choice(
        [
            (head() + body, "hold"),
            (head() + body, "hold"),
            (head() + body, "close"),
            (head() + body, "reset"),
            (head(headers=CHUNKED) + chunk(body) + LAST_CHUNK, "close"),
            (head(headers=CHUNKED) + chunk(body), "close"),
            (head(headers=GZIP) + gzip.compress(body), "close"),
            (head(headers=GZIP) + gzip.compress(body) + b"no gzip", "hold"),
            (head(307, b"Location: /%d\r\nContent-Length: 0\r\n" % choose.randrange(3)), "close"),
            (head(404), "close"),
            (head(204, b""), "close"),
            (b"garbage\r\n\r\n", "close"),
            (b"HTTP/1.1 200 OK\r\nConte", "close"),
            (b"", "hold"),
        ]
    )


@contextlib.contextmanager
def anything_goes(seed: int) -> Iterator[Address]:
    """Serve one connection after the other with random responses."""
    held: list[socket.socket] = []

    def serve(listener: socket.socket) -> None:
        choose = random.Random(seed)
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # the test is over
            data, ending = answer(choose)
            connection.settimeout(0.02)
            with contextlib.suppress(OSError):
                connection.recv(65_536)
                connection.sendall(data)
            if ending == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if ending == "hold":
                held.append(connection)
            else:
                connection.close()
            while len(held) > MOST_HELD:
                held.pop(0).close()

    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield Address(socket.AF_INET, listener.getsockname())
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in held:
        connection.close()


def some_plan(choose: random.Random) -> dict[str, Any]:
    return {
        "connections": choose.choice([1, 5, 40]),
        "duration_s": choose.choice([0.4, 0.8]),
        "ramp_up_s": choose.choice([0, 0.3]),
        "lifetime_s": choose.choice([None, None, 0.05, 0.2]),
        "refill": choose.random() < 0.7,
        "storm_s": choose.choice([None, 0.1, 0.25]),
        "events": choose.choice([None, None, 1, 2]),
        "on_end": choose.choice(list(OnEnd)),
        "warmup_s": choose.choice([0, 0.1]),
    }


@pytest.mark.parametrize("seed", range(25))
def test_totals_are_consistent_for_any_plan_and_server(seed: int) -> None:
    plan = some_plan(random.Random(seed))
    with anything_goes(seed) as address:
        target = Target(url=f"http://127.0.0.1:{address.socket_address[1]}/", connect_timeout_s=2)
        worker = Worker(Shard(chain=(ResolvedTarget(target, address),), plan=Plan(**plan)))
        began_s = time.monotonic()
        close, open_at_end = worker._sides[0].pool.close, []

        def count_and_close() -> None:
            streams = worker._sides[0].pool._streams.values()
            open_at_end.append(sum(stream.phase is Phase.OPEN for stream in streams))
            close()

        worker._sides[0].pool.close = count_and_close  # type: ignore[method-assign]
        totals = worker.run()
        took_s = time.monotonic() - began_s
    assert totals.planned >= totals.opened + totals.failed
    assert [totals.open_now] == open_at_end
    assert totals.peak_open <= plan["connections"]
    assert sum(row.open_change for row in totals.timeline.values()) == totals.open_now
    assert sum(row.events for row in totals.timeline.values()) == totals.events == sum(totals.types.values())
    assert sum(row.errors for row in totals.timeline.values()) == sum(error.count for error in totals.errors.values())
    assert "internal" not in totals.errors
    assert not any(latency.negative for latency in totals.latencies.values())
    # No socket is watched, and no attempt is active.
    assert (worker._poller._handlers, worker._sides[0].context.attempts.under_way) == ({}, 0)
    assert took_s < plan["duration_s"] + LATE_S
