"""Check the Host header, so that a page of another site cannot reach this server by DNS rebinding.

The attack: a browser loads a page from http://evil.example:8000. Then the attacker changes the address of this name to
127.0.0.1. For the browser this server now has the same origin as the page, so the page could read, publish and delete.
The browser still sends the name in Host, and this server refuses unknown names.

An IP address in Host is always accepted. It needs no DNS lookup that an attacker could change, and behind a forwarded
port or in a container network, clients use an address that this machine does not have.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import IPv6Address

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Scope

ANY_NAME = "*"
LONGEST_NAME = 253  # RFC 1035 3.1, without the trailing dot

_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:]*)(?::[0-9]*)?")
# A host that ends in a number is never a name (URL Standard, "ends in a number").
_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+){0,3}")


class Hosts:
    """The host names of this server."""

    def __init__(self, listening_on: str, allowed: Iterable[str] = ()) -> None:
        own = socket.gethostname()
        short = own.partition(".")[0]
        names = ["localhost", listening_on, own, short, f"{short}.local", *allowed]  # .local: multicast DNS (RFC 6762)
        self._names = {normalize(name) for name in names}

    def knows(self, header: str) -> bool:
        """Say whether a Host header has an IP address or a name of this server, with any port."""
        match = _HOST_AND_PORT.fullmatch(header)
        if match is None:
            return False
        name = normalize(match[1])
        # RFC 6761 6.3: names below localhost resolve to the loopback address; browsers do not look them up.
        return name in self._names or name.endswith(".localhost") or is_address(name) or ANY_NAME in self._names

    def error_response(self, scope: Scope) -> ASGIApp | None:
        """Return a 421 response for a request with an unknown host name, otherwise None.

        A request without Host is accepted: browsers always send it, HTTP/1.0 scripts do not.
        """
        named = Headers(scope=scope).getlist("host")
        unknown = next((header for header in named if not self.knows(header)), None)
        if unknown is None:
            return None
        match = _HOST_AND_PORT.fullmatch(unknown)
        name = (match[1] if match else unknown)[:LONGEST_NAME]
        address, port = scope["server"] or ("127.0.0.1", None)
        own = f"[{address}]" if ":" in address else address
        detail = f"unknown host name {name!r}: use http://{own}:{port}, or start the server with --allow-host NAME"
        return JSONResponse({"detail": detail}, status_code=HTTPStatus.MISDIRECTED_REQUEST)


def normalize(name: str) -> str:
    """Return a name in lower case, without the trailing dot."""
    return name.lower().removesuffix(".")


def is_address(name: str) -> bool:
    """Say whether this is an IPv4 address or an IPv6 address in brackets."""
    if not name.startswith("["):
        return _NUMBERS.fullmatch(name) is not None
    try:
        IPv6Address(name[1:-1])
    except ValueError:
        return False
    return True
