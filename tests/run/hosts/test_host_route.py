"""The route from this machine to the stream, without a console."""

import asyncio
import pickle
from typing import Any

import pytest
from plain_server import serving
from scripted_server import head

from sseclient_cli.errors import BadStatusError, NameNotResolvedError
from sseclient_cli.request.target import Target
from sseclient_cli.run.hosts.route import Route, find_route
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.run.spec import RunSpec


def spec_of(url: str, **parts: Any) -> RunSpec:
    retrying = Plan(connections=1, duration_s=5, ramp_up_s=0, on_end=OnEnd.RECONNECT, retry_statuses=frozenset({503}))
    return RunSpec(target=Target.parse(url, **parts), plan=retrying)


async def test_a_preflight_finds_the_redirect_chain_and_reports_each_wait() -> None:
    answers = [head(503, b"Retry-After: 0\r\n"), head(302, b"Location: /new\r\n"), head(200)]

    async def serve(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers.pop(0))

    waits: list[tuple[BadStatusError, float]] = []

    def found(spec: RunSpec) -> Route:
        return find_route(spec, with_preflight=True, on_wait=lambda *wait: waits.append(wait))

    async with serving(serve) as port:
        route = await asyncio.to_thread(found, spec_of(f"http://127.0.0.1:{port}/old"))
    assert [each.target.parsed_url.path for each in route.chain] == ["/old", "/new"]
    assert {each.address.socket_address for each in route.chain} == {("127.0.0.1", port)}
    assert route.preflight is not None
    assert [error.status for error, _ in waits] == [503]
    assert pickle.loads(pickle.dumps(route)) == route


def test_without_a_preflight_the_route_is_a_name_resolution() -> None:
    route = find_route(spec_of("http://127.0.0.1:7/"), with_preflight=False)
    assert (len(route.chain), route.preflight) == (1, None)
    assert route.chain[0].address.socket_address == ("127.0.0.1", 7)
    with pytest.raises(NameNotResolvedError):
        find_route(spec_of("http://no.such.host.invalid/"), with_preflight=True)


def test_the_route_of_another_request_keeps_the_source_addresses() -> None:
    route = find_route(spec_of("http://127.0.0.1:7/", source_address="127.0.0.2"), with_preflight=False)
    target = Target(url="http://127.0.0.1:7/", body=b"2", source_addresses=("127.0.0.2", "198.51.100.1"))
    [resolved] = route.of(target).chain
    assert (resolved.target.body, resolved.target.source_addresses) == (b"2", ("127.0.0.2",))
