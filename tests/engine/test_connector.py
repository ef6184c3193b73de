"""Connections of streams to real servers: redirects, TLS, content codings, unix sockets, source addresses."""

import asyncio
import gzip
import socket
import ssl
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from namespaces import can_unshare, printed_with
from scripted_server import CHUNKED, LAST_CHUNK, SSE, Do, Script, ScriptedServer, chunk, head, trickled

from sseclient_cli.client.preflight import preflight
from sseclient_cli.engine.connector import MAX_ORIGINS, Connector
from sseclient_cli.engine.endpoint import Endpoint
from sseclient_cli.errors import BadStatusError
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.request.tls import Tls
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker

EVENTS = b"id: 1\ndata: a\n\nid: 2\ndata: b\n\n"
STREAM: Script = [head(), EVENTS, Do.HOLD]


def to(location: str, status: int = 307) -> Script:
    return [head(status, b"Location: %b\r\nContent-Length: 0\r\n" % location.encode())]


async def ran(chain: tuple[ResolvedTarget, ...], connections: int = 1, duration_s: float = 0.6, **plan: Any) -> Totals:
    planned = Plan(connections=connections, duration_s=duration_s, ramp_up_s=0, timestamp=Choice.NONE, **plan)
    return await asyncio.to_thread(Worker(Shard(chain=chain, plan=planned)).run)


def resolved_target(server: ScriptedServer, **target: Any) -> ResolvedTarget:
    """Return the resolved target of a server, as the preflight would."""
    return ResolvedTarget(Target(url=f"{server.url}/", **target), Address(socket.AF_INET, ("127.0.0.1", server.port)))


def errors(totals: Totals) -> dict[str, int]:
    return {kind: error.count for kind, error in totals.errors.items()}


def error_text(totals: Totals) -> str:
    return " ".join(error.example for error in totals.errors.values())


# Redirects.


async def test_each_stream_uses_the_redirect_chain_of_the_preflight() -> None:
    # Connect time is per connection. Time to headers and to the first event is per stream and includes the redirect.
    # A busy machine may read a head too late for an exact arrival, and that head is not sampled: then once more.
    counts: list[int] = []
    for _ in range(5):
        async with ScriptedServer(*[STREAM] * 3) as there, ScriptedServer(*[to(f"{there.url}/stream")] * 3) as here:
            found = await preflight(Target(url=here.url, headers=(("X-Mine", "1"),)))
            assert len(found.chain) == 2
            totals = await ran(found.chain, connections=2)
            assert (totals.opened, totals.failed, totals.events) == (2, 0, 4)
            assert [request.path for request in there.requests] == ["/stream"] * 3
            assert there.requests[-1].header("x-mine") == b"1"
            assert len(here.requests) == 3
        counts = [totals.latencies[kind].count for kind in (Latency.CONNECT, Latency.HEADERS, Latency.FIRST_EVENT)]
        assert counts[0] == 4
        assert max(counts[1:]) <= 2
        if counts == [4, 2, 2]:
            return
    pytest.fail(f"counts of the last of five runs: {counts}")


async def test_redirect_to_another_path_on_a_known_server_is_followed() -> None:
    async with ScriptedServer(to("/other"), STREAM) as server:
        totals = await ran((resolved_target(server),))
        assert [request.path for request in server.requests] == ["/", "/other"]
    assert (totals.opened, totals.events) == (1, 2)


async def test_redirect_to_an_unknown_server_is_followed() -> None:
    async with ScriptedServer(*[STREAM] * 2) as there, ScriptedServer(*[to(f"{there.url}/x?token=hush")] * 2) as here:
        totals = await ran((resolved_target(here),), connections=2)
        assert [request.path for request in there.requests] == ["/x?token=hush"] * 2
    assert (totals.opened, totals.events, errors(totals)) == (2, 4, {})
    assert {(place.port, count) for place, count in totals.connections.items()} == {(here.port, 2), (there.port, 2)}
    assert totals.redirections == {f"{there.url}/x?token=REDACTED": 2}


async def test_unknown_host_is_resolved_once_and_for_the_family_of_the_source_addresses() -> None:
    async with ScriptedServer(*[STREAM] * 2) as there:
        url = f"http://localhost:{there.port}/"
        async with ScriptedServer(*[to(url)] * 2) as here:
            totals = await ran((resolved_target(here, source_addresses=("127.0.0.1",)),), connections=2)
    assert (totals.opened, errors(totals)) == (2, {})
    assert totals.connections[Endpoint("localhost", "127.0.0.1", there.port)] == 2


