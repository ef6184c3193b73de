"""Check the Host header, so that a page of another site cannot reach this server by DNS rebinding.

The attack: a browser loads a page of http://evil.example:8000 from its author's server. Then the author changes the
address of that name to 127.0.0.1. The browser takes whatever answers there for the page's own server: the page may
read, publish and delete. But the browser sends the name in Host, and another site's name is not in our list.

An IP address in Host is always accepted. It is not looked up, so an author cannot change where it leads; and behind a
forwarded port or a container's network, clients use an address that this machine does not have.
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
LONGEST_NAME = 253  # RFC 1035 3.1, without the dots of the root

_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:]*)(?::[0-9]*)?")
# No top-level domain is a number, so this cannot be looked up (URL Standard, "ends in a number").
_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+){0,3}")


class Hosts:
    """The names of this server."""

    def __init__(self, listening_on: str, allowed: Iterable[str] = ()) -> None:
        own = socket.gethostname()
        short = own.partition(".")[0]
        names = ["localhost", listening_on, own, short, f"{short}.local", *allowed]  # .local: multicast DNS (RFC 6762)
        self._names = {normalize(name) for name in names}

    def knows(self, header: str) -> bool:
        """Say whether the value of a Host header is an IP address or a name of this server, whatever its port."""
        match = _HOST_AND_PORT.fullmatch(header)
        if match is None:
            return False
        name = normalize(match[1])
        # RFC 6761 6.3: all names below localhost are those of this machine, and browsers do not look them up.
        return name in self._names or name.endswith(".localhost") or is_address(name) or ANY_NAME in self._names

    def refusal(self, scope: Scope) -> ASGIApp | None:
        """Return the answer to a request for another server; None if it is for this one.

        A request without Host is answered: browsers send one always, and scripts of HTTP/1.0 do not.
        """
        named = Headers(scope=scope).getlist("host")
        unknown = next((header for header in named if not self.knows(header)), None)
        if unknown is None:
            return None
        match = _HOST_AND_PORT.fullmatch(unknown)
        name = (match[1] if match else unknown)[:LONGEST_NAME]
        address, port = scope["server"] or ("127.0.0.1", None)
        own = f"[{address}]" if ":" in address else address
        detail = (
            f"this server does not answer to the name {name!r}: ask http://{own}:{port}, or start the server with "
            f"--allow-host NAME"
        )
        return JSONResponse({"detail": detail}, status_code=HTTPStatus.MISDIRECTED_REQUEST)


def normalize(name: str) -> str:
    """Return a name as it is compared: without case, and without the dot of the root."""
    return name.lower().removesuffix(".")


def is_address(name: str) -> bool:
    """Say whether this is an IP address, an IPv6 one in brackets."""
    if not name.startswith("["):
        return _NUMBERS.fullmatch(name) is not None
    try:
        IPv6Address(name[1:-1])
    except ValueError:
        return False
    return True
