"""The sockets to listen on."""

from __future__ import annotations

import errno
import os
import socket
import sys

BACKLOG = 4096  # the kernel's own ceiling since Linux 5.4; a burst of connections beyond it is dropped and retried


def bind(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Return so many sockets that listen on one port, or raise OSError with a readable ``strerror``.

    Where the kernel does not spread connections over several sockets, all are the same one.
    """
    problem = f"cannot listen on {host} port {port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        first = socket.create_server(address[:2], family=family, backlog=BACKLOG)
        return [first] if count == 1 else share_port(first, count)
    except UnicodeError as exc:  # from the encoding of host names: a label of more than 63 bytes, or an empty one
        raise OSError(errno.EINVAL, f"{problem}: not a host name") from exc
    except socket.gaierror as exc:  # its numbers are not those of errno
        raise OSError(exc.errno, f"{problem}: {exc.strerror}") from exc
    except OSError as exc:  # create_server has put the address into its strerror
        raise OSError(exc.errno, f"{problem}: {os.strerror(exc.errno or 0)}") from exc


def share_port(first: socket.socket, count: int) -> list[socket.socket]:
    """Return sockets that share the port of a first one."""
    if sys.platform != "linux":
        return [first] * count
    # That it could be bound without sharing shows that nobody else is there: another server of this user, started
    # with several workers, too, would have shared its port with us in silence.
    address, family = first.getsockname()[:2], first.family
    first.close()
    return [socket.create_server(address, family=family, backlog=BACKLOG, reuse_port=True) for _ in range(count)]


def format_url(listener: socket.socket) -> str:
    """Return the URL at which a socket listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
