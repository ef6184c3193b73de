"""The addresses of a target's host: looked up within a time limit, whatever the resolver does.

``getaddrinfo`` cannot be interrupted and may take half a minute (resolv.conf: 2 attempts of 5 s per name server), so it
runs in a thread of its own, which is left behind when the time is over.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

from sseclient_cli.errors import NameNotResolvedError, SseError
from sseclient_cli.request.target import Address, ResolvedTarget, Target

LOOK_UP_EVERY_S = 0.05
"""How often a lookup asks whether it is still worth waiting for: a run ends within 0.5 s of its time or of Ctrl-C."""


def always() -> bool:
    """Wait as long as the time limit allows."""
    return True


def resolve(target: Target, timeout_s: float, keep_waiting: Callable[[], bool] = always) -> tuple[Address, ...]:
    """Return the addresses to connect to: those of the first one's family, in the resolver's order.

    With source addresses the family is theirs. ``keep_waiting`` is asked a few times a second meanwhile. Raises
    NameNotResolvedError, also once that says no.
    """
    if target.unix_socket is not None:
        return (Address(socket.AF_UNIX, target.unix_socket),)
    sources = target.source_addresses
    family = socket.AF_UNSPEC if not sources else socket.AF_INET6 if ":" in sources[0] else socket.AF_INET
    found = _looked_up(target, family, timeout_s, keep_waiting)
    return tuple(dict.fromkeys(address for address in found if address.family == found[0].family))


def require_address(target: Target, timeout_s: float) -> None:
    """Raise NameNotResolvedError unless the host's name has an address."""
    if target.unix_socket is None:
        _looked_up(target, socket.AF_UNSPEC, timeout_s)


def with_others(hop: ResolvedTarget, timeout_s: float) -> ResolvedTarget:
    """Return the hop with the other addresses of its host; without any where they cannot be looked up."""
    if hop.target.unix_socket is not None:
        return hop
    try:
        found = _looked_up(hop.target, hop.address.family, timeout_s)
    except SseError:
        return hop  # the streams need only the one that answered
    others = dict.fromkeys(address for address in found if address != hop.address)
    return ResolvedTarget(hop.target, hop.address, tuple(others))


def _looked_up(
    target: Target, family: socket.AddressFamily, timeout_s: float, keep_waiting: Callable[[], bool] = always
) -> list[Address]:
    host, port = target.host_and_port
    answers: SimpleQueue[list[Any] | Exception] = SimpleQueue()
    look_up_in_thread(answers.put, host, port, family, socket.SOCK_STREAM)
    answer = _awaited(answers, timeout_s, keep_waiting)
    if answer is None:
        raise NameNotResolvedError(
            f"the host name of {target.peer} was not resolved within {timeout_s:.3g} s: check the name servers"
        )
    if isinstance(answer, Exception) or not answer:
        raise NameNotResolvedError(f"the host name of {target.peer} has no address: check its spelling")
    return [Address(family, address) for family, _, _, _, address in answer]


def look_up_in_thread(report: Callable[[list[Any] | Exception], object], *question: Any) -> None:
    """Ask ``getaddrinfo`` in a thread that does not keep the process from its end; it reports the answer or error."""

    def look_up() -> None:
        try:
            answer: list[Any] | Exception = socket.getaddrinfo(*question)
        except (OSError, UnicodeError) as exc:  # UnicodeError: a label of more than 63 characters
            answer = exc
        report(answer)

    Thread(target=look_up, daemon=True).start()


def _awaited(
    answers: SimpleQueue[list[Any] | Exception], timeout_s: float, keep_waiting: Callable[[], bool]
) -> list[Any] | Exception | None:
    ends_s = monotonic() + timeout_s
    while True:
        left_s = max(ends_s - monotonic(), 0)
        with suppress(Empty):
            return answers.get(timeout=min(left_s, LOOK_UP_EVERY_S))
        if not left_s or not keep_waiting():
            return None
