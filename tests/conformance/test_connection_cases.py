"""Every case of tests/data/connection_cases.json that a script can play, put to all clients.

docs/explanation/conformance.md has the results.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from browser import PAGE, PAGE_PATH
from http2_server import Http2Server
from scripted_server import Request, ScriptedServer

from conformance.cases import CASES, Case, Instead
from conformance.clients import Client, read
from conformance.left_out import NOT_OVER_HTTP2, OVER_HTTP2
from conformance.table import Shown


def parameters() -> Iterator[Any]:
    for case in CASES:
        for client in Client:
            instead = case.instead.get(client)
            shown = Shown(case.seen, instead.why if instead else "")
            mark = pytest.mark.shows(case.name, client, shown)
            yield pytest.param(case, client, id=f"{case}-{client.value}", marks=mark)


def described(requests: list[Request]) -> tuple[str, ...]:
    """Return the requests in the form of ``Case.requests``."""
    ids = [request.header("last-event-id") for request in requests]
    return tuple(
        request.path if last_event_id is None else f"{request.path} after {last_event_id.decode()}"
        for request, last_event_id in zip(requests, ids, strict=True)
    )


@pytest.mark.parametrize(("case", "client"), [*parameters()])
async def test_a_client_passes_the_case(case: Case, client: Client, request: pytest.FixtureRequest) -> None:
    async with ScriptedServer(*case.scripts, pages={PAGE_PATH: PAGE}) as server:
        await passes(case, client, server, request)


@pytest.mark.parametrize("client", OVER_HTTP2, ids=lambda client: client.value)
@pytest.mark.parametrize("case", [each for each in CASES if each.name not in NOT_OVER_HTTP2], ids=str)
async def test_a_client_passes_the_case_over_http2(case: Case, client: Client, request: pytest.FixtureRequest) -> None:
    async with Http2Server(*case.scripts) as server:
        await passes(case, client, server, request, http2=True)


async def passes(
    case: Case, client: Client, server: ScriptedServer, request: pytest.FixtureRequest, *, http2: bool = False
) -> None:
    """Let the client read the streams of the case, and compare what it asks and hears."""
    instead = case.instead.get(client) or Instead(why="")
    seen = await read(client, server.url, request, enough=case.enough, http2=http2)
    assert described(server.requests) == (case.requests if instead.requests is None else instead.requests)
    assert tuple(seen.heard) == (case.heard if instead.heard is None else instead.heard)
    if case.kind is not None and client is not Client.CHROMIUM:
        assert set(seen.errors) == {case.kind}
    arrived_s = [request.arrived_s for request in server.requests]
    waited_s = [after_s - before_s for before_s, after_s in pairwise(arrived_s)]
    for number, (least_s, most_s) in (case.waits_s if instead.waits_s is None else instead.waits_s).items():
        # Minus 1 %: the wait begins when the end of the stream arrives, and timers may fire slightly early.
        assert least_s * 0.99 <= waited_s[number] < most_s, waited_s
