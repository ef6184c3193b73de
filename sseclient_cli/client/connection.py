"""One connection to an event stream, over httpx and the connecting half of httpx-sse.

httpx's defaults that hurt streams are set right here. What this file must not know: what the bytes mean, and
what happens after a connection has ended.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, suppress
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import cast

import httpx
from httpx_sse import aconnect_sse

from sseclient_cli.client.content_coding import decoder_of
from sseclient_cli.client.failures import foreign_errors_mapped, refused_response
from sseclient_cli.client.redirection import MAX_REDIRECTS, REDIRECT_STATUSES, redirected, too_many_redirects
from sseclient_cli.errors import UnexpectedResponseError, UsageError
from sseclient_cli.protocol.reconnection import StopReason, refusal_of
from sseclient_cli.target import Target


class Connection:
    """An open response: its head, and its body piece by piece, with any content coding undone.

    ``target`` is what the last request asked for, after redirects; ``status`` and ``headers`` (names in lower case)
    are those of its response; ``peer`` is the socket address that it came from, None if it is gone already.
    """

    def __init__(self, target: Target, response: httpx.Response, stack: AsyncExitStack) -> None:
        """Take over the stack, which closes the response; raises InvalidResponseError without having done so."""
        self.target = target
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self.peer: tuple[str, int] | tuple[str, int, int, int] | None = response.extensions[
            "network_stream"
        ].get_extra_info("server_addr")
        # Raw: httpx would undo any codings at once, whatever comes of it. It promises an iterator and makes a
        # generator, which wants to be closed.
        self._chunks = cast("AsyncGenerator[bytes]", response.aiter_raw())
        stack.push_async_callback(self._chunks.aclose)
        # What is no event stream is not read, and is told by its status instead.
        self._decoder = None if self.refusal else decoder_of(self.headers.get("content-encoding", ""))
        self._stack = stack.pop_all()

    @property
    def refusal(self) -> StopReason | None:
        """Why this is no event stream; None when it is one."""
        return refusal_of(self.status, self.headers.get("content-type"))

    def refused(self, reason: StopReason) -> UnexpectedResponseError:
        """Build the error that says so."""
        return refused_response(f"{self.target.method} {self.target.url}", self.status, self.headers, reason)

    async def read(self) -> bytes | None:
        """Return the next bytes of the body; None at its end. Raises SseError when the connection breaks."""
        with foreign_errors_mapped():
            if self._decoder is None:
                return await anext(self._chunks, None)
            while not (piece := self._decoder.piece()):
                chunk = await anext(self._chunks, None)
                if chunk is None:
                    return None
                self._decoder.feed(chunk)
            # A body that is one huge piece of gzip must not keep the loop from everything else.
            await asyncio.sleep(0)
            return piece

    async def aclose(self) -> None:
        """Close the socket. Never raises: nobody can do anything about a connection that is given up."""
        with suppress(httpx.HTTPError, OSError):
            await self._stack.aclose()


class Connector:
    """Makes connections to one target, each a new one; an async context manager."""

    def __init__(self, target: Target, read_timeout_s: float | None) -> None:
        self._target = target
        # A stream may be silent for as long as it likes; only the caller knows better.
        self._timeout = httpx.Timeout(None, connect=target.connect_timeout_s, read=read_timeout_s)
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def __aenter__(self) -> Connector:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def connect(self, last_event_id: bytes | None) -> Connection:
        """Send the request, follow redirects, and return once the head of a response is in, whatever its status is.

        Raises SseError: BadStatusError for a redirect that leads nowhere, else the reason for having no
        response.
        """
        target, redirects = self._target, 0
        while True:
            # What a Connection does not take over is closed: nobody reads the body of a redirect.
            async with AsyncExitStack() as stack:
                response = await self._ask(target, last_event_id, stack)
                if response.status_code not in REDIRECT_STATUSES:
                    return Connection(target, response, stack)
            target, redirects = redirected(target, response.status_code, response.headers), redirects + 1
            if redirects > MAX_REDIRECTS:
                raise too_many_redirects(target, response.status_code, response.headers)

    async def _ask(self, target: Target, last_event_id: bytes | None, stack: AsyncExitStack) -> httpx.Response:
        """Make one request; the stack closes its response."""
        headers = [(name.encode(), value.encode()) for name, value in target.stream_headers()]
        if last_event_id is not None:
            headers.append((b"Last-Event-ID", last_event_id))
        with foreign_errors_mapped():
            opened = await stack.enter_async_context(
                aconnect_sse(
                    self._client(target.parsed_url.scheme),
                    target.method,
                    target.url,
                    headers=httpx.Headers(headers),
                    content=target.body,
                )
            )
        response = opened.response
        response.headers.update(response.extensions.pop("hidden_headers"))
        return response

    def _client(self, scheme: str) -> httpx.AsyncClient:
        """Return the client for that scheme, made when first needed: http must not pay or fail for certificates."""
        if scheme not in self._clients:
            self._clients[scheme] = httpx.AsyncClient(
                timeout=self._timeout,
                # No connection is used twice: one that the server closes just now would look like a new failure.
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
                # What is looked at is the server that the URL names: no proxy of the environment, which may
                # buffer, and no credentials that a .netrc happens to hold.
                trust_env=False,
                verify=_trusting_context() if scheme == "https" else _TRUSTS_NOBODY,
                # Cookies that a server sets are not sent back: every connection is the same request.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                event_hooks={"request": [self._restore_headers], "response": [_hide_location]},
            )
        return self._clients[scheme]

    async def _restore_headers(self, request: httpx.Request) -> None:
        """Undo what httpx-sse does to the caller's headers: it overwrites these two."""
        for name, value in self._target.stream_headers():
            if name.lower() in ("accept", "cache-control"):
                request.headers[name] = value


async def _hide_location(response: httpx.Response) -> None:
    """Keep httpx from preparing the redirect that it is not to follow: it fails where the Location is no URL."""
    location = response.headers.pop("location", None)
    response.extensions["hidden_headers"] = {} if location is None else {"location": location}


# For http://. Should it ever be used for TLS all the same, every handshake fails.
_TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _trusting_context() -> ssl.SSLContext:
    """Return the context for TLS; of the environment, its certificates count."""
    cert_file = os.environ.get("SSL_CERT_FILE", "")
    cert_dir = os.environ.get("SSL_CERT_DIR", "")
    try:
        return _loaded_context(cert_file, cert_dir)
    except OSError as exc:
        where = f"SSL_CERT_FILE={cert_file}" if cert_file else f"SSL_CERT_DIR={cert_dir}"
        raise UsageError(f"no certificates can be loaded from {where}: correct or unset it") from exc


@cache
def _loaded_context(cert_file: str, cert_dir: str) -> ssl.SSLContext:
    """Load certificates once, which takes about 30 ms; the arguments are what httpx reads from the environment."""
    return httpx.create_ssl_context(trust_env=True)
