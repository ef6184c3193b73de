"""The requests of the checks, with the client of ``sse watch``: streams to record, response heads, a TLS handshake."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import httpcore

from sseclient_cli.check.recording import End, Head, Recording
from sseclient_cli.check.requests import Answer
from sseclient_cli.client.connection import Connection
from sseclient_cli.client.connector import Connector
from sseclient_cli.client.network import network_backend
from sseclient_cli.client.tunnelling import TunnellingBackend
from sseclient_cli.errors import SseError
from sseclient_cli.request.proxied import tls_host
from sseclient_cli.request.target import Target
from sseclient_cli.sse.retry_policy import last_event_id_header

POLL_S = 0.05
"""How often conditions are tested: they depend on the time, and on more than one connection."""

OFFERED_PROTOCOLS = ("h2", "http/1.1")


class StreamProbe:
    """One connection to the stream, recorded until it ends or ``close``.

    ``recording`` is None until the head of an event stream arrives, and stays None for another response (``status``,
    ``error``) and without one (``error``).
    """

    def __init__(self, target: Target, last_event_id: str, max_event_bytes: int) -> None:
        self.target = target
        """After the response, the last request of the redirect chain."""
        self.recording: Recording | None = None
        self.status: int | None = None
        self.error: SseError | None = None
        self._last_event_id = last_event_id
        self._max_event_bytes = max_event_bytes
        self._sent_ns = time.time_ns()
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def is_answered(self) -> bool:
        """Whether there is a response or an error."""
        return self.recording is not None or self._task.done()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be recorded."""
        return self._task.done()

    @property
    def is_unanswered(self) -> bool:
        """Whether neither a response nor an error came."""
        return self.recording is None and self.error is None

    @property
    def problem(self) -> str:
        """The error; empty without one."""
        return "no response in time" if self.is_unanswered else str(self.error or "")

    async def close(self) -> None:
        """Close the connection."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if self.recording is not None:
            self.recording.close(time.time_ns())

    async def _run(self) -> None:
        try:
            async with Connector(self.target, None, self._trace) as connector:
                connection = await connector.connect(last_event_id_header(self._last_event_id))
                try:
                    await self._read(connection)
                finally:
                    await connection.aclose()
        except SseError as exc:
            self.error = exc
            if self.recording is not None:
                self.recording.close(time.time_ns(), End.BROKEN, str(exc))

    def _trace(self, line: str) -> None:
        """Note when a request is sent: its first line, as in ``curl -v``."""
        if line.startswith(f"> {self.target.method} "):
            self._sent_ns = time.time_ns()

    async def _read(self, connection: Connection) -> None:
        self.target, _ = connection.requests[-1]
        self.status = connection.status
        if connection.stop_reason is not None:
            raise await connection.response_error(connection.stop_reason)
        urls = tuple(target.redacted_url for target, _ in connection.requests)
        head = Head(connection.status, connection.headers, self._sent_ns, connection.arrival.time_ns, urls)
        self.recording = Recording(head, self._max_event_bytes)
        while self.recording.end is End.OPEN:
            chunk = await connection.read()
            if chunk is None:
                self.recording.close(time.time_ns(), End.ENDED)
            else:
                self.recording.feed(chunk, connection.arrival.time_ns)


async def wait_until(is_reached: Callable[[], bool], ends_s: float) -> None:
    """Wait for a condition, until a time of the event loop's clock at most."""
    loop = asyncio.get_running_loop()
    while not is_reached():
        if loop.time() >= ends_s:
            return
        await asyncio.sleep(POLL_S)


async def head_of(target: Target, limit_s: float) -> Answer:
    """Send a request and return the head of the response; its body is not read."""
    try:
        async with asyncio.timeout(limit_s), Connector(target, None) as connector:
            connection = await connector.connect(None)
            try:
                return Answer(connection.status, connection.headers)
            finally:
                await connection.aclose()
    except TimeoutError:
        return Answer(None, {}, f"no response within {limit_s:.0f} s", is_timeout=True, waited_s=limit_s)
    except SseError as exc:
        return Answer(getattr(exc, "status", None), getattr(exc, "headers", {}), str(exc))


def with_headers(target: Target, *headers: tuple[str, str], method: str | None = None) -> Target:
    """Return the target with these headers instead of its own of the same names."""
    names = {name.lower() for name, _ in headers}
    kept = tuple(pair for pair in target.headers if pair[0].lower() not in names)
    return replace(target, headers=(*kept, *headers), method=method or target.method)


async def protocol_of(target: Target, limit_s: float) -> tuple[str | None, str]:
    """Return the protocol that the server chooses in a TLS handshake (ALPN), and the problem without a handshake."""
    backend = network_backend() or httpcore.AnyIOBackend()
    if target.proxy is not None:
        backend = TunnellingBackend(backend, target.proxy, target, None)
    try:
        async with asyncio.timeout(limit_s):
            if target.unix_socket is not None:
                stream = await backend.connect_unix_socket(target.unix_socket)
            else:
                stream = await backend.connect_tcp(*target.server_address)
            try:
                stream = await stream.start_tls(target.tls.context(OFFERED_PROTOCOLS), tls_host(target))
                return stream.get_extra_info("ssl_object").selected_alpn_protocol(), ""
            finally:
                await stream.aclose()
    except TimeoutError:
        return None, f"no answer within {limit_s:.0f} s"
    except (SseError, OSError, httpcore.NetworkError, httpcore.TimeoutException) as exc:
        return None, str(exc) or type(exc).__name__


def id_like(first_id: str = "") -> str:
    """Return an ID that the server has not sent, in the form of one that it has: some servers refuse other forms."""
    if first_id.isdigit():
        return f"{first_id}{secrets.randbelow(900_000) + 100_000}"
    if not first_id:
        return f"sse-check-{secrets.token_hex(4)}"
    return "".join(str(secrets.randbelow(10)) if character.isdigit() else character for character in first_id)
