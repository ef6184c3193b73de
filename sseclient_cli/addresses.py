"""The addresses of a target's host: looked up within a time limit, whatever the resolver does.

``getaddrinfo`` cannot be interrupted and may take half a minute (resolv.conf: 2 attempts of 5 s per name server), so it
runs in a thread of its own, which is left behind when the time is over.
"""

from __future__ import annotations

import socket
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from sseclient_cli.errors import NameNotResolvedError, SseError
from sseclient_cli.target import Address, Hop, Target


def resolve(target: Target, timeout_s: float) -> tuple[Address, ...]:
    """Return the addresses to connect to: those of the first one's family, in the resolver's order.

    With source addresses the family is theirs. Raises NameNotResolvedError.
    """
    if target.unix_socket is not None:
        return (Address(socket.AF_UNIX, target.unix_socket),)
    sources = target.source_addresses
    family = socket.AF_UNSPEC if not sources else socket.AF_INET6 if ":" in sources[0] else socket.AF_INET
    found = _looked_up(target, family, timeout_s)
    return tuple(dict.fromkeys(address for address in found if address.family == found[0].family))


def with_others(hop: Hop, timeout_s: float) -> Hop:
    """Return the hop with the other addresses of its host; without any where they cannot be looked up."""
    if hop.target.unix_socket is not None:
        return hop
    try:
        found = _looked_up(hop.target, hop.address.family, timeout_s)
    except SseError:
        return hop  # the streams need only the one that answered
    others = dict.fromkeys(address for address in found if address != hop.address)
    return Hop(hop.target, hop.address, tuple(others))


def _looked_up(target: Target, family: socket.AddressFamily, timeout_s: float) -> list[Address]:
    host, port = target.host_and_port
    answers: SimpleQueue[list[Any] | None] = SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
        except (OSError, UnicodeError):  # UnicodeError: a label of more than 63 characters
            answers.put(None)

    # A daemon: a resolver that does not answer must not keep the process from its end.
    Thread(target=look_up, daemon=True).start()
    try:
        answer = answers.get(timeout=max(timeout_s, 0))
    except Empty:
        raise NameNotResolvedError(
            f"the host name of {target.peer} was not resolved within {timeout_s:.3g} s: check the name servers"
        ) from None
    if not answer:
        raise NameNotResolvedError(f"the host name of {target.peer} has no address: check its spelling")
    return [Address(family, address) for family, _, _, _, address in answer]
