"""Requests that go out by an ``httpx.AsyncClient`` of the caller: its auth, proxy, hooks, cookies and transport.

It is used as it is, never changed, and never closed. What the package's own transport does is not done here: see
``transport.py`` and ``network.py``. Redirects are followed by ``connection.py``, one request each. This file must not
know what a response means.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import replace
from traceback import walk_tb

import httpx

from sseclient_cli.client.failures import foreign_errors_mapped
from sseclient_cli.client.request import with_params
from sseclient_cli.errors import InvalidResponseError, ReadTimeoutError, UsageError
from sseclient_cli.redaction import carries_credential
from sseclient_cli.refusals import refused
from sseclient_cli.request.redirection import REDIRECT_STATUSES
from sseclient_cli.request.target import Target
from sseclient_cli.request.tls import Tls
from sseclient_cli.sse.reconnection import refusal_of

# What a Target says of the connection, which the client makes by itself, and the value that says nothing.
_CONNECTION_DEFAULTS = {"tls": Tls(), "connect_to": None, "unix_socket": None, "source_addresses": (), "proxy": None}

# The stream decides about these; for all other headers, the client's hold where the caller gave the source none.
_STREAM_HEADERS = frozenset({"host", "accept", "cache-control", "accept-encoding"})


def checked(client: object) -> httpx.AsyncClient:
    """Return a client that can be used; raise UsageError for another."""
    if not isinstance(client, httpx.AsyncClient):
        raise UsageError(f"client is an httpx.AsyncClient, not {type(client).__name__}")
    return client


def absolute_url(client: httpx.AsyncClient, url: str) -> str:
    """Return the URL with the client's base URL, if it is relative, and with the client's params.

    httpx (0.28) would put the params in place of the query that the URL has; here they are added to it.
    """
    checked(client)
    base = client.base_url
    if "://" not in url and base.raw_host:
        try:
            path = base.raw_path + httpx.URL(url).raw_path.lstrip(b"/")
        except httpx.InvalidURL as exc:
            raise UsageError(f"url {url[:100]!r} is no path: {exc}") from exc
        url = str(base.copy_with(raw_path=path))
    return with_params(url, client.params)


class GivenClient:
    """The caller's client. Raises UsageError for what cannot be combined with it."""

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
            raise UsageError("on_trace and client exclude each other: give the client event_hooks")
        if proxy is not None:
            raise UsageError("proxy and client exclude each other: give the proxy to the client")
        given = [name for name, default in _CONNECTION_DEFAULTS.items() if getattr(target, name) != default]
        if given:
            raise UsageError(f"client makes its connections by itself: leave {', '.join(given)} out of the Target")
        self._client = checked(client)
        self._read_timeout_s = read_timeout_s

    async def ask(
        self, target: Target, last_event_id: bytes | None, stack: AsyncExitStack, *, is_elsewhere: bool
    ) -> httpx.Response:
        """Make one request; the stack closes its response. ``is_elsewhere``: a redirect led to another origin."""
        if self._client.is_closed:
            raise UsageError("the client is closed: keep it open for as long as the source")
        limits = self._client.timeout
        if limits.connect is not None:
            target = replace(target, connect_timeout_s=limits.connect)  # for messages
        request = self._request(target, last_event_id, is_elsewhere=is_elsewhere)
        limit = asyncio.timeout(target.head_timeout_s)
        try:
            async with limit:
                with foreign_errors_mapped(target, self._read_timeout_s, answered=False):
                    response = await self._send(request, target, is_elsewhere=is_elsewhere)
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
            # A stream may be silent for as long as it likes: httpx's 5 s are for answers that end.
            timeout=httpx.Timeout(limits.connect, read=self._read_timeout_s, write=limits.write, pool=limits.pool),
        )
        request.url = httpx.URL(target.url)  # the client's params are in it already, and not for where a redirect leads
        if is_elsewhere:
            for name, value in request.headers.items():
                if carries_credential(name, value):
                    del request.headers[name]
        return request

    async def _send(self, request: httpx.Request, target: Target, *, is_elsewhere: bool) -> httpx.Response:
        auth = None if is_elsewhere else httpx.USE_CLIENT_DEFAULT
        try:
            return await self._client.send(request, stream=True, follow_redirects=False, auth=auth)
        except httpx.HTTPStatusError as exc:  # of a hook that calls raise_for_status(), also for redirects
            response = exc.response
            if response.status_code in REDIRECT_STATUSES:
                return response
            reason = refusal_of(response.status_code, None)
            if reason is None:
                raise
            headers = {name.lower(): value for name, value in response.headers.items()}
            raise refused(target, response.status_code, headers, content_of(response), reason, led_from=None) from exc
        except ValueError as exc:
            if not _is_of_location(exc):
                raise
            raise InvalidResponseError("the answer redirects to what is no URL: check the server") from exc


def _is_of_location(exc: ValueError) -> bool:
    """Tell what a Location makes httpx raise from what the caller's hooks, auth and transport raise.

    httpx (0.28) prepares each redirect, also one that it does not follow. For some that fails with the ValueError of a
    library below (urllib, idna), and only the traceback says so.
    """
    return any(frame.f_code.co_name == "_build_redirect_request" for frame, _ in walk_tb(exc.__traceback__))


def content_of(response: httpx.Response) -> bytes:
    """Return the body where a hook of the client has read it; empty otherwise."""
    try:
        return response.content
    except httpx.ResponseNotRead:
        return b""


async def body_of(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield the body as it comes, with its coding; where a hook of the client has read it, the decoded content."""
    if response.is_stream_consumed:
        yield content_of(response)
        return
    async for chunk in response.aiter_raw():
        yield chunk
