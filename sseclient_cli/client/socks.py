"""Open a connection through a SOCKS5 proxy (RFC 1928; user and password: RFC 1929).

httpcore (1.0) supports SOCKS5 with the package socksio, but it treats each read as a complete reply and has no timeout.
The protocol is small enough to implement here.
"""

from __future__ import annotations

import ipaddress

import httpcore

from sseclient_cli.client.http_stream import HttpStream
from sseclient_cli.errors import ProxyError
from sseclient_cli.request.proxies import Proxy, authority_of

_REPLIES = {
    1: "general failure",
    2: "its rules do not allow it",
    3: "the network is unreachable",
    4: "the host is unreachable, or its name has no address",
    5: "the server refuses the connection",
    6: "the server did not answer in time",
    7: "it does not support CONNECT",
    8: "it does not support this kind of address",
}

_NO_CREDENTIALS, _PASSWORD = 0, 2
_IPV4, _NAME, _IPV6 = 1, 3, 4


async def open_socks_tunnel(stream: httpcore.AsyncNetworkStream, proxy: Proxy, host: str, port: int) -> None:
    """Make the proxy connect to a server. The proxy resolves the server's name. Raises ProxyError."""
    methods = bytes([_NO_CREDENTIALS] if proxy.credentials is None else [_NO_CREDENTIALS, _PASSWORD])
    await stream.write(bytes([5, len(methods)]) + methods)
    version, method = await _exactly(stream, 2, proxy)
    if version != 5:
        raise ProxyError(f"{proxy} does not speak SOCKS5: is this its port?")
    if method == _PASSWORD and proxy.credentials is not None:
        await _log_in(stream, proxy, proxy.credentials)
    elif method != _NO_CREDENTIALS:
        raise ProxyError(f"{proxy} requires a user and a password: use a URL like socks5://USER:PASSWORD@HOST:PORT")
    await stream.write(b"\5\1\0" + _address_of(host) + port.to_bytes(2, "big"))
    _, reply, _, kind = await _exactly(stream, 4, proxy)
    if reply:
        reason = _REPLIES.get(reply, f"reply {reply}")
        raise ProxyError(f"{proxy} did not connect to {authority_of(host, port)}: {reason}")
    length = (await _exactly(stream, 1, proxy))[0] if kind == _NAME else 16 if kind == _IPV6 else 4
    await _exactly(stream, length + 2, proxy)  # the local address of the proxy's connection


async def _log_in(stream: httpcore.AsyncNetworkStream, proxy: Proxy, credentials: bytes) -> None:
    user, _, password = credentials.partition(b":")
    if max(len(user), len(password)) > 255:
        raise ProxyError(f"user or password of {proxy} is longer than 255 bytes, the limit of SOCKS5")
    await stream.write(b"".join([b"\1", bytes([len(user)]), user, bytes([len(password)]), password]))
    _, failure = await _exactly(stream, 2, proxy)
    if failure:
        raise ProxyError(f"{proxy} does not accept the user and password in its URL")


def _address_of(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return bytes([_NAME, len(host)]) + host.encode("ascii")
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed


async def _exactly(stream: httpcore.AsyncNetworkStream, count: int, proxy: Proxy) -> bytes:
    read = stream.read_raw if isinstance(stream, HttpStream) else stream.read
    data = b""
    while len(data) < count:
        piece = await read(count - len(data))
        if not piece:
            raise ProxyError(
                f"{proxy} closed the connection before the tunnel was open: is this the port of a SOCKS5 proxy?"
            )
        data += piece
    return data
