"""A target and its proxy: which one is chosen, and with whom TLS is spoken.

A command and the library choose here, so that the same rules hold in both.
"""

from __future__ import annotations

from dataclasses import replace

import httpx

from sseclient_cli.errors import UsageError
from sseclient_cli.request.proxies import Proxies, authority_of
from sseclient_cli.request.target import Target


def through_proxy(target: Target, given: str | None, *, trust_env: bool = True) -> Target:
    """Return the target with its proxy: the given one, none for an empty text, the environment's for None.

    A target that already has a rule keeps it unless one is given. Raises UsageError for a proxy that cannot be used.
    """
    if given is None and target.proxies is not None:
        return target
    proxied = replace(target, proxies=Proxies.chosen(given, trust_env=trust_env))
    if given and (target.connect_to is not None or target.unix_socket is not None):
        other = "connect_to" if target.connect_to is not None else "unix_socket"
        raise UsageError(f"`proxy` and `{other}` exclude each other: leave one out", arguments=["proxy", other])
    _ = proxied.proxy  # now, and not with the first connection
    return proxied


def through_given_proxy(target: Target, given: str | None) -> Target:
    """Return the target with the given proxy, or with none. Raises UsageError where the environment has one for it.

    For loads: a proxy is a part of what is measured, so nobody should get one without a word.
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
    """Return who speaks TLS with us and answers the request, in words: through a tunnel that is the server."""
    return authority_of(*target.server_address) if target.is_tunnelled else target.peer


def tls_host(target: Target) -> str | None:
    """Return the name that the certificate of the TLS connection must have; None without TLS."""
    if target.parsed_url.scheme == "https":
        return target.parsed_url.raw_host.decode("ascii")
    return target.proxy.host if target.proxy is not None and target.proxy.scheme == "https" else None


def absolute_form(url: httpx.URL) -> bytes:
    """Return what a request line asks a proxy for (RFC 9112 3.2.2)."""
    return b"%b://%b%b" % (url.raw_scheme, url.netloc, url.raw_path)
