"""Choose the proxy of a target, and determine the peers of its connection.

The commands and the library use the same functions, so the same rules apply to both.
"""

from __future__ import annotations

from dataclasses import replace

import httpx

from sseclient_cli.errors import UsageError
from sseclient_cli.request.proxies import Proxies, authority_of
from sseclient_cli.request.target import Target


def through_proxy(target: Target, given: str | None, *, trust_env: bool = True) -> Target:
    """Return the target with its proxy: the given one, none for an empty text, that of the environment for None.

    A target that already has ``proxies`` keeps them unless one is given. Raises UsageError for an unusable proxy.
    """
    if given is None and target.proxies is not None:
        return target
    proxied = replace(target, proxies=Proxies.chosen(given, trust_env=trust_env))
    if given and (target.connect_to is not None or target.unix_socket is not None):
        other = "connect_to" if target.connect_to is not None else "unix_socket"
        raise UsageError(f"`proxy` and `{other}` exclude each other: leave one out", arguments=["proxy", other])
    check_http2_route(proxied)  # now, not with the first connection; also for an unusable proxy
    return proxied


def through_given_proxy(target: Target, given: str | None) -> Target:
    """Return the target with the given proxy, or with none. Raises UsageError if the environment has one for it.

    For load tests: a proxy affects the measurement, so it must be chosen explicitly.
    """
    if given is None and target.connect_to is None and target.unix_socket is None:
        variable = Proxies.of_environment().variable_for(target.parsed_url)
        if variable is not None:
            raise UsageError(
                f"{variable.name} of the environment would send the load through the proxy {variable.redacted_value}, "
                "which would be measured too",
                code="environment-proxy",
                arguments=["proxy"],
            )
    proxied = through_proxy(target, given, trust_env=False)
    if proxied.proxy is not None and proxied.proxy.is_socks:
        raise UsageError(
            f"a load cannot go through a SOCKS proxy ({proxied.proxy.url})",
            code="socks-proxy",
            arguments=["proxy"],
        )
    return proxied


def answering_peer(target: Target) -> str:
    """Return the peer of TLS and HTTP, for messages: with a tunnel, the server and not the proxy."""
    return authority_of(*target.server_address) if target.is_tunnelled else target.peer


def tls_host(target: Target) -> str | None:
    """Return the host name that the certificate of the TLS connection must match; None without TLS."""
    if target.http_scheme == "https":
        return target.parsed_url.raw_host.decode("ascii")
    return target.proxy.host if target.proxy is not None and target.proxy.scheme == "https" else None


def absolute_form(url: httpx.URL) -> bytes:
    """Return the absolute form of a URL, for the request line of a request to a proxy (RFC 9112 3.2.2)."""
    return b"%b://%b%b" % (url.raw_scheme, url.netloc, url.raw_path)


def check_http2_route(target: Target) -> None:
    """Raise UsageError for HTTP/2 through a proxy that forwards requests: it speaks HTTP/1.1."""
    if target.http2 and target.proxy is not None and not target.is_tunnelled:
        raise UsageError(
            f"HTTP/2 does not pass {target.proxy}, which forwards http:// requests: leave out `http2`",
            arguments=["http2", "proxy"],
        )