async def test_redirect_to_an_unresolvable_host_fails_only_the_redirected_streams() -> None:
    # An IPv6 address does not match the family of the source address. The resolver fails without a query.
    nowhere = to("http://[::1]/x")
    async with ScriptedServer(nowhere, STREAM, nowhere) as server:
        totals = await ran((resolved_target(server, source_addresses=("127.0.0.1",)),), connections=3)
    assert (totals.opened, totals.failed, totals.events, errors(totals)) == (1, 2, 2, {"dns": 2})
    assert "has no address" in error_text(totals)


def test_number_of_hosts_that_redirects_can_name_is_limited() -> None:
    first = ResolvedTarget(Target(url="http://127.0.0.1:1/"), Address(socket.AF_INET, ("127.0.0.1", 1)))
    connector = Connector((first,))
    for port in range(2, MAX_ORIGINS + 1):
        request = connector.redirected(connector.first, 307, {"location": f"http://127.0.0.1:{port}/"})
        assert next(request.turns)[0].socket_address == ("127.0.0.1", port)
    with pytest.raises(BadStatusError, match=f"more than {MAX_ORIGINS} hosts"):
        connector.redirected(connector.first, 307, {"location": "http://127.0.0.1:9999/"})
    # Hosts that are already resolved still work.
    assert next(connector.redirected(connector.first, 307, {"location": "http://127.0.0.1:2/"}).turns)[0].socket_address


@pytest.mark.skipif(not can_unshare("-mn"), reason="needs root and unshare, for a name server of its own")
def test_time_that_a_worker_waits_for_silent_name_servers_is_limited(tmp_path: Path) -> None:
    script = """
        import socket, time
        from sseclient_cli.errors import NameNotResolvedError
        from sseclient_cli.engine import connector as module
        from sseclient_cli.request.target import Address, ResolvedTarget, Target

        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        silent.bind(("127.0.0.53", 53))
        module.LOOKUPS_S = 0.6
        target = Target(url="http://127.0.0.1/", connect_timeout_s=0.4)
        resolved = ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", 80)))
        connector = module.Connector((resolved,))
        began_s = time.monotonic()
        for host in ("a", "a", "b", "c", "d", "a"):
            try:
                connector.redirected(connector.first, 307, {"location": f"http://{host}.example/"})
            except NameNotResolvedError as exc:
                print(str(exc).partition(" was not ")[2].partition(":")[0])
        print(time.monotonic() - began_s < 4)
    """
    first, again, second, *later, first_again, is_in_time = printed_with(
        "/etc/resolv.conf", "nameserver 127.0.0.53\n", script, tmp_path
    )
    assert first == again == first_again == "resolved within 0.4 s"
    assert second.startswith("resolved within 0.")
    assert later == ["looked up"] * 2
    assert is_in_time == "True"


async def test_redirect_loop_is_a_failed_stream() -> None:
    async with ScriptedServer(*[to("/")] * 30) as server:
        totals = await ran((resolved_target(server),), duration_s=3)
        assert len(server.requests) == 21
    assert (totals.failed, errors(totals)) == (1, {"http-307": 1})


async def test_reconnect_repeats_the_whole_redirect_chain() -> None:
    there = ScriptedServer([head(), b"retry: 10\n\n" + EVENTS], STREAM)
    async with there, ScriptedServer(*[to(f"{there.url}/stream")] * 2) as here:
        totals = await ran((resolved_target(here), resolved_target(there)), on_end=OnEnd.RECONNECT)
        assert [request.header("last-event-id") for request in here.requests] == [None, b"2"]
        assert [request.header("last-event-id") for request in there.requests] == [None, b"2"]
    assert (totals.opened, totals.reconnected) == (1, 1)


async def test_reconnect_replaces_the_callers_last_event_id() -> None:
    async with ScriptedServer([head(), b"retry: 10\n\n" + EVENTS], STREAM) as server:
        await ran((resolved_target(server, headers=(("Last-Event-ID", "0"),)),), on_end=OnEnd.RECONNECT)
        assert [request.header("last-event-id") for request in server.requests] == [b"0", b"2"]


# Content codings.


def deflated(data: bytes, wbits: int) -> bytes:
    coder = zlib.compressobj(wbits=wbits)
    return coder.compress(data) + coder.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        pytest.param("gzip", deflated(EVENTS, 31), id="gzip"),
        pytest.param("x-gzip", gzip.compress(EVENTS[:15]) + gzip.compress(EVENTS[15:]), id="gzip-in-members"),
        pytest.param("deflate", deflated(EVENTS, 15), id="deflate"),
        pytest.param("deflate", deflated(EVENTS, -15), id="raw-deflate"),
    ],
)
async def test_unsolicited_content_coding_is_decoded(coding: str, body: bytes) -> None:
    headers = CHUNKED + b"Content-Encoding: %b\r\n" % coding.encode()
    async with ScriptedServer([head(headers=headers), *trickled(chunk(body)), Do.HOLD]) as server:
        totals = await ran((resolved_target(server),))
    assert (totals.opened, totals.events, errors(totals)) == (1, 2, {})
    assert totals.bytes == len(body)


