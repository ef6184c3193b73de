"""The addresses that a connection uses instead of the defaults: of the server, a unix socket, or this machine."""

from __future__ import annotations

import re
import sys
from typing import TypedDict

import httpx

from sseclient_cli.errors import UsageError
from sseclient_cli.request.source_addresses import parse_source_addresses
from sseclient_cli.request.url import parse_request_url


class Route(TypedDict):
    """The fields of a ``Target`` that select the addresses."""

    connect_to: tuple[str, int] | None
    unix_socket: str | None
    source_addresses: tuple[str, ...]


def parse_route(
    connect_to: str | None, unix_socket: str | None, source_address: str | None, *, on_this_machine: bool = True
) -> Route:
    """Parse the addresses to connect to and from, as typed on a command line. Raises UsageError.

    Without ``on_this_machine`` the source addresses may be those of other machines.
    """
    sources = () if source_address is None else parse_source_addresses(source_address, on_this_machine=on_this_machine)
    if unix_socket is not None:
        if connect_to is not None or source_address is not None:
            other = "connect_to" if connect_to is not None else "source_address"
            words = f"`unix_socket` and `{other}` exclude each other: leave one out"
            raise UsageError(words, arguments=["unix_socket", other])
        if not unix_socket or "\0" in unix_socket:
            raise UsageError("`unix_socket` must be the path of a socket", arguments=["unix_socket"])
        if sys.platform == "win32":
            raise UsageError("Windows has no unix sockets: leave out `unix_socket`", arguments=["unix_socket"])
    return {
        "connect_to": None if connect_to is None else _parse_host_and_port(connect_to),
        "unix_socket": unix_socket,
        "source_addresses": sources,
    }


def _parse_host_and_port(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[^\[\]/?#@]+\]|[^\[\]/?#@:]+):([0-9]{1,5})", text)
    try:
        if match and 0 < int(match[2]) < 65536:
            # The same checks as for the host of a URL.
            host = httpx.URL(parse_request_url(f"http://{match[1]}")[0]).raw_host.decode("ascii")
            return host, int(match[2])
    except UsageError:
        pass
    words = f"{text!r} is not HOST:PORT: write `connect_to` like 127.0.0.1:8443 or [::1]:8443"
    raise UsageError(words, arguments=["connect_to"])
