"""A transport for httpx: httpcore's connection pool with our own network backend.

``httpx.AsyncHTTPTransport`` (0.28) has no parameter for the network backend. Like that transport, this module converts
requests, responses and exceptions between the two libraries; the exceptions have the same names in both.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager

import httpcore
import httpx

from sseclient_cli.client.http2_exceptions import is_from_h2
from sseclient_cli.client.http2_stream import OFFERED_BY_HTTPCORE
from sseclient_cli.client.network import network_backend
from sseclient_cli.client.tracing import WriteLine
from sseclient_cli.client.tunnelling import TunnellingBackend
from sseclient_cli.request.proxied import absolute_form, check_http2_route, tls_host
from sseclient_cli.request.target import Target

# For http://. It trusts no certificate, so a handshake with it would always fail.
_WITHOUT_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

_EXCEPTIONS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


class Transport(httpx.AsyncBaseTransport):
    """Connects as the target specifies, for all targets with the same kind of connection.

    Raises UsageError if certificates cannot be loaded.
    """

    def __init__(self, target: Target, on_trace: WriteLine | None = None) -> None:
        self._connect_to = target.connect_to
        self._forwarded_by = None if target.is_tunnelled else target.proxy
        check_http2_route(target)  # a redirect may lead there
        backend = network_backend(http2=target.http2)
        if target.proxy is not None and target.is_tunnelled:
            backend = TunnellingBackend(backend or httpcore.AnyIOBackend(), target.proxy, target, on_trace)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_context(target),
            # Never reuse a connection: a reused one that the server is closing would look like a new failure.
            max_connections=None,
            max_keepalive_connections=0,
            uds=target.unix_socket,
            local_address=target.source_addresses[0] if target.source_addresses else None,
            network_backend=backend,
            http1=not target.http2,
            http2=target.http2,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. ``connect_to`` and a proxy change the address, but not the request's own URL and Host."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        url, extensions, headers = request.url, request.extensions, request.headers.raw
        if self._connect_to is not None:
            host, port = self._connect_to
            extensions = {**extensions, "sni_hostname": url.raw_host.decode("ascii")}
            url = url.copy_with(host=host, port=port)
        place = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        proxy = self._forwarded_by
        if proxy is not None:
            line = absolute_form(url)
            place = httpcore.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target=line)
            if proxy.authorization is not None and "proxy-authorization" not in request.headers:
                headers = [*headers, (b"Proxy-Authorization", proxy.authorization.encode())]
        asked = httpcore.Request(
            method=request.method,
            url=place,
            headers=headers,  # Host among them
            content=request.stream,
            extensions=extensions,
        )
        with exceptions_of_httpx():
            answer = await self._pool.handle_async_request(asked)
        assert isinstance(answer.stream, AsyncIterable)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_ResponseStream(answer.stream),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Close the pool."""
        await self._pool.aclose()


def _context(target: Target) -> ssl.SSLContext:
    if tls_host(target) is None:
        return _WITHOUT_TRUST  # loading certificates takes time and may fail
    return target.tls.context(OFFERED_BY_HTTPCORE) if target.http2 else target.tls.context()


class _ResponseStream(httpx.AsyncByteStream):
    """The body of a response. Not an async generator, which a cancelled read would leave to the event loop."""

    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream
        self._pieces = aiter(stream)

    def __aiter__(self) -> _ResponseStream:
        return self

    async def __anext__(self) -> bytes:
        with exceptions_of_httpx():
            return await anext(self._pieces)

    async def aclose(self) -> None:
        aclose = getattr(self._stream, "aclose", None)
        if aclose is not None:
            await aclose()


@contextmanager
def exceptions_of_httpx() -> Iterator[None]:
    """Raise exceptions of httpcore as those of httpx with the same name."""
    try:
        yield
    except _EXCEPTIONS as exc:
        mapped: type[httpx.TransportError] = getattr(httpx, type(exc).__name__)
        raise mapped(str(exc)) from exc
    except Exception as exc:
        # httpcore (1.0) does not map those of h2 while it reads a body, and takes any :status for a number.
        if not (is_from_h2(exc) or isinstance(exc, ValueError)):
            raise
        raise httpx.RemoteProtocolError(str(exc)) from exc