async def test_body_that_does_not_match_its_content_coding_is_an_error() -> None:
    headers = SSE + b"Content-Encoding: gzip\r\n"
    async with ScriptedServer([head(headers=headers), EVENTS, Do.HOLD]) as server:
        totals = await ran((resolved_target(server),))
    assert errors(totals) == {"invalid-response": 1}


async def test_decompression_bomb_does_not_delay_the_end_of_the_run() -> None:
    headers = SSE + b"Content-Encoding: gzip\r\n"
    bomb = gzip.compress(b"data: x\n\n" * 20_000_000, 1)
    async with ScriptedServer([head(headers=headers), bomb, Do.HOLD]) as server:
        totals = await ran((resolved_target(server),), duration_s=0.5)
    assert totals.events > 0
    assert totals.duration_ns < 1_000_000_000


# TLS.


def secured(server: ScriptedServer, authority: Authority, **tls: Any) -> tuple[ResolvedTarget, ...]:
    return (resolved_target(server, tls=Tls(**{"ca_file": authority.file, **tls})),)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param([head(), EVENTS], id="close-delimited"),
        pytest.param([head(headers=CHUNKED), chunk(EVENTS)], id="chunked"),
        pytest.param(trickled(head() + EVENTS), id="byte-by-byte"),
    ],
)
async def test_streams_over_tls_are_measured_like_plain_ones(
    authority: Authority, newest: ssl.TLSVersion, body: Script
) -> None:
    async with ScriptedServer(*[[*body, Do.HOLD]] * 3, ssl_context=authority.server(newest=newest)) as server:
        totals = await ran(secured(server, authority), connections=3)
        assert [request.alpn for request in server.requests] == ["http/1.1"] * 3
    assert (totals.opened, totals.events, totals.open_now, errors(totals)) == (3, 6, 3, {})
    assert [totals.latencies[kind].count for kind in (Latency.CONNECT, Latency.TLS)] == [3, 3]
    # The handshake is part of connect.
    assert totals.latencies[Latency.TLS].min_us < totals.latencies[Latency.CONNECT].max_us
    if sys.platform == "linux":
        assert totals.stamped_reads == totals.reads > 0


async def test_no_handshake_is_reported_without_tls() -> None:
    async with ScriptedServer(STREAM) as server:
        totals = await ran((resolved_target(server),))
    assert totals.latencies[Latency.TLS].count == 0


@pytest.mark.parametrize(
    ("names", "expired", "tls", "words"),
    [
        ((), False, {"ca_file": None}, "unknown issuer"),
        (("other.test",), False, {}, "not valid for '127.0.0.1'"),
        ((), True, {}, "expired"),
    ],
    ids=["untrusted", "other-name", "expired"],
)
async def test_invalid_certificate_fails_the_stream(
    authority: Authority, names: tuple[str, ...], expired: bool, tls: dict[str, Any], words: str
) -> None:
    async with ScriptedServer(STREAM, ssl_context=authority.server(*names, expired=expired)) as server:
        totals = await ran(secured(server, authority, **tls))
        assert server.requests == []
    assert (totals.failed, errors(totals)) == (1, {"tls": 1})
    assert words in error_text(totals)


async def test_insecure_accepts_any_certificate(authority: Authority) -> None:
    async with ScriptedServer(STREAM, ssl_context=authority.server("other.test", expired=True)) as server:
        totals = await ran(secured(server, authority, ca_file=None, verify=False))
    assert (totals.opened, totals.events) == (1, 2)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_client_certificate_is_sent_and_a_missing_one_is_reported(
    authority: Authority, newest: ssl.TLSVersion
) -> None:
    cert_file, key_file = authority.client()
    async with ScriptedServer(STREAM, ssl_context=authority.server(wants_client=True, newest=newest)) as server:
        refused = await ran(secured(server, authority))
        taken = await ran(secured(server, authority, cert_file=cert_file, key_file=key_file))
    if newest is ssl.TLSVersion.TLSv1_2:
        assert errors(refused) == {"tls": 1}
        assert "client certificate" in error_text(refused)
    else:
        # With TLS 1.3 the client completes the handshake before the server checks the client certificate. Servers of
        # asyncio then reset the connection without a TLS alert.
        assert errors(refused) in ({"tls": 1}, {"connection-lost": 1})
        assert refused.failed == 1
    assert (taken.opened, taken.events) == (1, 2)


