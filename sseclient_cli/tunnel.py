"""A tunnel through an HTTP proxy: the CONNECT request and its response (RFC 9110 9.3.6). Sans-I/O.

Both clients (one stream, many streams) use it. Text from the proxy is escaped and truncated in messages.
"""

from __future__ import annotations

import re
from contextlib import suppress
from http import HTTPStatus

from sseclient_cli.errors import ProxyError
from sseclient_cli.request.proxies import Proxy, authority_of
from sseclient_cli.request.target import Target
from sseclient_cli.response_errors import MAX_BODY_BYTES, body_message
from sseclient_cli.sse.response_head import HeadMender

_HEAD = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})[ \r\n].*?\r?\n\r?\n", re.DOTALL)

_ADVICE = {
    400: "it rejects the request as invalid",
    403: "it does not allow connections to this host or port",
    404: "it does not know the host, or is not a proxy",
    405: "it does not support https:// URLs",
    407: "give its user and password in its URL, http://USER:PASSWORD@HOST:PORT",
    502: "it cannot connect to the server; check the URL's host and port",
    503: "it cannot connect to the server; check the URL's host and port",
    504: "it cannot connect to the server in time; check the URL's host and port",
}


class Tunnel:
    """One CONNECT exchange: send ``request``, ``feed`` the response until ``status`` is set, then check ``is_open``."""

    __slots__ = ("_held", "_mender", "authority", "body", "head", "proxy", "request", "status")

    def __init__(self, proxy: Proxy, target: Target) -> None:
        self.proxy = proxy
        self.authority = authority_of(*target.server_address)
        self.request = _request(proxy, target, self.authority)
        self.status = 0
        """The final status of the response; 0 until its head is complete."""
        self.head = b""
        self.body = b""
        """The start of the body if the proxy refuses."""
        self._held = b""
        self._mender = HeadMender()

    @property
    def is_open(self) -> bool:
        """Whether the tunnel to the server is open."""
        return 200 <= self.status < 300

    def feed(self, data: bytes) -> None:
        """Take the next bytes, empty at the end of the connection. Raises ProxyError for an invalid response."""
        if self.status:
            self.body = (self.body + data)[:MAX_BODY_BYTES]
            return
        if not data:
            raise ProxyError(f"{self.proxy} closed the connection before it answered the CONNECT {self.authority}")
        self._held += self._mender.feed(data)
        while (found := _HEAD.match(self._held)) is not None:
            self.head, rest = found[0], self._held[found.end() :]
            if found[1][:1] != b"1":  # not an interim response
                self.status = int(found[1])
                self.body = rest[:MAX_BODY_BYTES]
                break
            self._held = rest
        if self._mender.is_done and not self.status:
            raise ProxyError(f"{self.proxy} did not answer in HTTP/1.1: is this the port of an HTTP proxy?")
        if self.is_open and self.body:
            raise ProxyError(f"{self.proxy} sent unexpected data into the tunnel to {self.authority}")

    def error(self) -> ProxyError:
        """Build the error for a status other than 2xx."""
        phrase = ""
        with suppress(ValueError):
            phrase = f" {HTTPStatus(self.status).phrase}"
        said = body_message(self.body)
        return ProxyError(
            f"{self.proxy} refused the CONNECT {self.authority}: {self.status}{phrase}: "
            f"{_ADVICE.get(self.status, 'check its log')}" + (f"; the proxy says: {said}" if said else "")
        )


def _request(proxy: Proxy, target: Target, authority: str) -> bytes:
    headers = [("Host", authority)]
    # A Proxy-Authorization header of the user has precedence over the credentials in the proxy's URL.
    own = {name.lower(): value for name, value in target.stream_headers()}
    authorization = own.get("proxy-authorization", proxy.authorization)
    headers += [(name, value) for name, value in (("User-Agent", own.get("user-agent")),
                                                   ("Proxy-Authorization", authorization)) if value]  # fmt: skip
    lines = [f"CONNECT {authority} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode()
