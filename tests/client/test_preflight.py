import socket
from pathlib import Path

import pytest
from scripted_server import CHUNKED, Do, ScriptedServer, head

from sseclient_cli.client import preflight as client_preflight
from sseclient_cli.client.preflight import preflight
from sseclient_cli.errors import (
    BadStatusError,
    ConnectionLostError,
    ConnectionRefusedByTargetError,
    InvalidResponseError,
    ReadTimeoutError,
    WrongContentTypeError,
)
from sseclient_cli.request.target import Address, Target


def redirect(status: int, location: str) -> bytes:
    return head(status, b"Location: %b\r\nContent-Length: 0\r\n" % location.encode())


async def test_the_result_has_the_address_that_answered() -> None:
    async with ScriptedServer([head(headers=CHUNKED), Do.HOLD]) as server:
        found = (await preflight(Target.parse(f"http://localhost:{server.port}/x"))).chain[-1]
        await server.requests[0].disconnected.wait()
    assert found.address.family is socket.AF_INET
    assert found.address.socket_address == ("127.0.0.1", server.port)
    assert found.target.url == f"http://localhost:{server.port}/x"


async def test_the_result_may_have_an_ipv6_address() -> None:
    async with ScriptedServer([head(), Do.HOLD], host="::1") as server:
        found = (await preflight(Target.parse(f"http://[::1]:{server.port}/x"))).chain[-1]
    assert found.address.family is socket.AF_INET6
    assert found.address.socket_address[:2] == ("::1", server.port)


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
async def test_a_supported_coding_is_accepted(coding: bytes) -> None:
    async with ScriptedServer([head(headers=CHUNKED + b"Content-Encoding: %b\r\n" % coding), Do.HOLD]) as server:
        assert len((await preflight(Target.parse(server.url))).chain) == 1


async def test_the_result_has_every_request_of_the_redirect_chain_with_its_address() -> None:
    async with ScriptedServer([head(), Do.HOLD], host="::1") as other:
        there = f"http://[::1]:{other.port}/there"
        async with ScriptedServer([redirect(302, "/b")], [redirect(302, there)]) as server:
            start = Target.parse(f"{server.url}/a")
            chain = (await preflight(start)).chain
    assert [each.target.url for each in chain] == [f"{server.url}/a", f"{server.url}/b", there]
    assert [each.address.family for each in chain] == [socket.AF_INET, socket.AF_INET, socket.AF_INET6]
    assert [each.address.socket_address[1] for each in chain] == [server.port, server.port, other.port]
    assert chain[0].target == start


async def test_the_result_may_have_a_unix_socket_or_a_connect_to_address(tmp_path: Path) -> None:
    path = str(tmp_path / "sse.sock")
    async with ScriptedServer([redirect(302, "/b")], [head(), Do.HOLD], unix_socket=path):
        chain = (await preflight(Target.parse("http://sse.test/", unix_socket=path))).chain
    assert [each.address for each in chain] == [Address(socket.AF_UNIX, path)] * 2
    async with ScriptedServer([head(), Do.HOLD]) as server:
        (resolved,) = (await preflight(Target.parse("http://sse.test/", connect_to=f"localhost:{server.port}"))).chain
    assert resolved.address == Address(socket.AF_INET, ("127.0.0.1", server.port))


async def test_redirects_are_followed_once_for_all_streams() -> None:
    async with ScriptedServer([redirect(307, "/there?a=1")], [head(), Do.HOLD]) as server:
        found = (await preflight(Target.parse(server.url, method="POST", body="x", bearer="secret"))).chain[-1]
    assert found.target.url == f"{server.url}/there?a=1"
    assert (found.target.method, found.target.body) == ("POST", b"x")
    assert ("Authorization", "Bearer secret") in found.target.headers


async def test_a_303_redirect_turns_a_post_into_a_get() -> None:
    async with ScriptedServer([redirect(303, "/there")], [head(), Do.HOLD]) as server:
        found = (await preflight(Target.parse(server.url, body="x"))).chain[-1]
    assert (found.target.method, found.target.body) == ("GET", None)


async def test_a_redirect_to_another_origin_drops_credentials() -> None:
    async with ScriptedServer([head(), Do.HOLD]) as other, ScriptedServer([redirect(302, other.url)]) as server:
        found = (
            await preflight(Target.parse(server.url, headers=["X-Team: blue", "Cookie: a=b"], bearer="secret"))
        ).chain[-1]
        assert other.requests[0].header("authorization") is None
    assert found.target.headers == (("X-Team", "blue"),)


async def test_a_response_that_is_not_an_event_stream_is_an_error_with_its_status() -> None:
    async with ScriptedServer([head(404)], [head(headers=b"Content-Type: text/html\r\n")]) as server:
        with pytest.raises(BadStatusError, match="404") as caught:
            await preflight(Target.parse(server.url))
        assert caught.value.status == 404
        with pytest.raises(WrongContentTypeError, match="text/html"):
            await preflight(Target.parse(server.url))


async def test_head_timeout_s_of_the_target_applies() -> None:
    async with ScriptedServer([Do.HOLD], [0.6, head(), Do.HOLD]) as server:
        with pytest.raises(ReadTimeoutError, match=r"did not answer within 0\.3 s$") as caught:
            await preflight(Target.parse(server.url, timeout_s=0.3))
        assert (caught.value.code, caught.value.arguments) == ("preflight-timeout", ("head_timeout_s",))
        assert (await preflight(Target.parse(server.url, timeout_s=20))).status == 200


async def test_a_closed_port_is_an_error_with_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedByTargetError, match=str(port)):
        await preflight(Target.parse(f"http://127.0.0.1:{port}/"))


async def test_a_reset_after_the_response_head_is_a_lost_connection() -> None:
    # The head and the reset race, but the error must be the same in both cases.
    script: list[bytes | Do] = [head(headers=CHUNKED), Do.RESET]
    async with ScriptedServer(*[script] * 20) as server:
        for _ in range(20):
            try:
                found = (await preflight(Target.parse(server.url))).chain[-1]
            except ConnectionLostError:
                continue
            assert found.address.socket_address == ("127.0.0.1", server.port)


async def test_an_unsupported_coding_is_an_error_before_the_run() -> None:
    async with ScriptedServer([head(headers=CHUNKED + b"Content-Encoding: zstd\r\n"), Do.HOLD]) as server:
        with pytest.raises(InvalidResponseError, match="'zstd'"):
            await preflight(Target.parse(server.url))


async def test_retries_have_a_total_time_limit_and_the_error_is_that_of_the_last_response(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_preflight, "MAX_RETRYING_S", 0.0)
    async with ScriptedServer([head(503)]) as server:
        with pytest.raises(BadStatusError, match="503") as caught:
            await preflight(Target.parse(server.url), {503})
        assert len(server.requests) == 1
    assert caught.value.__notes__ == ["the next request would be more than 0 s after the first one"]
