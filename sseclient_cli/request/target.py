"""What to request: validated once, then frozen.

Both clients (httpx for one stream, raw sockets for many) are given the same ``Target``; neither looks at
command-line options. Secrets stay inside: ``redacted_url`` and ``redacted_headers`` are what may be shown or saved.
"""

from __future__ import annotations

import json
import re
import socket
import sys
from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict

import httpx

from sseclient_cli import __version__
from sseclient_cli.errors import UsageError
from sseclient_cli.redaction import redacted_header, redacted_url
from sseclient_cli.request.proxies import Proxies, Proxy, authority_of
from sseclient_cli.request.source_addresses import parse_source_addresses
from sseclient_cli.request.tls import Tls
from sseclient_cli.request.url import parse_request_url

DEFAULT_CONNECT_TIMEOUT_S = 10.0
"""httpx's 5 s is short for a server that is opening thousands of streams at once; curl waits 300 s."""

_FRAMING_HEADERS = frozenset({"content-length", "transfer-encoding"})

# What every request for a stream says unless the caller says otherwise: the headers of a browser's EventSource (9.2.3:
# Accept, and the cache mode "no-store" with its Cache-Control), and no compression, which would hold events back.
_STREAM_HEADERS = (
    ("Accept", "text/event-stream"),
    ("Cache-Control", "no-cache"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", f"sseclient-cli/{__version__}"),
)

_DEFAULT_TLS = Tls()
_DEFAULT_PORTS = {"http": 80, "https": 443}

# RFC 9110 5.6.2: a field name and a method are tokens.
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 9110 5.5: a field value has no CR, LF or NUL; other controls are refused too, as httptools would.
_FIELD_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect: resolved, as ``socket.getpeername`` gives it and ``socket.connect`` takes it.

    ``socket_address`` is the path where the family is AF_UNIX.
    """

    family: socket.AddressFamily
    socket_address: tuple[Any, ...] | str


@dataclass(frozen=True, kw_only=True)
class Target:
    """One request that opens an event stream.

    ``headers`` are the caller's own; each client adds what the protocol needs (Accept, Host, ...) where the caller
    has not set it. ``body`` without a method makes the method POST, as curl does.

    ``connect_to`` (host and port) or ``unix_socket`` (a path) say where to connect instead of the URL's host and port;
    Host header, SNI and the name in the certificate stay those of the URL. ``source_addresses`` are addresses of this
    machine, all of one family, to connect from by turns. With ``all_addresses``, many streams connect to all addresses
    of a name by turns. ``head_timeout_s`` limits the wait for the response head. With ``any_content_type``, a response
    of another type is read as an event stream, too.
    ``proxies`` say which proxy to go through; None: it is not said, and none is used.
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
    proxies: Proxies | None = None

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
        all_addresses: bool = False,
        timeout_s: float | None = None,
        any_content_type: bool = False,
    ) -> Target:
        """Build a target from text as typed on a command line.

        Headers are ``Name: value``, ``connect_to`` is ``HOST:PORT``, source addresses have commas between them.
        A body that is JSON is sent as application/json unless a header says otherwise. ``timeout_s`` limits both the
        time to connect and the time to the response head.
        Raises UsageError with the offending text and what to write instead.
        """
        if timeout_s is not None and timeout_s <= 0:
            raise UsageError("`timeout_s` must be above 0", arguments=["timeout_s"])
        plain_url, userinfo = parse_request_url(url)
        pairs = _headers(headers, bearer, userinfo, is_json=body is not None and _is_json(body))
        chosen = (method or ("GET" if body is None else "POST")).upper()
        if not _TOKEN.fullmatch(chosen):
            raise UsageError(f"{chosen!r} is not an HTTP method", arguments=["method"])
        return cls(
            url=plain_url,
            method=chosen,
            headers=pairs,
            # Bytes that are not UTF-8 came from the command line as surrogates, and go out as they came.
            body=None if body is None else body.encode("utf-8", "surrogateescape"),
            connect_timeout_s=DEFAULT_CONNECT_TIMEOUT_S if timeout_s is None else timeout_s,
            head_timeout_s=timeout_s,
            all_addresses=all_addresses,
            any_content_type=any_content_type,
            tls=Tls(verify=not insecure, ca_file=ca_file, cert_file=cert_file, key_file=key_file),
            **_parse_route(connect_to, unix_socket, source_address),
        )

    @cached_property
    def parsed_url(self) -> httpx.URL:
        """The URL in parts; its ``raw_host`` and ``raw_path`` are what goes on the wire."""
        return httpx.URL(self.url)

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Scheme, host and port (None where it is the scheme's own): what credentials are bound to."""
        url = self.parsed_url
        # raw_host: httpx raises for the host of a name that IDNA 2008 does not allow, although DNS may know it.
        return url.scheme, url.raw_host.decode("ascii"), url.port

    @cached_property
    def proxy(self) -> Proxy | None:
        """The proxy to go through. Raises UsageError for one of the environment that cannot be used."""
        # A place that the user names goes before the environment.
        is_direct = self.proxies is None or self.connect_to is not None or self.unix_socket is not None
        return None if is_direct or self.proxies is None else self.proxies.proxy_for(self.parsed_url)

    @property
    def is_tunnelled(self) -> bool:
        """Whether the proxy connects us to the server; otherwise it reads the request and passes it on."""
        return self.proxy is not None and (self.parsed_url.scheme == "https" or self.proxy.is_socks)

    @property
    def server_address(self) -> tuple[str, int]:
        """Host and port of the server, unless it is at a unix socket."""
        url = self.parsed_url
        return self.connect_to or (url.raw_host.decode("ascii"), url.port or _DEFAULT_PORTS[url.scheme])

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Where to connect, unless that is a unix socket: the host's name is still to be resolved."""
        return self.server_address if self.proxy is None else (self.proxy.host, self.proxy.port)

    @property
    def peer(self) -> str:
        """Where to connect, in words: for messages."""
        if self.unix_socket is not None:
            return f"the unix socket {self.unix_socket}"
        return authority_of(*self.server_address) if self.proxy is None else str(self.proxy)

    def stream_headers(self) -> list[tuple[str, str]]:
        """Return the caller's headers, and those of an event stream's request that the caller left out.

        A Last-Event-ID is not among them: each connection has its own.
        """
        given = {name.lower() for name, _ in self.headers}
        own = [pair for pair in self.headers if pair[0].lower() != "last-event-id"]
        # Host is made here: httpx (0.28) would first decode the host's name, which fails for names that DNS may know.
        host = [] if "host" in given else [("Host", self.parsed_url.netloc.decode("ascii"))]
        return [*host, *own, *((name, value) for name, value in _STREAM_HEADERS if name.lower() not in given)]

    @property
    def last_event_id(self) -> str:
        """What the caller's headers have as Last-Event-ID: where the first connection begins; empty without one."""
        return next((value for name, value in reversed(self.headers) if name.lower() == "last-event-id"), "")

    @cached_property
    def redacted_url(self) -> str:
        """The URL without its credentials: what may be shown and saved."""
        return redacted_url(self.url)

    @property
    def redacted_headers(self) -> tuple[tuple[str, str], ...]:
        """The headers with the values of credentials replaced: what may be shown and saved."""
        return tuple((name, redacted_header(name, value)) for name, value in self.headers)


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """One request of the way to a stream, which redirects may make longer: what was asked for, and who answered.

    ``others`` are the other addresses of that host, of the same family.
    """

    target: Target
    address: Address
    others: tuple[Address, ...] = ()


class _Route(TypedDict):
    connect_to: tuple[str, int] | None
    unix_socket: str | None
    source_addresses: tuple[str, ...]


def _parse_route(connect_to: str | None, unix_socket: str | None, source_address: str | None) -> _Route:
    """Read what says where to connect, and from where."""
    if unix_socket is not None:
        if connect_to is not None or source_address is not None:
            other = "connect_to" if connect_to is not None else "source_address"
            raise UsageError(
                f"`unix_socket` and `{other}` exclude each other: leave one out", arguments=["unix_socket", other]
            )
        if not unix_socket or "\0" in unix_socket:
            raise UsageError("`unix_socket` must be the path of a socket", arguments=["unix_socket"])
        if sys.platform == "win32":
            raise UsageError("Windows has no unix sockets: leave out `unix_socket`", arguments=["unix_socket"])
    return {
        "connect_to": None if connect_to is None else _parse_host_and_port(connect_to),
        "unix_socket": unix_socket,
        "source_addresses": () if source_address is None else parse_source_addresses(source_address),
    }


def _parse_host_and_port(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[^\[\]/?#@]+\]|[^\[\]/?#@:]+):([0-9]{1,5})", text)
    try:
        if match and 0 < int(match[2]) < 65536:
            # As strict with the host as with that of a URL.
            host = httpx.URL(parse_request_url(f"http://{match[1]}")[0]).raw_host.decode("ascii")
            return host, int(match[2])
    except UsageError:
        pass
    raise UsageError(
        f"{text!r} is not HOST:PORT: write `connect_to` like 127.0.0.1:8443 or [::1]:8443", arguments=["connect_to"]
    )


def _headers(
    lines: list[str] | tuple[str, ...], bearer: str | None, userinfo: bytes, *, is_json: bool
) -> tuple[tuple[str, str], ...]:
    """Return the headers of these lines, and those that other arguments add unless a line has them."""
    pairs = [_parse_header(text) for text in lines]
    names = {name.lower() for name, _ in pairs}
    if bearer is not None:
        if not bearer.strip():
            raise UsageError("`bearer` is empty", arguments=["bearer"])
        if "authorization" in names:
            words = "`bearer` and an Authorization header exclude each other: leave one out"
            raise UsageError(words, arguments=["bearer"])
        pairs.append(("Authorization", _checked_value(f"Bearer {bearer}", "`bearer`", "bearer")))
    elif userinfo and "authorization" not in names:
        pairs.append(("Authorization", "Basic " + b64encode(userinfo).decode()))
    if is_json and "content-type" not in names:
        pairs.append(("Content-Type", "application/json"))
    return tuple(pairs)


def _parse_header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not _TOKEN.fullmatch(name):
        # Its first word: without a colon, the rest may be a credential.
        raise UsageError(f"{text.split(' ')[0]!r} is not a header: write it like 'Name: value'", arguments=["headers"])
    if name.lower() in _FRAMING_HEADERS:
        raise UsageError(f"{name} cannot be set: it is computed from the body", arguments=["headers"])
    return name, _checked_value(value.strip(" \t"), f"header {name}", "headers")


def _is_json(body: str) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _checked_value(value: str, what: str, argument: str) -> str:
    if not _FIELD_VALUE.fullmatch(value):
        raise UsageError(f"{what} has a control character in its value", arguments=[argument])
    try:
        value.encode()
    except UnicodeError as exc:
        raise UsageError(f"{what} has bytes in its value that are not UTF-8", arguments=[argument]) from exc
    return value
