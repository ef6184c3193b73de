"""One stream of an HTTP/2 connection, which carries one exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.encoded_body import EncodedBody
from sseclient_cli.engine.exchange import Exchange, Head, Phase
from sseclient_cli.engine.http2 import ClientProtocol, Incoming
from sseclient_cli.errors import SseError
from sseclient_cli.http2_errors import going_away, not_spoken
from sseclient_cli.lost_connections import closed_before_response, cut_in_response
from sseclient_cli.sse.content_coding import decoder_of


class Arrival(NamedTuple):
    """The arrival of the frames of a read."""

    arrival_ns: int
    """Arrival time of the last byte of the read (wall clock)."""
    is_fresh: bool
    """Whether all earlier data was read before."""
    data_ends: int
    """The stream whose data is the last that had arrived; 0 for none."""
    head_ends: int
    """The same for the head of a response."""


class Carrier(Protocol):
    """The connection of a channel."""

    def is_sent(self, stream: int) -> bool:
        """Return whether the whole request of a stream has been sent."""

    def keep_alive(self) -> None:
        """Let the kernel detect a peer that vanished."""

    def receive_queue_bytes(self) -> int | None:
        """Return the number of unread bytes in the socket, or None if the platform has no such call."""

    def remove(self, channel: Http2Channel) -> None:
        """Forget a channel, and reset its stream."""


class Http2Channel:
    """An exchange and its stream. It implements ``engine.exchange.Channel``."""

    __slots__ = (
        "_encoded", "_has_ended", "carrier", "exchange", "is_complete", "is_moved", "phase", "request", "requested_ns",
        "stream",
    )  # fmt: skip

    def __init__(self, request: PreparedRequest, exchange: Exchange) -> None:
        self.request, self.exchange = request, exchange
        self.carrier: Carrier | None = None
        self.stream = 0
        """The number of its stream; 0 before the request."""
        self.phase = Phase.CONNECTING
        self.requested_ns = 0
        self.is_complete = False
        self.is_moved = False
        """Whether it has waited for another connection before."""
        self._encoded: EncodedBody | None = None
        self._has_ended = False  # the last frame has arrived; encoded data may precede it

    # Called by the stream.

    def open(self, headers: Mapping[str, str]) -> bool:
        """Accept the response and start reading its body. Return whether the whole request has been sent."""
        decoder = decoder_of(headers.get("content-encoding", ""))
        self._encoded = None if decoder is None else EncodedBody(decoder)
        self.phase = Phase.OPEN
        return self.carrier is not None and self.carrier.is_sent(self.stream)

    def keep_alive(self) -> None:
        """Let the kernel detect a peer that vanished."""
        if self.carrier is not None:
            self.carrier.keep_alive()

    def receive_queue_bytes(self) -> int | None:
        """Return the number of unread bytes in the socket, which is that of other channels, too. Raises OSError."""
        return None if self.carrier is None else self.carrier.receive_queue_bytes()

    def close(self) -> None:
        """Reset the stream, unless it has ended. It may be called twice. The exchange is not called afterwards."""
        self.phase, self._encoded = Phase.CLOSED, None
        carrier, self.carrier = self.carrier, None
        if carrier is not None:
            carrier.remove(self)

    # Called by the connection.

    def end(self, cause: Exception | None) -> None:
        """Tell the exchange that the response has ended."""
        if self.phase is not Phase.CLOSED:
            self.exchange.ended(cause)

    def error_of_cut(self, protocol: ClientProtocol) -> SseError:
        """Return the error for the case that the server has closed the connection."""
        goaway, target = protocol.goaway, self.request.target
        if goaway is not None and goaway.code:
            return going_away(goaway.code, goaway.data, is_processed=True)
        if not protocol.is_ready and self.request.tls_context is None:
            return not_spoken(target.peer, answered=False)
        return cut_in_response() if self.phase is Phase.OPEN else closed_before_response("the server", target)

    def receive(self, incoming: Incoming, arrival: Arrival) -> int:
        """Handle what has arrived for this stream. Return how many bytes of it belong to the body of an open stream."""
        try:
            return self._receive(incoming, arrival)
        except Exception as exc:  # noqa: BLE001 - an error must not end the other streams
            self.end(exc)
            return 0

    def _receive(self, incoming: Incoming, arrival: Arrival) -> int:
        body, arrival_ns, counted = incoming.body, arrival.arrival_ns, 0
        if incoming.headers is not None:
            is_alone = arrival.head_ends == self.stream and not body
            self.exchange.head_received(Head(incoming.status, incoming.headers, body, arrival_ns, is_alone))
        if body and self.phase is Phase.OPEN:
            counted = len(body)
            ends = arrival.data_ends == self.stream
            if self._encoded is None:
                self.exchange.body_received(body, arrival_ns, ends=ends, is_fresh=arrival.is_fresh)
            else:
                self._encoded.feed(body, arrival_ns, ends=ends)
                self._decode(self._encoded, is_fresh=arrival.is_fresh)
        if incoming.failure is not None:
            self.end(incoming.failure)
        elif incoming.is_complete:
            self._has_ended = True
            if not self.has_more:
                self._complete()
        return counted

    @property
    def has_more(self) -> bool:
        """Whether data that has arrived still has to be decoded."""
        return self._encoded is not None and self._encoded.has_more

    def continue_decoding(self) -> None:
        """Decode more, and end with the response."""
        try:
            if self._encoded is not None:
                self._decode(self._encoded, is_fresh=False)
            if self._has_ended and not self.has_more:
                self._complete()
        except Exception as exc:  # noqa: BLE001
            self.end(exc)

    def _decode(self, encoded: EncodedBody, *, is_fresh: bool) -> None:
        for piece, ends in encoded.pieces():
            self.exchange.body_received(piece, encoded.arrival_ns, ends=ends, is_fresh=is_fresh)
            if self.phase is not Phase.OPEN:
                break

    def _complete(self) -> None:
        self.is_complete = True
        self.end(None)
