"""Send requests with the caller's ``httpx.AsyncClient``: its auth, proxy, hooks, cookies and transport.

The client is never changed and never closed. The features of the package's own transport (``transport.py``,
``network.py``) do not apply. ``connector.py`` follows redirects, with one request each. This module must not know the
meaning of a response.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import replace
from traceback import walk_tb

import httpx

from sseclient_cli.client.exception_mapping import mapped_exceptions
from sseclient_cli.client.request import with_params
from sseclient_cli.errors import InvalidResponseError, ReadTimeoutError, UsageError
from sseclient_cli.redaction import carries_credential
from sseclient_cli.request.redirection import REDIRECT_STATUSES
from sseclient_cli.request.target import Target
from sseclient_cli.request.tls import Tls
from sseclient_cli.response_errors import response_error
from sseclient_cli.sse.response_check import stop_reason_for

# The fields of a Target that concern the connection, with their defaults: the client makes its own connections.
_CONNECTION_DEFAULTS = {
    "tls": Tls(), "connect_to": None, "unix_socket": None, "source_addresses": (), "http2": False, "proxy": None,
}  # fmt: skip

# Headers that the stream always sets. All other headers come from the caller's arguments, or else from the client.
_STREAM_HEADERS = frozenset({"host", "accept", "cache-control", "accept-encoding"})


def checked(client: object) -> httpx.AsyncClient:
    """Return the client; raise UsageError if it is not an ``httpx.AsyncClient``."""
    if not isinstance(client, httpx.AsyncClient):
        raise UsageError(f"client must be an httpx.AsyncClient, not {type(client).__name__}")
    return client


def absolute_url(client: httpx.AsyncClient, url: str) -> str:
    """Resolve a relative URL against the client's base URL, and add the client's params.

    httpx (0.28) would replace the query of the URL with the params; here they are added to it.
    """
    checked(client)
    base = client.base_url
    if "://" not in url and base.raw_host:
        try:
            path = base.raw_path + httpx.URL(url).raw_path.lstrip(b"/")
        except httpx.InvalidURL as exc:
            raise UsageError(f"url {url[:100]!r} is not a valid path: {exc}") from exc
        url = str(base.copy_with(raw_path=path))
    return with_params(url, client.params)


class GivenClient:
    """The caller's client. Raises UsageError for arguments that cannot be combined with it."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        target: Target,
        read_timeout_s: float | None,
        *,
        on_trace: object,
        proxy: object,
    ) -> None:
        if on_trace is not None:
            raise UsageError("on_trace cannot be used with client: give the client event_hooks")
        if proxy is not None:
            raise UsageError("proxy cannot be used with client: give the proxy to the client")
        if target.is_websocket:
            raise UsageError("client cannot be used with a ws:// or wss:// URL: leave it out")
        given = [name for name, default in _CONNECTION_DEFAULTS.items() if getattr(target, name) != default]
        if given:
            raise UsageError(f"{', '.join(given)} of the Target cannot be used with client: configure the client")
        self._client = checked(client)
        self._read_timeout_s = read_timeout_s

    async def send(
        self, target: Target, last_event_id: bytes | None, stack: AsyncExitStack, *, is_elsewhere: bool
    ) -> httpx.Response:
        """Send one request; the stack closes its response. ``is_elsewhere``: a redirect led to another origin."""
        if self._client.is_closed:
            raise UsageError("the client is closed: keep it open while the source is in use")
        limits = self._client.timeout
        if limits.connect is not None:
            target = replace(target, connect_timeout_s=limits.connect)  # for messages
        request = self._request(target, last_event_id, is_elsewhere=is_elsewhere)
        limit = asyncio.timeout(target.head_timeout_s)
        try:
            async with limit:
                with mapped_exceptions(target, self._read_timeout_s, answered=False):
                    response = await self._send_request(request, target, is_elsewhere=is_elsewhere)
        except TimeoutError as exc:
            if not limit.expired():
                raise
            raise ReadTimeoutError(f"no response head within {target.head_timeout_s:g} s") from exc
        stack.push_async_callback(response.aclose)
        return response

    def _request(self, target: Target, last_event_id: bytes | None, *, is_elsewhere: bool) -> httpx.Request:
        limits = self._client.timeout
        given = {name.lower() for name, _ in target.headers}
        headers = [
            (name.encode(), value.encode())
            for name, value in target.stream_headers()
            if name.lower() in given | _STREAM_HEADERS
        ]
        if last_event_id is not None:
            headers.append((b"Last-Event-ID", last_event_id))
        request = self._client.build_request(
            target.method,
            target.url,
            headers=httpx.Headers(headers),
            content=target.body,
            # Not the client's read timeout: httpx's default of 5 s is too short for a silent stream.
            timeout=httpx.Timeout(limits.connect, read=self._read_timeout_s, write=limits.write, pool=limits.pool),
        )
        # Undo the client's params: the first URL has them already, and a redirect must not get them.
        request.url = httpx.URL(target.url)
        if is_elsewhere:
            for name, value in request.headers.items():
                if carries_credential(name, value):
                    del request.headers[name]
        return request

    async def _send_request(self, request: httpx.Request, target: Target, *, is_elsewhere: bool) -> httpx.Response:
        auth = None if is_elsewhere else httpx.USE_CLIENT_DEFAULT
        try:
            return await self._client.send(request, stream=True, follow_redirects=False, auth=auth)
        except httpx.HTTPStatusError as exc:  # from a hook that calls raise_for_status(), also for redirects
            response = exc.response
            if response.status_code in REDIRECT_STATUSES:
                return response
            reason = stop_reason_for(response.status_code, None)
            if reason is None:
                raise
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = content_of(response)
            raise response_error(target, response.status_code, headers, body, reason, redirected_from=None) from exc
        except ValueError as exc:
            if not _is_invalid_location(exc):
                raise
            raise InvalidResponseError("the Location of the redirect is not a valid URL: check the server") from exc


def _is_invalid_location(exc: ValueError) -> bool:
    """Return whether httpx raised this for an invalid Location, and not a hook, auth or transport of the caller.

    httpx (0.28) prepares each redirect, also one that it does not follow. For some Locations this raises a ValueError
    of urllib or idna, which only the traceback distinguishes.
    """
    return any(frame.f_code.co_name == "_build_redirect_request" for frame, _ in walk_tb(exc.__traceback__))


def content_of(response: httpx.Response) -> bytes:
    """Return the body if a hook of the client has read it; otherwise empty."""
    try:
        return response.content
    except httpx.ResponseNotRead:
        return b""


async def body_of(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield the raw chunks of the body; if a hook of the client has read the body, its decoded content."""
    if response.is_stream_consumed:
        yield content_of(response)
        return
    async for chunk in response.aiter_raw():
        yield chunk
