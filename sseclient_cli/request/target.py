"""``Target``: the request of a stream, validated once and immutable.

Both clients (httpx for one stream, raw sockets for many) take the same ``Target`` and no command-line options. For
output and reports, use ``redacted_url`` and ``redacted_headers``, which contain no credentials.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

from sseclient_cli import __version__
from sseclient_cli.errors import UsageError
from sseclient_cli.redaction import LONG_CHARS, REDACTED, masked, redacted_header, redacted_url
from sseclient_cli.request.headers import TOKEN, is_json, parse_headers
from sseclient_cli.request.http2 import checked_http2
from sseclient_cli.request.prompts import Conversation
from sseclient_cli.request.proxies import Proxies, Proxy, authority_of
from sseclient_cli.request.route import parse_route
from sseclient_cli.request.stream_requests import PerStream
from sseclient_cli.request.tls import Tls
from sseclient_cli.request.url import SCHEMES, parse_request_url
from sseclient_cli.request.websocket import check_request, checked_messages, handshake_headers
from sseclient_cli.sse.stream_format import StreamFormat, format_of

DEFAULT_CONNECT_TIMEOUT_S = 10.0
"""httpx's 5 s is short for a server that is opening thousands of streams at once; curl waits 300 s."""

# The default headers of every request: those of a browser's EventSource (9.2.3: Accept, and the cache mode "no-store"
# with its Cache-Control), and no compression, which would delay events. Other formats ask for the types they accept.
_ACCEPT = {
    StreamFormat.NDJSON: "application/x-ndjson, */*;q=0.5",
    StreamFormat.JSON: "application/json, text/event-stream",
    **dict.fromkeys((StreamFormat.LINES, StreamFormat.CHUNKS), "*/*"),
}
_STREAM_HEADERS = (
    ("Cache-Control", "no-cache"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", f"sseclient-cli/{__version__}"),
)

_DEFAULT_TLS = Tls()
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A resolved address in the format of ``socket.getpeername`` and ``socket.connect``.

    For AF_UNIX, ``socket_address`` is the path.
    """

    family: socket.AddressFamily
    socket_address: tuple[Any, ...] | str


@dataclass(frozen=True, kw_only=True)
class Target:
    """One request that opens an event stream.

    ``headers`` are the caller's own; each client adds missing headers of the protocol (Accept, Host, ...). With a
    ``body``, the default method is POST, as in curl.

    ``connect_to`` (host and port) or ``unix_socket`` (a path) replace the address of the URL; Host header, SNI and
    certificate name stay those of the URL. ``source_addresses`` are local addresses of one family, used in rotation.
    With ``all_addresses``, the streams of a run connect to all addresses of the name in rotation. ``head_timeout_s``
    limits the wait for the response head. ``stream_format`` is the format of the body: AUTO finds it by the content
    type, SSE requires text/event-stream, JSON also accepts JSON, the others accept any type. With ``any_content_type``,
    a response of another type is read as an event stream, too. With ``http2``, the connection speaks HTTP/2: for https
    by ALPN, for http by prior knowledge (RFC 9113 3.3). ``messages`` are sent to a WebSocket when it opens.
    ``proxies`` select the proxy; None means not chosen yet, and no proxy is used. With ``per_stream``, the requests of
    the streams differ: URL, headers and body are templates, and ``shown_url`` is the URL for output and reports.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    connect_timeout_s: float = DEFAULT_CONNECT_TIMEOUT_S
    head_timeout_s: float | None = None
    tls: Tls = _DEFAULT_TLS
    connect_to: tuple[str, int] | None = None
    unix_socket: str | None = None
    source_addresses: tuple[str, ...] = ()
    all_addresses: bool = False
    any_content_type: bool = False
    stream_format: StreamFormat = StreamFormat.SSE
    http2: bool = False
    proxies: Proxies | None = None
    per_stream: PerStream | None = None
    shown_url: str | None = None
    messages: tuple[str, ...] = ()
    own_values: tuple[str, ...] = ()
    """The values of one stream in its request."""

    def __repr__(self) -> str:
        """Show no header, body or value: programs that send a target log it when something fails."""
        return f"Target({self.redacted_url!r})"

    @classmethod
    def parse(
        cls,
        url: str,
        *,
        method: str | None = None,
        headers: list[str] | tuple[str, ...] = (),
        body: str | None = None,
        bearer: str | None = None,
        insecure: bool = False,
        ca_file: str | None = None,
        cert_file: str | None = None,
        key_file: str | None = None,
        connect_to: str | None = None,
        unix_socket: str | None = None,
        source_address: str | None = None,
        timeout_s: float | None = None,
        all_addresses: bool = False,
        any_content_type: bool = False,
        stream_format: StreamFormat | None = None,
        http2: bool = False,
        messages: Sequence[str] = (),
        on_this_machine: bool = True,
    ) -> Target:
        """Build a target from text as typed on a command line.

        Headers are ``Name: value``, ``connect_to`` is ``HOST:PORT``, source addresses are separated by commas. The
        default Content-Type of a JSON body is application/json. ``timeout_s`` limits the time to connect, and the time
        to the response head. With a ``stream_format`` other than AUTO, also SSE, any content type is accepted. Without
        ``on_this_machine``, source addresses are not checked. Raises UsageError with the invalid text and a hint.
        """
        _check_response(timeout_s, stream_format, any_content_type=any_content_type)
        plain_url, userinfo = parse_request_url(url)
        pairs = parse_headers(headers, bearer, userinfo, has_json_body=body is not None and is_json(body))
        chosen = _method(method, has_body=body is not None)
        is_websocket = httpx.URL(plain_url).scheme in ("ws", "wss")
        check_request(chosen, body, stream_format, is_websocket=is_websocket)
        return cls(
            url=plain_url,
            method=chosen,
            headers=pairs,
            # Python decodes command-line bytes that are not UTF-8 as surrogates; this restores the bytes.
            body=None if body is None else body.encode("utf-8", "surrogateescape"),
            connect_timeout_s=DEFAULT_CONNECT_TIMEOUT_S if timeout_s is None else timeout_s,
            head_timeout_s=timeout_s,
            tls=Tls(verify=not insecure, ca_file=ca_file, cert_file=cert_file, key_file=key_file),
            all_addresses=all_addresses,
            any_content_type=any_content_type or stream_format is StreamFormat.SSE,
            stream_format=stream_format or StreamFormat.SSE,
            http2=checked_http2(http2, is_websocket=is_websocket),
            messages=checked_messages(messages, is_websocket=is_websocket),
            **parse_route(connect_to, unix_socket, source_address, on_this_machine=on_this_machine),
        )

    def of_stream(
        self, stream: int, worker: int = 0, slot: int = 0, conversation: Conversation | None = None
    ) -> Target:
        """Return the request of a stream of a worker, in a slot; all are numbered from 0."""
        if self.per_stream is None:
            return self
        return self.per_stream.target_of(self, stream, worker, slot, conversation)

    def of_preflight(self) -> Target:
        """Return the request of the preflight."""
        return self if self.per_stream is None else self.per_stream.preflight_of(self)

    def other_origins(self) -> list[Target]:
        """Return a target at each other origin that streams request."""
        return [] if self.per_stream is None else self.per_stream.other_origins(self)

    @cached_property
    def parsed_url(self) -> httpx.URL:
        """The parsed URL; its ``raw_host`` and ``raw_path`` are sent on the wire."""
        return httpx.URL(self.url)

    @cached_property
    def is_websocket(self) -> bool:
        """Whether its stream is a WebSocket."""
        return self.parsed_url.scheme in ("ws", "wss")

    @property
    def http_scheme(self) -> str:
        """The scheme of its HTTP request, ``http`` or ``https``."""
        return SCHEMES[self.parsed_url.scheme]

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Scheme, host and port (None for the default port): the scope of credentials."""
        url = self.parsed_url
        # Not url.host: httpx (0.28) raises for names that IDNA 2008 does not allow, although DNS may have them.
        return url.scheme, url.raw_host.decode("ascii"), url.port

    @cached_property
    def proxy(self) -> Proxy | None:
        """The proxy of this target, if any. Raises UsageError for an unusable proxy of the environment."""
        # An explicit address takes precedence over the environment.
        is_direct = self.proxies is None or self.connect_to is not None or self.unix_socket is not None
        return None if is_direct or self.proxies is None else self.proxies.proxy_for(self.parsed_url)

    @property
    def is_tunnelled(self) -> bool:
        """Whether the proxy opens a tunnel to the server; otherwise it forwards the request."""
        return self.proxy is not None and (self.parsed_url.scheme != "http" or self.proxy.is_socks)

    @property
    def server_address(self) -> tuple[str, int]:
        """Host and port of the server, unless it is a unix socket."""
        url = self.parsed_url
        return self.connect_to or (url.raw_host.decode("ascii"), url.port or _DEFAULT_PORTS[self.http_scheme])

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The unresolved host and port to connect to, unless it is a unix socket."""
        return self.server_address if self.proxy is None else (self.proxy.host, self.proxy.port)

    @property
    def peer(self) -> str:
        """The peer of the connection, for messages."""
        if self.unix_socket is not None:
            return f"the unix socket {self.unix_socket}"
        return authority_of(*self.server_address) if self.proxy is None else str(self.proxy)

    def format_of(self, content_type: str | None) -> StreamFormat | None:
        """Return the format of a response with status 200; None if its content type is not acceptable."""
        return format_of(content_type, self.stream_format, any_type=self.any_content_type)

    def stream_headers(self) -> list[tuple[str, str]]:
        """Return the caller's headers, plus the missing default headers.

        Without Last-Event-ID, which each connection adds itself.
        """
        given = {name.lower() for name, _ in self.headers}
        own = [pair for pair in self.headers if pair[0].lower() != "last-event-id"]
        # httpx (0.28) would set Host too, but decodes the host name first, which fails for names that DNS may have.
        host = [] if "host" in given else [("Host", self.parsed_url.netloc.decode("ascii"))]
        if self.is_websocket:
            return [*host, *handshake_headers(own, _STREAM_HEADERS[1:])]  # it asks for no cached stream
        defaults = (("Accept", _ACCEPT.get(self.stream_format, "text/event-stream")), *_STREAM_HEADERS)
        return [*host, *own, *((name, value) for name, value in defaults if name.lower() not in given)]

    @property
    def last_event_id(self) -> str:
        """The Last-Event-ID of the caller's headers, for the first connection; empty without one."""
        return next((value for name, value in reversed(self.headers) if name.lower() == "last-event-id"), "")

    def headers_named(self, name: str) -> list[str]:
        """Return the values of the caller's headers with this name, in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    @cached_property
    def redacted_url(self) -> str:
        """The URL without its credentials, for output and reports."""
        return redacted_url(self.url) if self.shown_url is None else self.shown_url

    def masked(self, text: str) -> str:
        """Return a text of the server without this request's credentials and values, which it may quote."""
        credentials = (value for name, value in self.headers if redacted_header(name, value) == REDACTED)
        parts = (part.strip('",') for value in credentials for part in re.split(r"[\s;=]+", value))
        return masked(text, {*self.own_values, *(part for part in parts if len(part) >= LONG_CHARS)})

    @property
    def redacted_headers(self) -> tuple[tuple[str, str], ...]:
        """The headers with the values of credentials replaced, for output and reports."""
        return tuple((name, redacted_header(name, value)) for name, value in self.headers)


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """One request of a redirect chain, with the address that answered.

    ``others`` are the other addresses of that host, of the same family.
    """

    target: Target
    address: Address
    others: tuple[Address, ...] = ()


def _method(method: str | None, *, has_body: bool) -> str:
    chosen = (method or ("POST" if has_body else "GET")).upper()
    if not TOKEN.fullmatch(chosen):
        raise UsageError(f"{chosen!r} is not an HTTP method", arguments=["method"])
    return chosen


def _check_response(timeout_s: float | None, stream_format: StreamFormat | None, *, any_content_type: bool) -> None:
    if timeout_s is not None and timeout_s <= 0:
        raise UsageError("`timeout_s` must be above 0", arguments=["timeout_s"])
    if any_content_type and stream_format not in (None, StreamFormat.AUTO, StreamFormat.SSE):
        raise UsageError(
            f"`any_content_type` and `stream_format` {stream_format.value} exclude each other: leave one out",
            arguments=["any_content_type", "stream_format"],
        )