async def test_tls_to_a_plain_http_port_is_a_tls_error() -> None:
    async def answer_in_clear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer_in_clear, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = Address(socket.AF_INET, ("127.0.0.1", port))
        totals = await ran((ResolvedTarget(Target(url=f"https://127.0.0.1:{port}/"), address),))
    assert (totals.failed, errors(totals)) == (1, {"tls": 1})
    assert "http://" in error_text(totals)


async def test_proper_end_and_truncation_of_a_tls_stream_are_distinguished(authority: Authority) -> None:
    context = authority.server()
    async with ScriptedServer([head(headers=CHUNKED), chunk(EVENTS), LAST_CHUNK], ssl_context=context) as server:
        proper = await ran(secured(server, authority))
    async with ScriptedServer([head(), EVENTS], ssl_context=context) as server:
        closed = await ran(secured(server, authority))
    async with ScriptedServer([head(), EVENTS, Do.RESET], ssl_context=context) as server:
        cut = await ran(secured(server, authority))
    assert [(t.ended_by_server, errors(t), t.events) for t in (proper, closed)] == [(1, {}, 2)] * 2
    assert (cut.ended_by_server, errors(cut)) == (0, {"connection-lost": 1})


# Addresses.


async def test_streams_connect_to_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    async with ScriptedServer(*[STREAM] * 3, unix_socket=path) as server:
        found = await preflight(Target(url="http://example.test/x", unix_socket=path))
        totals = await ran(found.chain, connections=2)
        assert server.requests[-1].header("host") == b"example.test"
    assert (totals.opened, totals.events, totals.stamped_reads) == (2, 4, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address of this machine on Linux only")
async def test_streams_use_source_addresses_round_robin() -> None:
    async with ScriptedServer(*[STREAM] * 4) as server:
        totals = await ran((resolved_target(server, source_addresses=("127.0.0.2", "127.0.0.3")),), connections=4)
        assert sorted(request.source for request in server.requests) == ["127.0.0.2"] * 2 + ["127.0.0.3"] * 2
    assert totals.opened == 4


def resolved_pool(*servers: ScriptedServer, **target: Any) -> ResolvedTarget:
    first, *others = (Address(socket.AF_INET, ("127.0.0.1", server.port)) for server in servers)
    return ResolvedTarget(Target(url="http://pool.test/", **target), first, tuple(others))


async def test_all_streams_use_the_address_that_answered_and_others_are_reported_unused() -> None:
    async with ScriptedServer(*[STREAM] * 3) as first, ScriptedServer() as second:
        totals = await ran((resolved_pool(first, second),), connections=3)
        assert (len(first.requests), len(second.requests)) == (3, 0)
    assert totals.connections == {
        Endpoint("pool.test", "127.0.0.1", first.port): 3,
        Endpoint("pool.test", "127.0.0.1", second.port): 0,
    }


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address of this machine on Linux only")
async def test_streams_use_all_addresses_round_robin_from_each_source_address() -> None:
    async with ScriptedServer(*[STREAM] * 4) as first, ScriptedServer(*[STREAM] * 4) as second:
        resolved = resolved_pool(first, second, all_addresses=True, source_addresses=("127.0.0.2", "127.0.0.3"))
        totals = await ran((resolved,), connections=8)
        for server in (first, second):
            assert sorted(request.source for request in server.requests) == ["127.0.0.2"] * 2 + ["127.0.0.3"] * 2
    assert (totals.opened, sorted(totals.connections.values())) == (8, [4, 4])


async def test_workers_with_one_stream_each_begin_with_different_addresses() -> None:
    async with ScriptedServer(STREAM) as first, ScriptedServer(STREAM) as second:
        whole = Plan(connections=2, duration_s=0.4, ramp_up_s=0, timestamp=Choice.NONE)
        chain = (resolved_pool(first, second, all_addresses=True),)
        workers = [Worker(Shard(chain=chain, plan=whole.shard(index, 2))) for index in range(2)]
        totals, other = await asyncio.gather(*(asyncio.to_thread(worker.run) for worker in workers))
        totals.merge(other)
        assert (len(first.requests), len(second.requests)) == (1, 1)
    assert list(totals.connections.values()) == [1, 1]


async def test_streams_connect_to_an_ipv6_address() -> None:
    async with ScriptedServer(*[STREAM] * 2, host="::1") as server:
        found = await preflight(Target(url=f"http://[::1]:{server.port}/"))
        totals = await ran(found.chain)
    assert (totals.opened, totals.events) == (1, 2)
