"""Each delay appears in the right figure, even while the worker's event loop is blocked.

The server runs in its own thread. Each test causes a delay of known size at a known place, and expects it in the only
figure that may contain it.
"""

import contextlib
import gc
import gzip
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from audits import audit_of
from scripted_server import head

from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.saturation import saturation_reasons
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

DELAY_S = 0.3
DELAY_US = 300_000
TOLERANCE_US = 150_000
"""Half of a delay: the machine may be busy, and a wrong figure differs by an order of magnitude."""

HEAD = head()


@contextlib.contextmanager
def serving(handle: Callable[[socket.socket], None]) -> Iterator[Address]:
    """Handle each connection in a thread after reading its request. Keep it open until the test is over."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as connections:

        def serve(connection: socket.socket) -> None:
            with contextlib.suppress(OSError):  # the worker has disconnected
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(65_536)
                handle(connection)

        def accept() -> None:
            with contextlib.suppress(OSError):  # the listener is closed
                while True:
                    connection, _ = listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connections.push(connection)
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield Address(socket.AF_INET, listener.getsockname())
        listener.shutdown(socket.SHUT_RDWR)


def event(number: int) -> bytes:
    return b'id: %d\ndata: {"ts": %d}\n\n' % (number, time.time_ns())


@contextlib.contextmanager
def blocked(at_s: float | None, block: Callable[[float], object]) -> Iterator[None]:
    """Block the main thread and its event loop at ``at_s`` for DELAY_S, with a signal handler."""
    if at_s is None:
        yield
        return
    previous = signal.signal(signal.SIGUSR1, lambda *_: block(DELAY_S))
    timer = threading.Timer(at_s, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1))
    timer.start()
    try:
        yield
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, previous)


def run_against(
    handle: Callable[[socket.socket], None],
    connections: int = 1,
    ramp_up_s: float = 0,
    duration_s: float = 1.5,
    body: bytes | None = None,
    block_at_s: float | None = None,
    block: Callable[[float], object] = time.sleep,
    **plan: Any,
) -> Totals:
    """Run a worker against this server. Block its loop once for DELAY_S, from ``block_at_s`` on."""
    gc.freeze()  # otherwise the collection before a run would scan all modules that other tests have imported
    with serving(handle) as address, blocked(block_at_s, block):
        target = Target(url=f"http://127.0.0.1:{address.socket_address[1]}/", body=body)
        planned = Plan(connections=connections, duration_s=duration_s, ramp_up_s=ramp_up_s, **plan)
        return Worker(Shard(chain=(ResolvedTarget(target, address),), plan=planned)).run()


def ten_events(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for number in range(10):
        connection.sendall(event(number))
        time.sleep(0.1)


def two_events(connection: socket.socket) -> None:
    connection.sendall(HEAD + event(1))
    time.sleep(0.4)
    connection.sendall(event(2))


def test_a_late_read_counts_as_read_delay_and_not_as_latency() -> None:
    totals = run_against(two_events, block_at_s=0.35)  # the second event is sent at 0.4 and read at 0.65
    assert totals.read_delay.max_us > DELAY_US - TOLERANCE_US
    assert totals.latencies[Latency.GAP].max_us == pytest.approx(400_000, abs=TOLERANCE_US)


def test_coalesced_events_with_unknown_arrival_are_not_sampled() -> None:
    totals = run_against(ten_events, block_at_s=0.45)
    assert totals.events == 10
    assert 1 <= totals.coalesced <= 4
    assert totals.latencies[Latency.DELIVERY].count == 10 - totals.coalesced
    # Each read adds one known gap, unless it has several events.
    assert totals.latencies[Latency.GAP].count < 10 - totals.coalesced
    assert totals.latencies[Latency.GAP].max_us < 100_000 + TOLERANCE_US
    assert totals.latencies[Latency.DELIVERY].max_us < TOLERANCE_US
    assert totals.latencies[Latency.DELIVERY].negative == 0
    assert audit_of(totals).checked == 10


def padded(number: int, size: int) -> bytes:
    return b'id: %d\ndata: {"ts": %d, "pad": "%b"}\n\n' % (number, time.time_ns(), b"x" * size)


def followed_by_a_comment(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for number in range(12):
        connection.sendall(event(number))
        time.sleep(0.05)
        connection.sendall(b": ping\n\n")
        time.sleep(0.05)


def followed_by_a_part_of_the_next(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"id: 0\n")
    for number in range(12):
        connection.sendall(b'data: {"ts": %d}\n\n' % time.time_ns())
        time.sleep(0.05)
        connection.sendall(b"id: %d\n" % (number + 1))
        time.sleep(0.05)


def larger_than_a_read(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for number in range(40):
        connection.sendall(padded(number, 6000))
        time.sleep(0.03)


def a_gzip_member_each(connection: socket.socket) -> None:
    connection.sendall(head(headers=b"Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"))
    for number in range(12):
        connection.sendall(gzip.compress(event(number)))
        time.sleep(0.1)


@pytest.mark.parametrize(
    "handle", [followed_by_a_comment, followed_by_a_part_of_the_next, larger_than_a_read, a_gzip_member_each]
)
def test_a_stall_is_never_part_of_a_delivery_latency(handle: Callable[[socket.socket], None]) -> None:
    totals = run_against(handle, block_at_s=0.6)
    delivery = totals.latencies[Latency.DELIVERY]
    assert totals.events >= 12
    assert delivery.count >= 5
    assert delivery.max_us < 30_000
    assert delivery.negative == 0
    assert totals.latencies[Latency.GAP].min_us > 10_000
    assert (audit_of(totals).lost, audit_of(totals).duplicated) == (0, 0)


def test_an_event_beyond_the_limit_of_events_does_not_provide_the_arrival_time() -> None:
    def pairs(connection: socket.socket) -> None:
        connection.sendall(HEAD + event(0))
        time.sleep(0.5)
        connection.sendall(event(1))
        time.sleep(0.2)
        connection.sendall(event(2))

    with_cut = run_against(pairs, block_at_s=0.45, events=2, timestamp=Field(("ts",)))
    assert (with_cut.events, with_cut.completed) == (2, 1)
    assert with_cut.latencies[Latency.DELIVERY].max_us < 30_000


def test_events_that_a_server_holds_back_are_sampled_as_late() -> None:
    def batches(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        for batch in range(10):
            held = []
            for number in range(5):
                held.append(event(5 * batch + number))
                time.sleep(0.02)
            connection.sendall(b"".join(held))

    totals = run_against(batches)
    delivery = totals.latencies[Latency.DELIVERY]
    # The server held the events back for 100, 80, 60, 40 and 20 ms.
    # A batch whose read is late on a busy machine has no exact arrival: no gap before it, and a delivery of its last
    # event only. Four of the ten may be late.
    assert delivery.count >= 50 - 4 * 4
    assert (delivery.percentiles_us([50])[50] or 0) == pytest.approx(60_000, rel=0.5)
    gap = totals.latencies[Latency.GAP]
    assert 5 <= gap.count <= 9
    assert (gap.percentiles_us([50])[50] or 0) == pytest.approx(100_000, rel=0.3)


def test_a_freeze_of_the_server_is_a_gap_even_before_two_events_at_once() -> None:
    def freezing(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        for number in range(5):
            connection.sendall(event(number))
            time.sleep(0.05)
        time.sleep(0.5)
        connection.sendall(event(5) + event(6))

    # On a busy machine, a read of two events may be so late that its arrival is not exact, and has no gap.
    longest_us = 0
    for _ in range(5):
        longest_us = run_against(freezing).latencies[Latency.GAP].max_us
        if longest_us > 400_000:
            break
    assert longest_us == pytest.approx(550_000, abs=TOLERANCE_US)


def test_a_stall_of_the_event_loop_is_a_saturation_reason() -> None:
    totals = run_against(ten_events, block_at_s=0.2)
    assert totals.loop_lag.max_us > DELAY_US - TOLERANCE_US
    # The late tick and all ticks missed meanwhile: a stall is more than one sample.
    assert (totals.loop_lag.percentiles_us([90])[90] or 0) > 50_000
    assert any("timers fired" in reason for reason in saturation_reasons(totals))


def test_an_idle_run_is_not_saturated() -> None:
    totals = run_against(ten_events)
    assert not [reason for reason in saturation_reasons(totals) if "worker" in reason]
    assert totals.loop_lag.count >= 13


def test_connect_and_first_event_start_at_the_intended_start() -> None:
    def one_event(connection: socket.socket) -> None:
        connection.sendall(HEAD + event(1))

    # Two streams over 0.2 s: the intended start of the second is at 0.1 s, and the loop is blocked from 0.05 s on.
    totals = run_against(one_event, connections=2, ramp_up_s=0.2, block_at_s=0.05)
    for kind in (Latency.CONNECT, Latency.FIRST_EVENT):
        assert totals.latencies[kind].max_us > DELAY_US - TOLERANCE_US
    assert totals.latencies[Latency.HEADERS].max_us < TOLERANCE_US


def test_headers_start_at_the_request_and_first_event_includes_them() -> None:
    def slow(connection: socket.socket) -> None:
        time.sleep(DELAY_S)
        connection.sendall(HEAD)
        time.sleep(DELAY_S)
        connection.sendall(event(1))

    totals = run_against(slow)
    assert totals.latencies[Latency.CONNECT].max_us < TOLERANCE_US
    assert totals.latencies[Latency.HEADERS].min_us == pytest.approx(DELAY_US, abs=TOLERANCE_US)
    assert totals.latencies[Latency.FIRST_EVENT].min_us == pytest.approx(2 * DELAY_US, abs=TOLERANCE_US)


def test_headers_exclude_the_time_to_send_the_request_body() -> None:
    size = 8 * 1024 * 1024

    def slow_reader(connection: socket.socket) -> None:
        # serving() has already read the request's head and some of its body.
        time.sleep(DELAY_S)
        connection.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            while connection.recv(1 << 20):
                pass
        connection.settimeout(None)
        connection.sendall(HEAD)
        time.sleep(0.2)  # a head that is read late on a busy machine, together with an event, has no exact arrival
        connection.sendall(event(1))

    totals = run_against(slow_reader, body=b"x" * size, duration_s=2.5)
    assert totals.latencies[Latency.FIRST_EVENT].min_us > 2 * DELAY_US - TOLERANCE_US
    assert totals.latencies[Latency.HEADERS].min_us == pytest.approx(300_000, abs=TOLERANCE_US)


def test_a_request_rejected_before_its_body_is_sent_is_a_failed_stream() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.sendall(head(413))
        time.sleep(2)

    totals = run_against(refuse, body=b"x" * 8 * 1024 * 1024)
    assert {kind: error.count for kind, error in totals.errors.items()} == {"http-413": 1}


def test_cpu_time_is_in_percent_of_one_core() -> None:
    def spin(duration_s: float) -> None:
        end_s = time.thread_time() + duration_s
        while time.thread_time() < end_s:
            pass

    totals = run_against(ten_events, block_at_s=0.2, block=spin)
    assert totals.cpu_percent[0] is not None
    assert 15 < totals.cpu_percent[0] < 60  # 0.3 s of 1.5 s, and the work of the worker


def test_a_run_of_many_busy_streams_ends_on_time() -> None:
    def blast(connection: socket.socket) -> None:
        block = b"".join(b'id: %d\ndata: {"ts": %d}\n\n' % (number, time.time_ns()) for number in range(2000))
        connection.sendall(HEAD)
        while True:
            connection.sendall(block)

    totals = run_against(blast, connections=30, duration_s=1)
    assert totals.events > 1000
    assert totals.duration_ns < 1_500_000_000


def test_events_read_after_the_end_of_the_run_do_not_count() -> None:
    def late(connection: socket.socket) -> None:
        connection.sendall(HEAD + event(1))
        time.sleep(0.93)
        connection.sendall(event(2))

    totals = run_against(late, duration_s=1, block_at_s=0.9)  # the second event is read at 1.2
    assert totals.events == 1
