"""The cases of tests/data/connection_cases.json in which the program does something, or there is no server."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from typing import Any

import pytest
from browser import PAGE, PAGE_PATH, Browser
from http2_server import Http2Server
from scripted_server import SSE, Do, Script, ScriptedServer, head

from conformance.clients import OPEN, OURS, Client, read, resolved
from conformance.table import Shown
from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import BadStatusError, EventTooLargeError, NameNotResolvedError, ReadTimeoutError, UsageError
from sseclient_cli.request.redirection import redirected
from sseclient_cli.request.target import Target
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import Shard
from sseclient_cli.run.worker import Worker
from sseclient_cli.sse.event_stream import Event

SOON = b"retry: 50\n\n"
A = Event("message", "a", "")
HELD: Script = [head(), b"data: a\n\ndata: b\n\ndata: c\n\n", Do.HOLD]


def shows(name: str, *clients: Client, seen: str, why: str = "") -> Callable[[Any], Any]:
    """Run a test with these clients; with ``why``, its result is a difference."""
    return pytest.mark.parametrize(
        "client",
        [
            pytest.param(client, id=client.value, marks=pytest.mark.shows(name, client, Shown(seen, why)))
            for client in clients
        ],
    )


also_over_http2 = pytest.mark.parametrize("http2", [False, True], ids=["", "HTTP/2"])
"""Run a test over HTTP/2 as well, with the clients OVER_HTTP2."""


def server_of(*scripts: Script, http2: bool = False) -> ScriptedServer:
    return Http2Server(*scripts) if http2 else ScriptedServer(*scripts, pages={PAGE_PATH: PAGE})


# Requests


@also_over_http2
@shows("request-custom-headers", *OURS, seen="the headers on the first and on every later request")
async def test_headers_are_sent_with_every_request(client: Client, request: pytest.FixtureRequest, http2: bool) -> None:
    async with server_of([head(), SOON], [head(), SOON], http2=http2) as server:
        await read(client, server.url, request, http2=http2, headers=("X-Mine: 1",))
        assert [each.header("x-mine") for each in server.requests] == [b"1"] * 3


@shows("request-header-none-skipped", Client.EVENT_SOURCE, seen="a header whose value is None is left out")
async def test_a_header_with_the_value_none_is_not_sent(client: Client) -> None:
    async with server_of() as server, EventSource(server.url, headers={"X-Mine": None}) as source:
        assert await anext(source, None) is None
        assert server.requests[0].header("x-mine") is None


@also_over_http2
@shows("request-cookies-off", *Client, seen="no cookie, though the server has set one")
async def test_cookies_of_the_server_are_not_sent_back(
    client: Client, request: pytest.FixtureRequest, http2: bool
) -> None:
    cookie = SSE + b"Set-Cookie: a=b\r\nAccess-Control-Allow-Origin: *\r\n"
    async with (
        server_of([head(headers=cookie), SOON], [head(headers=cookie)], http2=http2) as server,
        server_of() as elsewhere,
    ):
        if client is Client.CHROMIUM:
            browser: Browser = request.getfixturevalue("browser")
            # A page sends the cookies of its own origin, but not those of another origin without withCredentials.
            await asyncio.to_thread(browser.go_to, elsewhere.url + PAGE_PATH)
            await asyncio.to_thread(browser.watch, server.url, for_s=3)
        else:
            await read(client, server.url, request, http2=http2)
        assert [each.header("cookie") for each in server.requests] == [None] * 3


BOGUS = "http://this is invalid/"


@shows("invalid-url", *OURS, seen="an error of the call, and no request")
async def test_an_invalid_url_raises_at_the_call(client: Client) -> None:
    with pytest.raises(UsageError):
        EventSource(BOGUS) if client is Client.EVENT_SOURCE else Target.parse(BOGUS)


ESCAPES = "escapes the spaces of a host as %20 and looks that name up; other invalid URLs are a SyntaxError"


@shows("invalid-url", Client.CHROMIUM, seen="no error of the call", why=ESCAPES)
async def test_a_browser_accepts_a_host_with_spaces(client: Client, browser: Browser) -> None:
    async with server_of() as server:
        await asyncio.to_thread(browser.go_to, server.url + PAGE_PATH)
        assert await asyncio.to_thread(browser.watch, BOGUS, for_s=0.5) == [["error", 0]]
        assert await asyncio.to_thread(browser.watch, "http://a:b:c/") == [["refused", "SyntaxError"]]


@shows("unsupported-scheme", *Client, seen="closed for good (ours: an error of the call)")
@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "about:blank", "mailto:me@example.com", "javascript:alert(1)"])
async def test_other_schemes_are_rejected(url: str, client: Client, request: pytest.FixtureRequest) -> None:
    if client is Client.CHROMIUM:
        async with server_of() as server:
            browser: Browser = request.getfixturevalue("browser")
            await asyncio.to_thread(browser.go_to, server.url + PAGE_PATH)
            assert await asyncio.to_thread(browser.watch, url) == [["error", 2]]
    else:
        with pytest.raises(UsageError):
            EventSource(url) if client is Client.EVENT_SOURCE else Target.parse(url)


# The order of events


@also_over_http2
@shows("open-200", *Client, seen="`open` with the head, before there is a body")
async def test_a_stream_opens_when_its_head_arrives(
    client: Client, request: pytest.FixtureRequest, http2: bool
) -> None:
    async with server_of([head(), Do.HOLD], http2=http2) as server:
        assert (await read(client, server.url, request, http2=http2, enough=1)).heard == [OPEN]


@shows("error-has-status-and-headers", Client.EVENT_SOURCE, seen="the error has the status and the headers")
async def test_an_error_has_the_status_and_the_headers(client: Client) -> None:
    async with server_of([head(400, b"X-Error-Code: 7\r\n")]) as server, EventSource(server.url) as source:
        with pytest.raises(BadStatusError) as caught:
            await anext(source)
        assert (caught.value.status, caught.value.headers["x-error-code"]) == (400, "7")


@also_over_http2
@shows("status-500-spec", *OURS, seen="ours, with `--retry-status`: asks again, not before Retry-After")
async def test_a_status_may_be_retried_on_request(client: Client, request: pytest.FixtureRequest, http2: bool) -> None:
    first, busy = [head(), SOON, b"id: 1\ndata: a\n\n"], [head(500, b"Retry-After: 1\r\nContent-Length: 0\r\n")]
    async with server_of(first, busy, [head(), b"data: b\n\n"], http2=http2) as server:
        seen = await read(client, server.url, request, http2=http2, retry_statuses={429, 500})
        assert seen.heard == [OPEN, Event("message", "a", "1"), OPEN, Event("message", "b", "1")]
        assert [each.header("last-event-id") for each in server.requests] == [None, *[b"1"] * 3]
        assert server.requests[2].arrived_s - server.requests[1].arrived_s > 0.99


@shows("comments-capability", *OURS, seen="each comment at the end of its line (the engine: counted)")
async def test_a_comment_is_delivered_without_a_blank_line(client: Client, request: pytest.FixtureRequest) -> None:
    async with server_of([head(), b":Hello\n", Do.HOLD]) as server:
        if client is Client.ENGINE:
            assert (await read(client, server.url, request, for_s=1.0)).comments == 1
            return
        heard = asyncio.Queue[str]()
        async with EventSource(server.url, on_comment=heard.put_nowait) as source:
            reader = asyncio.ensure_future(anext(source, None))
            assert await heard.get() == "Hello"
            source.close()
            await reader


@also_over_http2
@shows("event-size-limit", *OURS, seen="a typed error, the connection dropped, no other one")
async def test_an_endless_event_ends_the_stream_with_an_error(
    client: Client, request: pytest.FixtureRequest, http2: bool
) -> None:
    # Comments do not count.
    endless: Script = [head(), b"data: a\n\n", b":" + b"c" * 2**21 + b"\n", *[b"data: " + b"x" * 2**20] * 17, Do.HOLD]
    async with server_of(endless, HELD, http2=http2) as server:
        if client is Client.ENGINE:
            seen = await read(client, server.url, request, http2=http2)
            assert (seen.heard, seen.errors) == ([OPEN, A], {"event-too-large": 1})
        else:
            async with EventSource(server.url, http2=http2, max_event_bytes=2**20) as source:
                assert await anext(source) == A
                with pytest.raises(EventTooLargeError):
                    await anext(source)
        await server.requests[0].disconnected.wait()
        assert len(server.requests) == 1


@also_over_http2
@shows("read-timeout", Client.EVENT_SOURCE, seen="asks `/`, `/ after 1`; hears open, `'a'` (id '1'), the timeout")
async def test_the_read_timeout_reconnects_a_silent_stream(client: Client, http2: bool) -> None:
    errors = []
    async with server_of(
        [head(), SOON, b"id: 1\ndata: a\n\n", Do.HOLD], [head(), b"data: b\n\n", Do.HOLD], http2=http2
    ) as server:
        source = EventSource(
            server.url, http2=http2, read_timeout_s=0.3, on_state=lambda change: errors.append(change.error)
        )
        async with source:
            assert [(await anext(source)).data, (await anext(source)).data] == ["a", "b"]
        assert server.requests[1].header("last-event-id") == b"1"
    assert any(isinstance(error, ReadTimeoutError) for error in errors)


# Redirects


@shows("redirect-url-unchanged", Client.EVENT_SOURCE, Client.CHROMIUM, seen="the source's own URL stays the first one")
async def test_a_redirect_does_not_change_the_url_of_the_source(client: Client, request: pytest.FixtureRequest) -> None:
    async with server_of([head(307, b"Location: /real\r\nContent-Length: 0\r\n")], HELD) as server:
        if client is Client.CHROMIUM:
            browser: Browser = request.getfixturevalue("browser")
            await asyncio.to_thread(browser.go_to, server.url + PAGE_PATH)
            opened = await asyncio.to_thread(browser.watch, f"{server.url}/", enough=1)
            assert opened[0] == ["open", f"{server.url}/"]
            return
        async with EventSource(f"{server.url}/") as source:
            assert await anext(source) == A
            assert source.url == f"{server.url}/"


@shows("redirect-cross-origin-drops-auth", *OURS, seen="there, neither Authorization nor Cookie; other headers stay")
async def test_credentials_are_not_sent_to_another_origin(client: Client) -> None:
    secrets = ["Authorization: Bearer s", "Cookie: s=1", "X-Other: o"]
    async with server_of(HELD) as other:
        location = {"location": other.url}
        led = [head(307, b"Location: %b\r\nContent-Length: 0\r\n" % other.url.encode())]
        async with server_of(led) as server:
            target = Target.parse(server.url, headers=secrets)
            if client is Client.EVENT_SOURCE:
                async with EventSource(target) as source:
                    assert await anext(source) == A
            else:
                chain = [
                    resolved(target),
                    resolved(redirected(target, 307, location)),
                ]
                plan = Plan(connections=1, duration_s=10, ramp_up_s=0, events=1)
                await asyncio.to_thread(Worker(Shard(chain=tuple(chain), plan=plan)).run)
    names = "authorization", "cookie", "x-other"
    assert [server.requests[0].header(name) for name in names] == [b"Bearer s", b"s=1", b"o"]
    assert [other.requests[0].header(name) for name in names] == [None, None, b"o"]


# Reconnecting


@shows("reconnect-retry-zero", *Client, seen="thirty times, with no wait in between")
async def test_a_reconnection_time_of_zero_reconnects_at_once(client: Client, request: pytest.FixtureRequest) -> None:
    # The last read has no event, but the connection has had one.
    script: Script = [head(), b"retry: 0\ndata: a\n\n", 0.005, b":\n"]
    async with server_of(*[script] * 30) as server:
        assert (await read(client, server.url, request)).heard == [OPEN, A] * 30
        # With a wait of 0.1 s in between, it would take three seconds.
        assert server.requests[-1].arrived_s - server.requests[0].arrived_s < 2.5


HUGE: Script = [head(), SOON + b"retry: 10000000000000000000000000\ndata: a\n\n"]


@shows("reconnect-retry-huge", *OURS, seen="no second request at once, and no crash")
async def test_a_huge_reconnection_time_does_not_reconnect_soon(client: Client, request: pytest.FixtureRequest) -> None:
    async with server_of(HUGE, HELD) as server:
        assert (await read(client, server.url, request, for_s=1.0)).heard == [OPEN, A]
        assert len(server.requests) == 1


IGNORES = "ignores numbers from 2^64 on and keeps the previous time; ours wait for 24 h at most"


@shows("reconnect-retry-huge", Client.CHROMIUM, seen="waits as if it was not there", why=IGNORES)
async def test_a_browser_ignores_a_huge_reconnection_time(client: Client, request: pytest.FixtureRequest) -> None:
    async with server_of(HUGE, HELD) as server:
        assert (await read(client, server.url, request, enough=4)).heard == [OPEN, A, OPEN, A]
        assert server.requests[1].arrived_s - server.requests[0].arrived_s < 2.5


@also_over_http2
@shows(
    "reconnect-connection-refused", *Client, seen="asks until there is a server again, and goes on after the last id"
)
async def test_a_client_retries_until_the_server_is_up_again(
    client: Client, request: pytest.FixtureRequest, http2: bool
) -> None:
    first: Script = [head(), b"retry: 100\n\nid: 1\ndata: a\n\n", Do.HOLD]
    async with server_of(first, [head(), b"data: b\n\n", Do.HOLD], http2=http2) as server:
        reading = asyncio.create_task(read(client, server.url, request, http2=http2, enough=4))
        await server.requested(1)
        await asyncio.sleep(0.2)
        await server.stop()
        await asyncio.sleep(0.5)
        await server.start()
        assert (await reading).heard == [OPEN, Event("message", "a", "1"), OPEN, Event("message", "b", "1")]
        assert server.requests[1].header("last-event-id") == b"1"


@shows("reconnect-dns-failure", Client.EVENT_SOURCE, Client.CHROMIUM, seen="an error, and 3 s later another one")
async def test_an_unknown_host_name_is_looked_up_again(client: Client, request: pytest.FixtureRequest) -> None:
    # A label of DNS has at most 63 characters (RFC 1035 2.3.4): the resolver itself fails, without a query.
    url = "http://no-such-host.invalid/"
    if client is Client.CHROMIUM:
        async with server_of() as server:
            browser: Browser = request.getfixturevalue("browser")
            await asyncio.to_thread(browser.go_to, server.url + PAGE_PATH)
            assert await asyncio.to_thread(browser.watch, url, for_s=4.5) == [["error", 0]] * 2
        return
    failed: list[StateChange] = []

    def on_state(change: StateChange) -> None:
        if change.state is ConnectionState.WAITING:
            failed.append(change)
            if len(failed) == 2:
                source.close()

    async with EventSource(url, on_state=on_state) as source:
        assert await anext(source, None) is None
    assert [type(change.error) for change in failed] == [NameNotResolvedError] * 2
    assert failed[0].delay_s == 3


FORCED = "(`--storm`, `restart()`) drops the stream, asks `/ after 1` at once"


@also_over_http2
@shows("reconnect-forced-restart", Client.EVENT_SOURCE, seen=FORCED)
async def test_a_restart_reconnects_at_once(client: Client, http2: bool) -> None:
    first: Script = [head(), b"retry: 60000\nid: 1\ndata: a\n\n", Do.HOLD]
    async with server_of(first, HELD, http2=http2) as server, EventSource(server.url, http2=http2) as source:
        await anext(source)
        source.restart()
        assert await anext(source) == A._replace(id="1")
        assert server.requests[1].header("last-event-id") == b"1"
        await asyncio.wait_for(server.requests[0].disconnected.wait(), 20)


@also_over_http2
@shows("reconnect-forced-restart", Client.ENGINE, seen=FORCED)
async def test_a_storm_reconnects_at_once(client: Client, request: pytest.FixtureRequest, http2: bool) -> None:
    held: Script = [head(), b"retry: 60000\nid: 1\ndata: a\n\n", Do.HOLD]
    async with server_of(held, [head(), b"data: b\n\n", Do.HOLD], http2=http2) as server:
        seen = await read(client, server.url, request, http2=http2, enough=4, storm_s=1.0, duration_s=20)
        assert seen.heard == [OPEN, Event("message", "a", "1"), OPEN, Event("message", "b", "1")]
        assert server.requests[1].header("last-event-id") == b"1"
        assert server.requests[1].arrived_s - server.requests[0].arrived_s < 5


@shows("reconnect-interrupts-delay", *Client, seen="closed at once in the middle of the wait, and no other request")
async def test_closing_ends_a_reconnection_delay(client: Client, request: pytest.FixtureRequest) -> None:
    async with server_of([head(), b"retry: 100000\ndata: a\n\n"], HELD) as server:
        # A client that waits to the end exceeds the timeout of the test.
        assert (await read(client, server.url, request, for_s=0.5)).heard == [OPEN, A]
        assert len(server.requests) == 1


# Closing


@also_over_http2
@shows("close-in-handler", *Client, seen="the first event of three in one write, and no other request")
async def test_no_event_is_delivered_after_closing(client: Client, request: pytest.FixtureRequest, http2: bool) -> None:
    async with server_of([head(), b"retry: 0\ndata: a\n\ndata: b\n\ndata: c\n\n"], HELD, http2=http2) as server:
        # The engine's handler is the plan: --events 1.
        seen = await (
            read(client, server.url, request, http2=http2, events=1)
            if client is Client.ENGINE
            else read(client, server.url, request, http2=http2, enough=2)
        )
        assert seen.heard == [OPEN, A]
        await asyncio.sleep(0.2)
        assert len(server.requests) == 1


@also_over_http2
@shows("close-releases-socket", *Client, seen="the server sees the end of the connection")
async def test_closing_closes_the_connection(client: Client, request: pytest.FixtureRequest, http2: bool) -> None:
    async with server_of([head(), b"data: a\n\n", Do.HOLD], http2=http2) as server:
        assert (await read(client, server.url, request, http2=http2, enough=2)).heard == [OPEN, A]
        await asyncio.wait_for(server.requests[0].disconnected.wait(), 5)


@shows("cancel-while-connecting", *Client, seen="hears nothing; the server sees the end of the connection")
async def test_closing_ends_a_connection_attempt(client: Client, request: pytest.FixtureRequest) -> None:
    later = asyncio.Event()
    async with server_of([later, *HELD]) as server:
        assert (await read(client, server.url, request, for_s=1.0)).heard == []
        later.set()
        await asyncio.wait_for(server.requests[0].disconnected.wait(), 5)
        assert len(server.requests) == 1


# Many connections


MANY = 4_000


@shows("many-connections", Client.EVENT_SOURCE, seen="all of them open at once (150; the engine: 4,000)")
async def test_a_hundred_and_fifty_sources_are_open_at_once(client: Client) -> None:
    async with server_of(*[HELD] * 150) as server, asyncio.timeout(30):
        sources = [EventSource(server.url) for _ in range(150)]
        for source in sources:
            await source.__aenter__()
        assert await asyncio.gather(*(anext(source) for source in sources)) == [A] * 150
        for source in sources:
            await source.aclose()
            await source.__aexit__(None, None, None)


@shows("many-connections", Client.ENGINE, seen="all of them open at once (150; the engine: 4,000)")
async def test_four_thousand_streams_are_open_at_once(client: Client) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * MANY + 500  # both ends are in this process
    if hard < needed:
        pytest.skip(f"this machine allows {hard:,} open files, and {needed:,} are needed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    all_here = asyncio.Event()

    async def go_on(server: ScriptedServer) -> None:
        await server.requested(MANY)
        await asyncio.sleep(1)
        all_here.set()

    held: Script = [head(), all_here, b"data: a\n\n", Do.HOLD]
    try:
        async with server_of(*[held] * MANY) as server:
            going_on = asyncio.create_task(go_on(server))
            resolved_target = resolved(Target.parse(server.url))
            plan = Plan(connections=MANY, duration_s=40, ramp_up_s=2, events=1)
            totals = await asyncio.to_thread(Worker(Shard(chain=(resolved_target,), plan=plan)).run)
            await going_on
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (totals.opened, totals.failed, totals.peak_open, totals.events) == (MANY, 0, MANY, MANY)
