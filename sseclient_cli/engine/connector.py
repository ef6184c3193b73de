"""Opens the connections of a worker: chooses the server address and the source address, and resolves redirects.

Host names that the preflight has resolved are not resolved again. A redirect to another origin is resolved when the
first stream receives it. This lookup blocks the worker's loop. That is acceptable: each origin is looked up once, all
lookups together take at most LOOKUPS_S, kernel timestamps keep arrival times exact, and the pause is reported as loop
lag.
"""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice, product
from time import monotonic

from sseclient_cli.engine.endpoint import Endpoint
from sseclient_cli.engine.http1 import request_bytes
from sseclient_cli.engine.tcp_transport import SocketOptions, TcpTransport
from sseclient_cli.engine.tls_transport import TlsTransport
from sseclient_cli.engine.tunnel_transport import PlainTunnelTransport, TunnelTransport
from sseclient_cli.errors import BadStatusError, NameNotResolvedError
from sseclient_cli.request.addresses import always, resolve
from sseclient_cli.request.prompts import Conversation
from sseclient_cli.request.proxied import tls_host
from sseclient_cli.request.proxies import Proxy
from sseclient_cli.request.redirection import redirected
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.sse.websocket_handshake import KEY_HEADER
from sseclient_cli.tunnel import Tunnel

LOOKUPS_S = 5.0
"""Time limit for all lookups of a worker together: glibc's default timeout of one query to a name server."""

MAX_ORIGINS = 100
"""Limit of origins per worker: a server could redirect each stream to another host."""

Place = tuple[tuple[str, str, int | None], tuple[str, int] | None, str | None, Proxy | None]
"""An origin, and the options that determine its addresses: --connect-to, unix socket, proxy."""

