"""The way of every connection of a run, as the preflight found it: no name is resolved twice, redirects included."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle

from sseclient_cli.errors import BadStatusError
from sseclient_cli.load.http1 import request_bytes
from sseclient_cli.load.wire import TlsWire, Wire
from sseclient_cli.redirection import redirected
from sseclient_cli.target import Hop, Target


@dataclass(frozen=True, slots=True)
class Leg:
    """One request of the way, ready to be made many times: where to connect, and what to send."""

    hop: Hop
    context: ssl.SSLContext | None
    """None without TLS."""
    request: bytes

    def request_after(self, last_event_id: bytes | None) -> bytes:
        """Return the request of a connection that goes on after an event."""
        if last_event_id is None:
            return self.request
        head, end, body = self.request.partition(b"\r\n\r\n")
        return b"%b\r\nLast-Event-ID: %b%b%b" % (head, last_event_id, end, body)


class Route:
    """Makes connections for the legs of a route, from the source addresses by turns."""

    def __init__(self, hops: tuple[Hop, ...]) -> None:
        self._addresses = {hop.target.origin: hop.address for hop in hops}
        self._legs: dict[Target, Leg] = {}
        for hop in hops:
            self._legs[hop.target] = _leg(hop)
        self.first = self._legs[hops[0].target]
        """Where every connection begins."""
        self.last_event_id = hops[0].target.last_event_id
        """What every stream goes on after, before it has an id of its own."""
        self._sources = cycle(hops[0].target.source_addresses or (None,))

    def connect(self, leg: Leg) -> Wire:
        """Begin to connect. Raises ConnectError or LimitError."""
        source = next(self._sources)
        if leg.context is None:
            return Wire(leg.hop.address, source)
        return TlsWire(leg.hop.address, source, leg.context, leg.hop.target.parsed_url.raw_host.decode("ascii"))

    def leg_after(self, leg: Leg, status: int, headers: Mapping[str, str]) -> Leg:
        """Return where a redirect leads. Raises BadStatusError if the preflight has not been at that server."""
        target = redirected(leg.hop.target, status, headers)
        known = self._legs.get(target)
        if known is not None:
            return known
        address = self._addresses.get(target.origin)
        if address is None:
            raise BadStatusError(
                f"a stream was redirected ({status}) to {target.parsed_url.netloc.decode('ascii')!a}, where the first "
                "request was not: give the URL behind the redirect",
                status=status,
                headers=headers,
            )
        return _leg(Hop(target, address))


def _leg(hop: Hop) -> Leg:
    target = hop.target
    context = target.tls.context() if target.parsed_url.scheme == "https" else None
    return Leg(hop, context, request_bytes(target))
