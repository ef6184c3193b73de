"""The proxy of a request: an explicit one, one of the environment, or none.

The environment variables are those of httpx and curl: ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy``,
in lower or upper case. Their proxies are never used for this machine. This module must not know connections.
"""

from __future__ import annotations

import ipaddress
import os
import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.request import getproxies_environment

import httpx

from sseclient_cli.errors import UsageError
from sseclient_cli.redaction import redacted_url
from sseclient_cli.request.url import SCHEMES, parse_request_url

_DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy; ``scheme`` is its protocol. ``variable`` is the environment variable that it comes from, if any."""

    scheme: str
    host: str
    port: int
    credentials: bytes | None = field(default=None, repr=False)
    """``user:password``."""
    variable: str | None = None

    @property
    def is_socks(self) -> bool:
        """Whether its protocol is SOCKS5, not HTTP."""
        return self.scheme == "socks5"

    @property
    def authorization(self) -> str | None:
        """The value of Proxy-Authorization."""
        return None if self.credentials is None else f"Basic {b64encode(self.credentials).decode()}"

    @property
    def url(self) -> str:
        """Its URL without user and password, for output and reports."""
        return f"{self.scheme}://{authority_of(self.host, self.port)}"

    def __str__(self) -> str:
        """Describe the proxy in a message."""
        return f"the proxy {self.url}" + (f" ({self.variable} of the environment)" if self.variable else "")


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable with a proxy, for URLs of ``scheme`` or of ``all`` schemes."""

    scheme: str
    name: str
    value: str = field(repr=False)

    @property
    def redacted_value(self) -> str:
        """Its value without user and password."""
        return redacted_url(self.value if "://" in self.value else f"//{self.value}", malformed=True).removeprefix("//")


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of all requests of a run: ``given`` for all URLs, or else those of the environment."""

    given: Proxy | None = None
    environment: tuple[Variable, ...] = ()
    no_proxy: str = ""

    @classmethod
    def chosen(cls, given: str | None, *, trust_env: bool = True) -> Proxies:
        """Return the proxies for a caller's argument: a URL, an empty text for no proxy, None for the environment."""
        if given is not None:
            return cls(parse_proxy(given)) if given else cls()
        return cls.of_environment() if trust_env else cls()

    @classmethod
    def of_environment(cls) -> Proxies:
        """Read the environment."""
        values = getproxies_environment()
        found = [Variable(scheme, _name_of(scheme), values[scheme]) for scheme in ("http", "https", "all")
                 if values.get(scheme)]  # fmt: skip
        return cls(None, tuple(found), values.get("no", ""))

    def proxy_for(self, url: httpx.URL) -> Proxy | None:
        """Return the proxy for requests to a URL. Raises UsageError for an unusable proxy."""
        proxy = self.given
        if proxy is None and (variable := self.variable_for(url)) is not None:
            proxy = parse_proxy(variable.value, variable)
        # All but http:// URLs need a tunnel.
        if proxy is not None and proxy.scheme == "https" and url.scheme != "http":
            raise UsageError(f"{proxy} uses TLS and cannot be used for {url.scheme}:// URLs: give an http:// proxy")
        return proxy

    def variable_for(self, url: httpx.URL) -> Variable | None:
        """Return the environment variable for a URL; None for this machine, and for hosts in ``no_proxy``."""
        host = url.raw_host.decode("ascii").removesuffix(".").lower()
        scheme = SCHEMES[url.scheme]
        port = url.port or _DEFAULT_PORTS[scheme]
        if _is_this_machine(host) or _is_exempt(host, port, self.no_proxy):
            return None
        found = {variable.scheme: variable for variable in self.environment}
        return found.get(scheme, found.get("all"))


def parse_proxy(text: str, variable: Variable | None = None) -> Proxy:
    """Parse the URL of a proxy; the default scheme is ``http``. Raises UsageError."""
    if not isinstance(text, str):
        raise UsageError(f"proxy must be a URL like http://127.0.0.1:3128, not {text!r}")
    what, fix = "the proxy", "give one like http://127.0.0.1:3128"
    if variable is not None:
        what, fix = f"{variable.name} of the environment", "correct or unset it, or name the host in no_proxy"
    found = _SCHEME.match(text)
    scheme = found[1].lower().replace("socks5h", "socks5") if found else "http"
    if scheme not in _DEFAULT_PORTS:
        raise UsageError(f"{what} is a {scheme[:20]}:// URL: proxies are http://, https:// and socks5://; {fix}")
    rest = text[found.end() :] if found else text
    try:
        _, userinfo = parse_request_url(f"http://{rest}")
    except UsageError as exc:
        raise UsageError(f"{what} is not a valid proxy URL: {exc}; {fix}") from exc
    url = httpx.URL(f"{scheme}://{rest}")  # with its own scheme, because httpx drops the scheme's default port
    return Proxy(
        scheme,
        url.raw_host.decode("ascii"),
        url.port or _DEFAULT_PORTS[scheme],
        userinfo or None,
        None if variable is None else variable.name,
    )


def authority_of(host: str, port: int) -> str:
    """Return ``host:port``, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _name_of(scheme: str) -> str:
    """Return the variable that ``getproxies_environment`` used: lower case takes precedence."""
    name = f"{scheme}_proxy"
    return name if os.environ.get(name) else next((each for each in os.environ if each.lower() == name), name)


def _is_this_machine(host: str) -> bool:
    address = _address(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    # Servers that listen on all interfaces print 0.0.0.0; a connection to it goes to this machine.
    return address.is_loopback or address.is_unspecified


def _is_exempt(host: str, port: int, no_proxy: str) -> bool:
    """Return whether ``no_proxy`` matches a host: by name, domain (also ``*.domain``), address, network, or ``*``."""
    entries = [entry.strip("[]") for entry in re.split(r"[,\s]+", no_proxy.lower()) if entry]
    if "*" in entries:
        return True
    domains = {domain for entry in entries if (domain := entry.removeprefix("*").removeprefix("."))}
    names = (host, f"{host}:{port}")
    if any(name == domain or name.endswith(f".{domain}") for domain in domains for name in names):
        return True
    address = _address(host)
    return address is not None and any(address in network for entry in entries if (network := _network(entry)))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None
