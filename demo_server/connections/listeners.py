"""The listening sockets."""

from __future__ import annotations

import errno
import os
import socket
import sys

BACKLOG = 4096  # the maximum by default since Linux 5.4; beyond it, clients must repeat their SYN


def bind(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Return ``count`` sockets that listen on one port; raise OSError with a readable ``strerror``.

    Only Linux distributes connections over several sockets. Elsewhere, all are the same socket.
    """
    problem = f"cannot listen on {host} port {port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        first = socket.create_server(address[:2], family=family, backlog=BACKLOG)
        return [first] if count == 1 else share_port(first, count)
    except UnicodeError as exc:  # raised by the IDNA codec for labels that are empty or longer than 63 bytes
        raise OSError(errno.EINVAL, f"{problem}: not a host name") from exc
    except socket.gaierror as exc:  # its error numbers are not those of errno
        raise OSError(exc.errno, f"{problem}: {exc.strerror}") from exc
    except OSError as exc:  # the strerror of create_server includes the address
        raise OSError(exc.errno, f"{problem}: {os.strerror(exc.errno or 0)}") from exc


def share_port(first: socket.socket, count: int) -> list[socket.socket]:
    """Return sockets that share the port of a first socket."""
    if sys.platform != "linux":
        return [first] * count
    # The first socket was bound without reuse_port, which fails if the port is in use. With reuse_port alone, two
    # servers of the same user would silently share the port.
    address, family = first.getsockname()[:2], first.family
    first.close()
    return [socket.create_server(address, family=family, backlog=BACKLOG, reuse_port=True) for _ in range(count)]


def format_url(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
