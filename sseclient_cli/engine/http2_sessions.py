"""The HTTP/2 connections of a worker: chooses the one that carries an exchange.

A connection takes up to ``streams_per_connection`` streams, or fewer if the server's SETTINGS say so. If none has a
free place, another one is opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.connector import Connector, PreparedRequest, Turn
from sseclient_cli.engine.exchange import Exchange
from sseclient_cli.engine.http2_channel import Http2Channel
from sseclient_cli.engine.http2_session import Http2Session
from sseclient_cli.engine.poller import Poller
from sseclient_cli.engine.reads import Reads
from sseclient_cli.http2_errors import no_streams

MAX_SETTING = 2**32 - 1
"""The largest value of a setting (RFC 9113 6.5.1)."""

Place = Iterator[Turn]
"""The addresses of a place, which its requests share (``PreparedRequest.turns``)."""


class Http2Sessions:
    """The connections to all places. It implements ``http2_session.Owner``."""

    def __init__(
        self, connector: Connector, poller: Poller, clock: RunClock, reads: Reads, *, streams_per_connection: int
    ) -> None:
        self._connector, self._poller, self._clock, self._reads = connector, poller, clock, reads
        self._streams_per_connection = streams_per_connection
        self._sessions: defaultdict[Place, list[Http2Session]] = defaultdict(list)
        self._limits: dict[Place, int] = {}
        """The limit that the last connection to a place has received."""
        self.least_limit: int | None = None
        """The lowest SETTINGS_MAX_CONCURRENT_STREAMS of all connections; None before the first."""

    def channel(self, request: PreparedRequest, exchange: Exchange) -> Http2Channel:
        """Return a channel for an exchange. Raises ConnectError or LimitError."""
        channel = Http2Channel(request, exchange)
        self._session_for(request).add(channel)
        return channel

    def _session_for(self, request: PreparedRequest) -> Http2Session:
        sessions = self._sessions[request.turns]
        most = min(self._streams_per_connection, self._limits.get(request.turns, self._streams_per_connection))
        # The newest connection is the one with free places, unless streams have ended.
        for session in reversed(sessions):
            if session.takes_more and session.size < min(most, session.most_streams):
                return session
        session = Http2Session(
            request,
            self._connector.connect(request),
            self,
            poller=self._poller,
            clock=self._clock,
            reads=self._reads,
        )
        sessions.append(session)
        return session

    # Called by the connections.

    def move(self, channels: list[Http2Channel]) -> None:
        """Find other connections for channels whose requests this connection cannot send."""
        for channel in channels:
            channel.carrier, channel.is_moved = None, True
            if self._limits.get(channel.request.turns) == 0:
                channel.end(no_streams())
                continue
            try:
                self._session_for(channel.request).add(channel)
            except Exception as exc:  # noqa: BLE001 - an error must not end the other streams
                channel.end(exc)

    def settings_received(self, session: Http2Session) -> None:
        """Note the server's limit of streams, for this connection and the next ones."""
        limit = self._limits[session.request.turns] = session.most_streams
        if limit <= MAX_SETTING:  # otherwise the server sets none
            self.least_limit = limit if self.least_limit is None else min(self.least_limit, limit)

    def closed(self, session: Http2Session) -> None:
        """Forget a connection."""
        self._sessions[session.request.turns].remove(session)
