"""Bad clients against real servers: the demo server with known timeouts, and an application that one client blocks."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from threading import Timer
from urllib.parse import urlsplit

import pytest
from demo_server_processes import serving
from real_servers import serving_app

from sseclient_cli.measure.bad_clients import BadTotals
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.bad_clients import BadClients, Share
from sseclient_cli.run.coordinator import run
from sseclient_cli.run.executors.local import LocalExecutor
from sseclient_cli.run.executors.processes import ProcessesExecutor
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="clients vanish on Linux alone")

STALL_TIMEOUT_S, REQUEST_TIMEOUT_S = 2.0, 3.0
IMPATIENT_DEMO = f"""
from demo_server.connections import http_protocol, stall_timeout
stall_timeout.STALL_TIMEOUT_S = {STALL_TIMEOUT_S}
http_protocol.REQUEST_TIMEOUT_S = {REQUEST_TIMEOUT_S}
from demo_server.__main__ import main
main()
"""

FILLED_WITHIN_S = 5
"""Time in which a stream of 800 kB/s fills the buffers for a client that does not read; with a busy machine."""


@pytest.fixture(scope="module", name="demo_url")
def impatient_demo() -> Iterator[str]:
    with serving("--access-log", "none", "--exit-on-stdin-eof", code=IMPATIENT_DEMO, stderr=None) as (_, url):
        yield url


def _shard(url: str, plan: Plan) -> Shard:
    address = Address(socket.AF_INET, ("127.0.0.1", urlsplit(url).port))
    return Shard(chain=(ResolvedTarget(Target(url=url), address),), plan=plan)


def _plan(connections: int, duration_s: float, at_s: float, bytes_per_s: int = 1_000, **counts: int) -> Plan:
    shares = tuple((BadKind(kind), Share(count, is_percent=False)) for kind, count in counts.items())
    bad = BadClients(at_s=at_s, shares=shares, slow_bytes_per_s=bytes_per_s)
    return Plan(connections=connections, duration_s=duration_s, ramp_up_s=0, bad_clients=bad)


def _fates(totals: BadTotals) -> tuple[int, int, int, int, int]:
    return totals.planned, totals.turned, totals.dropped, totals.held, totals.unknown


def _seconds(totals: BadTotals) -> tuple[float, float]:
    return totals.dropped_after.min_us / 1e6, totals.dropped_after.max_us / 1e6


def _assert_only_good_streams_are_counted(totals: Totals, good: int) -> None:
    assert (totals.planned, totals.opened, totals.failed, totals.open_now) == (good, good, 0, good)
    assert (totals.errors, totals.reconnected, totals.silence.count) == ({}, 0, 0)


@pytest.mark.timeout(90)
def test_the_time_of_each_drop_is_the_timeout_of_the_server(demo_url: str) -> None:
    plan = _plan(8, duration_s=9, at_s=1, slow=1, vanish=1, abrupt=1, half_request=2)
    totals = run(_shard(f"{demo_url}/load?rate=100&size=8000", plan), LocalExecutor())
    _assert_only_good_streams_are_counted(totals, 3)
    fates = {kind: _fates(found) for kind, found in totals.bad.items()}
    assert fates == {
        BadKind.SLOW: (1, 1, 1, 0, 0),
        BadKind.VANISH: (1, 1, 1, 0, 0),
        BadKind.ABRUPT: (1, 1, 0, 0, 0),
        BadKind.HALF_REQUEST: (2, 2, 2, 0, 0),
    }
    earliest_s, latest_s = _seconds(totals.bad[BadKind.SLOW])
    assert STALL_TIMEOUT_S < earliest_s <= latest_s < STALL_TIMEOUT_S + FILLED_WITHIN_S
    earliest_s, latest_s = _seconds(totals.bad[BadKind.HALF_REQUEST])
    assert REQUEST_TIMEOUT_S - 0.1 < earliest_s <= latest_s < REQUEST_TIMEOUT_S + 4
    assert totals.bad[BadKind.VANISH].dropped_after.count == 0  # its time cannot be known
    assert totals.events / 3 > 500  # 100 per second: no client blocked the good streams


@pytest.mark.timeout(60)
def test_clients_that_the_server_has_no_reason_to_drop_are_held(demo_url: str) -> None:
    plan = _plan(12, duration_s=2, at_s=0.5, bytes_per_s=100_000, slow=3, vanish=3, half_request=2)
    totals = run(_shard(f"{demo_url}/load?rate=10", plan), ProcessesExecutor(2))
    _assert_only_good_streams_are_counted(totals, 4)
    fates = {kind: _fates(found) for kind, found in totals.bad.items()}
    assert fates == {
        BadKind.SLOW: (3, 3, 0, 3, 0),
        BadKind.VANISH: (3, 3, 0, 3, 0),
        BadKind.HALF_REQUEST: (2, 2, 0, 2, 0),
    }


@pytest.mark.timeout(60)
def test_an_interrupted_run_tells_what_it_knows(demo_url: str) -> None:
    plan = _plan(6, duration_s=50, at_s=0.2, vanish=1, half_request=1, abrupt=1)
    timer = Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    totals = run(_shard(f"{demo_url}/load", plan), LocalExecutor())
    timer.join()
    assert totals.interrupted
    fates = {kind: _fates(found) for kind, found in totals.bad.items()}
    assert fates[BadKind.VANISH] == (1, 1, 0, 1, 0)
    assert fates[BadKind.HALF_REQUEST] == (1, 1, 0, 1, 0)
    assert fates[BadKind.ABRUPT] == (1, 1, 0, 0, 0)


def test_clients_that_are_not_connected_do_not_turn_bad() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        plan = _plan(4, duration_s=1, at_s=0.2, slow=1, half_request=1)
        totals = run(_shard(f"http://127.0.0.1:{closed.getsockname()[1]}/", plan), LocalExecutor())
    assert {_fates(found) for found in totals.bad.values()} == {(1, 0, 0, 0, 0)}
    assert (totals.planned, totals.failed) == (2, 2)


def test_a_half_request_is_the_first_half_of_the_head_of_a_good_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/events"
        run(_shard(url, _plan(2, duration_s=1, at_s=0.3, half_request=1)), LocalExecutor())
        listener.settimeout(10)
        received = []
        for _ in range(2):
            with listener.accept()[0] as connection:
                received.append(connection.recv(10_000))
    half, whole = sorted(received, key=len)
    head = whole.removesuffix(b"\r\n\r\n")
    assert half == head[: len(head) // 2]
    assert half.startswith(b"GET /events")


@pytest.mark.timeout(60)
def test_a_slow_client_blocks_a_broadcast_that_awaits_each_send() -> None:
    with serving_app("awaiting_each") as url:
        totals = run(_shard(f"{url}/", _plan(4, duration_s=6, at_s=2, slow=1)), LocalExecutor())
    events = [totals.timeline[row].events for row in sorted(totals.timeline)]
    assert events[1] > 30  # 20 per second for each of three streams
    assert events[5] < events[1] / 3
    assert _fates(totals.bad[BadKind.SLOW])[:2] == (1, 1)