Turn = tuple[Address, Endpoint, str | None]
"""For the next connection: the address, the endpoint under which it is counted, and the source address."""


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request that many streams send: its addresses and its bytes."""

    target: Target
    tls_context: ssl.SSLContext | None
    """None without TLS."""
    request: bytes
    turns: Iterator[Turn]
    """Endless; shared by all requests to the same place."""

    def after(self, last_event_id: bytes | None, websocket_key: str = "") -> bytes:
        """Return the bytes of the request, with a Last-Event-ID header if there is a last event ID."""
        if last_event_id is None and not websocket_key:
            return self.request
        head, end, body = self.request.partition(b"\r\n\r\n")
        if last_event_id is not None:
            head += b"\r\nLast-Event-ID: " + last_event_id
        if websocket_key:
            head += f"\r\n{KEY_HEADER}: {websocket_key}".encode()
        return head + end + body


class Connector:
    """Connects from each source address to each address of the host, round-robin.

    ``chain`` is the redirect chain that the preflight followed. ``others`` are at the other origins that streams
    request. ``first_turn``, the number of the worker, differs between the workers of a run, so
    that they do not all begin with the same address.
    """

    def __init__(
        self, chain: tuple[ResolvedTarget, ...], first_turn: int = 0, others: tuple[ResolvedTarget, ...] = ()
    ) -> None:
        self._first_turn = first_turn
        self.connections: Counter[Endpoint] = Counter()
        """Number of connections started to each endpoint; 0 for a resolved address that is not used."""
        self._resolved: dict[Place, ResolvedTarget] = {}
        self._unresolved: dict[Place, str] = {}
        self._turns: dict[Place, Iterator[Turn]] = {}
        self._lookups_left_s = LOOKUPS_S
        self.keep_waiting: Callable[[], bool] = always
        """Whether a lookup may still block the loop: False when the run is over."""
        self._requests: dict[Target, PreparedRequest] = {}
        for resolved in chain:
            self._add(resolved)
            self._requests[resolved.target] = self._prepared(resolved)
        for resolved in others:
            self._add(resolved)
        self._template = chain[0].target
        self.first = self._requests[chain[0].target]
        """The request with which each stream begins, the first of the redirect chain, unless streams differ."""
        self.last_event_id = "" if self._template.per_stream else self._template.last_event_id
        """The caller's Last-Event-ID, used by a stream until it has received an ID; empty if streams differ."""

    def first_of(self, stream: int, slot: int, conversation: Conversation | None = None) -> PreparedRequest:
        """Return the request with which a stream begins, by its number in the run and by its slot."""
        if self._template.per_stream is None:
            return self.first
        target = self._template.of_stream(stream, self._first_turn, slot, conversation)
        resolved = self._resolved[_place(target)]
        return self._prepared(ResolvedTarget(target, resolved.address, resolved.others))

    def connect(self, request: PreparedRequest, options: SocketOptions = ()) -> TcpTransport:
        """Begin to connect, with these socket options. Raises ConnectError or LimitError."""
        address, endpoint, source = next(request.turns)
        self.connections[endpoint] += 1
        target = request.target
        tunnel = Tunnel(target.proxy, target) if target.proxy is not None and target.is_tunnelled else None
        if request.tls_context is None:
            if tunnel is not None:
                return PlainTunnelTransport(address, source, tunnel, options)
            return TcpTransport(address, source, options)
        host = tls_host(target) or ""
        if tunnel is not None:
            return TunnelTransport(address, source, request.tls_context, host, tunnel, options)
        return TlsTransport(address, source, request.tls_context, host, options)

    def redirected(self, request: PreparedRequest, status: int, headers: Mapping[str, str]) -> PreparedRequest:
        """Return the request that a redirect leads to. Raises BadStatusError or NameNotResolvedError."""
        target = redirected(request.target, status, headers)
        known = self._requests.get(target)
        if known is not None:
            return known
        place = _place(target)
        if place not in self._resolved:
            self._look_up(target, status, headers)
        resolved = self._resolved[place]
        return self._prepared(ResolvedTarget(target, resolved.address, resolved.others))

    def _look_up(self, target: Target, status: int, headers: Mapping[str, str]) -> None:
        place = _place(target)
        if place in self._unresolved:
            raise NameNotResolvedError(self._unresolved[place])
        if len(self._resolved) + len(self._unresolved) >= MAX_ORIGINS:
            raise BadStatusError(
                f"redirects ({status}) lead the streams to more than {MAX_ORIGINS} hosts: give the stream's own URL",
                status=status,
                headers=headers,
            )
        if self._lookups_left_s <= 0:
            raise NameNotResolvedError(
                f"the host name of {target.peer} was not looked up: other lookups of redirects took {LOOKUPS_S:g} s "
                "already; give the stream's own URL"
            )
        began_s = monotonic()
        try:
            first, *others = resolve(target, min(target.connect_timeout_s, self._lookups_left_s), self.keep_waiting)
        except NameNotResolvedError as exc:
            self._unresolved[place] = str(exc)
            raise
        finally:
            self._lookups_left_s -= monotonic() - began_s
        self._add(ResolvedTarget(target, first, tuple(others)))

    def _add(self, resolved: ResolvedTarget) -> None:
        target = resolved.target
        place = _place(target)
        if place in self._resolved:
            return
        self._resolved[place] = resolved
        for address in (resolved.address, *resolved.others):
            self.connections[_endpoint(target, address)] += 0
        used = (resolved.address, *resolved.others) if target.all_addresses else (resolved.address,)
        pairs = [
            (address, _endpoint(target, address), source)
            for address, source in product(used, target.source_addresses or (None,))
        ]
        self._turns[place] = islice(cycle(pairs), self._first_turn % len(pairs), None)

    def _prepared(self, resolved: ResolvedTarget) -> PreparedRequest:
        target = resolved.target
        protocols = ("h2",) if target.http2 else ("http/1.1",)
        context = None if tls_host(target) is None else target.tls.context(protocols)
        return PreparedRequest(target, context, request_bytes(target), self._turns[_place(target)])


def _place(target: Target) -> Place:
    return target.origin, target.connect_to, target.unix_socket, target.proxy


def _endpoint(target: Target, address: Address) -> Endpoint:
    if isinstance(address.socket_address, str):
        return Endpoint(None, address.socket_address, None)
    host, _ = target.host_and_port
    return Endpoint(host, *address.socket_address[:2])
