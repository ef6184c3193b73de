"""An EventSource over HTTP/2 with real servers: hypercorn, nginx in front of uvicorn, Node."""

from __future__ import annotations

from pathlib import Path

import pytest
from certificates import Authority
from real_servers import nginx_before, serving_app, serving_by_hypercorn, serving_by_node

from sseclient_cli.client.source import EventSource
from sseclient_cli.errors import Http2NotOfferedError, Http2ResetError
from sseclient_cli.request.target import Target

UNBUFFERED = "proxy_buffering off;"


async def heard(url: str, ca_file: str | None = None) -> list[str]:
    """Return the data of the events of one connection."""
    async with EventSource(Target.parse(url, http2=True, ca_file=ca_file), reconnect=False) as source:
        return [event.data async for event in source]


async def test_hypercorn_without_tls() -> None:
    with serving_by_hypercorn("numbered") as authority:
        assert await heard(f"http://{authority}/") == ["2"] * 3
        async with EventSource(f"http://{authority}/", http2=True) as source:
            assert [(await anext(source)).id for _ in range(7)] == [str(number) for number in range(1, 8)]


async def test_hypercorn_with_tls(authority: Authority, tmp_path: Path) -> None:
    leaf = authority.ca.issue_cert("127.0.0.1")
    leaf.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    file = str(tmp_path / "server.pem")
    with serving_by_hypercorn("numbered", "--certfile", file, "--keyfile", file) as address:
        assert await heard(f"https://{address}/", authority.file) == ["2"] * 3


async def test_nginx_in_front_of_a_server_with_http1(tmp_path: Path) -> None:
    with serving_app("numbered") as upstream, nginx_before(upstream, UNBUFFERED, tmp_path, "http2") as url:
        assert await heard(url) == ["1.1"] * 3


async def test_nginx_without_http2(tmp_path: Path, authority: Authority) -> None:
    leaf = authority.ca.issue_cert("127.0.0.1")
    leaf.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    file = tmp_path / "server.pem"
    tls = f"}} ssl_certificate {file}; ssl_certificate_key {file}; location /other {{"
    for directives, listen, words in ((tls, "ssl", "TLS handshake"), (UNBUFFERED, "", "answered")):
        with (
            nginx_before("http://127.0.0.1:1", directives, tmp_path, listen) as url,
            pytest.raises(Http2NotOfferedError, match=words),
        ):
            await heard(url, authority.file)


async def test_node_resets_streams_and_shuts_down() -> None:
    with serving_by_node() as url:
        assert await heard(f"{url}/goaway") == ["2.0", "b"]
        with pytest.raises(Http2ResetError) as caught:
            await heard(f"{url}/reset")
        assert caught.value.kind == "http2-reset-refused-stream"
