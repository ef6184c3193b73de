"""One connection to an event stream, over httpx and the connecting half of httpx-sse.

httpx's defaults that hurt streams are set right here. What this file must not know: what the bytes mean, and
what happens after a connection has ended.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import cast

import httpx
from httpx_sse import aconnect_sse

from sseclient_cli.client.failures import MAX_REDIRECTS, foreign_errors_mapped, refused_response
from sseclient_cli.errors import BadStatusError, UnexpectedResponseError
from sseclient_cli.protocol.reconnection import StopReason, refusal_of
from sseclient_cli.target import Target, origin_of

_REDIRECTS = (301, 302, 303, 307, 308)


class Connection:
    """An open response: its head, and its body piece by piece, with any content coding undone.

    ``status``, ``headers`` (names in lower case), ``method`` and ``url`` are those of the final response, after
    redirects; ``peer`` is the socket address that it came from.
    """

    def __init__(self, response: httpx.Response, chunks: AsyncGenerator[bytes], stack: AsyncExitStack) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self.method = response.request.method
        self.url = str(response.url.copy_with(userinfo=b"", fragment=None))
        self.peer = response.extensions["network_stream"].get_extra_info("server_addr")
        self._chunks = chunks
        self._stack = stack

    @property
    def refusal(self) -> StopReason | None:
        """Why this is no event stream; None when it is one."""
        return refusal_of(self.status, self.headers.get("content-type"))

    def refused(self, reason: StopReason) -> UnexpectedResponseError:
        """Build the error that says so."""
        return refused_response(f"{self.method} {self.url}", self.status, self.headers, reason)

    async def read(self) -> bytes | None:
        """Return the next bytes of the body; None at its end. Raises SseError when the connection breaks."""
        with foreign_errors_mapped():
            return await anext(self._chunks, None)

    async def aclose(self) -> None:
        """Close the socket. Never raises: nobody can do anything about a connection that is given up."""
        with suppress(httpx.HTTPError, OSError):
            await self._stack.aclose()


class Connector:
    """Makes connections to one target, each a new one; an async context manager."""

    def __init__(self, target: Target, read_timeout_s: float | None) -> None:
        self._target = target
        self._client = httpx.AsyncClient(
            # A stream may be silent for as long as it likes; only the caller knows better.
            timeout=httpx.Timeout(None, connect=target.connect_timeout_s, read=read_timeout_s),
            # No connection is used twice: one that the server closes just now would look like a new failure.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            # What is looked at is the server that the URL names: no proxy of the environment, which may
            # buffer, and no credentials that a .netrc happens to hold. But SSL_CERT_FILE of the environment
            # counts.
            trust_env=False,
            verify=httpx.create_ssl_context(trust_env=True),
            # Cookies that a server sets are not sent back: every connection is the same request.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            event_hooks={"request": [self._restore_headers], "response": [_check_redirect]},
        )

    async def __aenter__(self) -> Connector:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def connect(self, last_event_id: bytes | None) -> Connection:
        """Send the request and return once the head of the response is in, whatever its status is.

        Raises SseError: BadStatusError for a redirect that leads nowhere, else the reason for having no
        response.
        """
        headers = [(name.encode(), value.encode()) for name, value in self._target.stream_headers()]
        if last_event_id is not None:
            headers.append((b"Last-Event-ID", last_event_id))
        async with AsyncExitStack() as stack:
            with foreign_errors_mapped():
                opened = await stack.enter_async_context(
                    aconnect_sse(
                        self._client,
                        self._target.method,
                        self._target.url,
                        headers=httpx.Headers(headers),
                        content=self._target.body,
                    )
                )
            # httpx promises an iterator and makes a generator, which wants to be closed.
            chunks = cast("AsyncGenerator[bytes]", opened.response.aiter_bytes())
            await stack.enter_async_context(aclosing(chunks))
            return Connection(opened.response, chunks, stack.pop_all())

    async def _restore_headers(self, request: httpx.Request) -> None:
        """Undo what others do to the caller's headers, for every request of a chain of redirects.

        httpx-sse overwrites Accept and Cache-Control; httpx drops Cookie on each redirect, also to the same
        origin.
        """
        for name, value in self._target.stream_headers():
            if name.lower() in ("accept", "cache-control") or (
                name.lower() == "cookie" and origin_of(request.url) == self._target.origin
            ):
                request.headers[name] = value


async def _check_redirect(response: httpx.Response) -> None:
    """Refuse a redirect that leads nowhere: httpx would ask the same URL 20 times for an empty Location."""
    if response.status_code not in _REDIRECTS:
        return
    location = response.headers.get("location", "").strip()
    problem = None
    if not location:
        problem = "without a Location"
    else:
        try:
            usable = httpx.URL(location).scheme in ("", "http", "https")
        except httpx.InvalidURL:
            usable = False
        if not usable:
            problem = f"to {location[:200]!a}, which is not an http:// or https:// URL"
    if problem:
        raise BadStatusError(
            f"{response.url} redirects ({response.status_code}) {problem}: give the stream's own URL",
            status=response.status_code,
            headers=response.headers,
        )
