"""Resolve the host of a target within a time limit.

``getaddrinfo`` cannot be interrupted and may take half a minute (resolv.conf: 2 attempts of 5 s per name server). It
therefore runs in a daemon thread, which is abandoned at the time limit.
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
"""The interval between two calls of ``keep_waiting``: a run must end within 0.5 s of its duration or of Ctrl-C."""


def always() -> bool:
    """Wait as long as the time limit allows."""
    return True


def resolve(target: Target, timeout_s: float, keep_waiting: Callable[[], bool] = always) -> tuple[Address, ...]:
    """Return the addresses to connect to, in the resolver's order: only those of the first one's family.

    With source addresses, their family is used. ``keep_waiting`` is called a few times per second. Raises
    NameNotResolvedError, also when ``keep_waiting`` returns False.
    """
    if target.unix_socket is not None:
        return (Address(socket.AF_UNIX, target.unix_socket),)
    sources = target.source_addresses
    family = socket.AF_UNSPEC if not sources else socket.AF_INET6 if ":" in sources[0] else socket.AF_INET
    found = _looked_up(target, family, timeout_s, keep_waiting)
    return tuple(dict.fromkeys(address for address in found if address.family == found[0].family))


def resolved(target: Target, timeout_s: float) -> ResolvedTarget:
    """Return a target with its addresses. Raises NameNotResolvedError."""
    first, *others = resolve(target, timeout_s)
    return ResolvedTarget(target, first, tuple(others))


def require_address(target: Target, timeout_s: float) -> None:
    """Raise NameNotResolvedError unless the host name has an address."""
    if target.unix_socket is None:
        _looked_up(target, socket.AF_UNSPEC, timeout_s)


def with_others(resolved: ResolvedTarget, timeout_s: float) -> ResolvedTarget:
    """Add the other addresses of the host, if the lookup succeeds."""
    if resolved.target.unix_socket is not None:
        return resolved
    try:
        found = _looked_up(resolved.target, resolved.address.family, timeout_s)
    except SseError:
        return resolved  # the address that answered is sufficient
    others = dict.fromkeys(address for address in found if address != resolved.address)
    return ResolvedTarget(resolved.target, resolved.address, tuple(others))


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
    """Call ``getaddrinfo`` in a daemon thread, which passes the answer or the error to ``report``."""

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
