"""Parse the local addresses to connect from, as typed on a command line; check each with ``bind``."""

from __future__ import annotations

import ipaddress
import socket

from sseclient_cli.errors import UsageError


def parse_source_addresses(text: str, *, on_this_machine: bool = True) -> tuple[str, ...]:
    """Parse ``10.0.0.5,10.0.0.6``. Raises UsageError unless all are addresses of one family, and of this machine.

    Without ``on_this_machine`` they may be addresses of any machine.
    """
    addresses = tuple(part.strip() for part in text.split(","))
    versions = set()
    for address in addresses:
        try:
            versions.add(ipaddress.ip_address(address).version)
        except ValueError as exc:
            example = "write `source_address` like 10.0.0.5,10.0.0.6"
            raise UsageError(f"{address!r} is not an IP address: {example}", arguments=["source_address"]) from exc
    if len(versions) > 1:
        raise UsageError(
            "`source_address` mixes IPv4 and IPv6: give addresses of one kind", arguments=["source_address"]
        )
    for address in addresses if on_this_machine else ():
        _require_own(address)
    return addresses


def is_own(address: str) -> bool:
    """Return whether this machine can connect from an address."""
    try:
        _bind(address)
    except OSError:
        return False
    return True


def _require_own(address: str) -> None:
    try:
        _bind(address)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise UsageError(
            f"cannot connect from `source_address` {address} ({reason}): use an address of this machine",
            arguments=["source_address"],
        ) from exc


def _bind(address: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
