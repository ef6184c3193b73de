"""One connection: a socket, TLS where the URL has it, a request out, a response in.

It never waits: the poller calls it when its socket is ready. One readiness is one bounded read, so a stream at full
blast cannot starve the others. It carries one exchange, as HTTP/1.1 without reuse does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from time import monotonic_ns, time_ns
from typing import Protocol

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.encoded_body import EncodedBody
from sseclient_cli.engine.http1 import ResponseReader
from sseclient_cli.engine.observer import Connected
from sseclient_cli.engine.poller import READABLE, WRITABLE, Poller
from sseclient_cli.engine.reads import Reads
from sseclient_cli.engine.response_check import check_end
from sseclient_cli.engine.tcp_transport import TcpTransport
from sseclient_cli.sse.content_coding import decoder_of


class Phase(Enum):
    """Where a connection is in its life."""

    CONNECTING = "connecting"
    SECURING = "securing"
    REQUESTING = "requesting"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Head:
    """A response head as it arrived."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    """The part of the body that came in the same read."""
    arrival_ns: int
    """When the last byte of that read arrived (wall clock)."""
    is_alone: bool
    """Whether nothing but the head had arrived."""


class Exchange(Protocol):
    """A request and its response, as the connection reports them. What a method raises ends the exchange."""

    def connected(self, connected: Connected) -> bytes:
        """Return the request, which is sent now."""

    def head_received(self, head: Head) -> None:
        """Judge the response head: call ``Connection.open``, close the connection, or raise."""

    def body_received(self, body: bytes, arrival_ns: int, *, ends: bool, is_fresh: bool) -> None:
        """Take a piece of the body, decoded; its last byte arrived at ``arrival_ns`` (wall clock).

        ``ends``: it is the last byte that had arrived. ``is_fresh``: everything that arrived earlier was read before.
        """

    def ended(self, cause: Exception | None) -> None:
        """Close the connection; the response has ended as HTTP says, or by an exception."""


class Connection:
    """One socket and its exchange."""

    __slots__ = (
        "_clock", "_connected_ns", "_encoded", "_exchange", "_http", "_poller", "_reads", "_request", "_transport",
        "_was_drained", "phase", "requested_ns",
    )  # fmt: skip

    def __init__(
        self,
        request: PreparedRequest,
        transport: TcpTransport,
        exchange: Exchange,
        *,
        poller: Poller,
        clock: RunClock,
        reads: Reads,
    ) -> None:
        """Take over a transport that has begun to connect."""
        self._poller, self._clock, self._reads = poller, clock, reads
        self._request, self._transport, self._exchange = request, transport, exchange
        self._http = ResponseReader()
        self._encoded: EncodedBody | None = None
        self._connected_ns = 0
        self._was_drained = True
        self.requested_ns = 0
        """When the request was sent, or its last part so far (monotonic)."""
        self.phase = Phase.CONNECTING
        poller.watch(transport.fileno(), WRITABLE, self._advance)

    @property
    def is_complete(self) -> bool:
        """Whether the response has ended by its own framing."""
        return self._http.complete

    # Connecting.

    def _advance(self) -> None:
        """Go on, as far as the socket allows, until the request is sent."""
        try:
            if self.phase is Phase.CONNECTING:
                self._transport.finish_connect()
                self._connected_ns = monotonic_ns()
                self.phase = Phase.SECURING
            if self.phase is Phase.SECURING and self._transport.handshake():
                self._send_request()
            self._wait()
        except Exception as exc:  # noqa: BLE001 - whatever it is, the other streams go on
            self._exchange.ended(exc)

    def _send_request(self) -> None:
        is_tls = self._request.context is not None
        request = self._exchange.connected(Connected(self._connected_ns, monotonic_ns(), is_tls))
        self.requested_ns = monotonic_ns()  # before: an answer may be here before send() has returned
        self._transport.send(request)
        self.phase = Phase.REQUESTING

    def _wait(self) -> None:
        """Wait for what has to happen next."""
        is_sent = self._transport.flush()
        handler = self._advance if self.phase is Phase.SECURING else self._on_readable if is_sent else self._go_on
        # Readable from the start, not only when all is sent: a server may refuse a body before it has all of it.
        self._poller.watch(self._transport.fileno(), READABLE if is_sent else READABLE | WRITABLE, handler)

    def _go_on(self) -> None:
        """Send more of a large request, and check for an early response."""
        try:
            self.requested_ns = monotonic_ns()
            self._wait()
        except Exception as exc:  # noqa: BLE001
            self._exchange.ended(exc)
        else:
            self._on_readable()

    def open(self, headers: Mapping[str, str]) -> bool:
        """Accept the response and read its body; return whether the whole request has been sent."""
        decoder = decoder_of(headers.get("content-encoding", ""))
        is_sent = self._transport.flush()
        self._encoded = None if decoder is None else EncodedBody(decoder)
        self.phase = Phase.OPEN
        return is_sent

    # Reading.

    def _on_readable(self) -> None:
        """Read once."""
        clock = self._clock
        try:
            transport = self._transport
            data, timestamp_ns = transport.read()
            is_drained, now_ns = transport.is_drained, time_ns()
            if now_ns > clock.ends_wall_ns and clock.is_over():
                return
            http = self._http
            if not data:
                check_end(self._request, http, is_open=self.phase is Phase.OPEN)
                self._exchange.ended(None)
                return
            reads = self._reads
            if clock.trusted_since_wall_ns < timestamp_ns <= now_ns:
                reads.delay_us.append((now_ns - timestamp_ns) // 1000)
            else:
                # No kernel timestamp, or one from before a step of the clock.
                reads.without_timestamp += 1
                timestamp_ns = now_ns
            body = http.feed(data)
            if http.headers is not None and not self._open(http, body, timestamp_ns, is_alone=not body and is_drained):
                return
            if body:
                reads.body_bytes += len(body)
                # The line end of a chunk may follow the body; anything else that follows arrived later than the body.
                ends = is_drained and (data[-4:-2] == body[-2:] or data.endswith(body[-2:]))
                if self._encoded is None:
                    self._exchange.body_received(body, timestamp_ns, ends=ends, is_fresh=self._was_drained)
                else:
                    self._encoded.feed(body, timestamp_ns, ends=ends)
                    self._decode(self._encoded)
            self._was_drained = is_drained
            if not is_drained or self._encoded is not None or http.complete or http.error:
                self._after_read()
        except BlockingIOError:
            pass
        except Exception as exc:  # noqa: BLE001
            self._exchange.ended(exc)

    def _open(self, http: ResponseReader, body: bytes, arrival_ns: int, *, is_alone: bool) -> bool:
        """Hand over the response head; return whether the exchange goes on here, and not behind a redirect."""
        head = Head(http.status, http.headers or {}, body, arrival_ns, is_alone)
        http.headers = None  # they are most of what an idle stream would hold
        self._exchange.head_received(head)
        return self.phase is Phase.OPEN

    def _decode(self, encoded: EncodedBody) -> None:
        """Take what is decoded in this turn; the next turns bring the rest."""
        for piece, ends in encoded.pieces():
            self._exchange.body_received(piece, encoded.arrival_ns, ends=ends, is_fresh=self._was_drained)
            if self.phase is not Phase.OPEN:
                break

    def _decode_on(self) -> None:
        """Go on where the last turn stopped."""
        try:
            if time_ns() > self._clock.ends_wall_ns and self._clock.is_over():
                return
            self._poller.watch(self._transport.fileno(), READABLE, self._on_readable)
            if self._encoded is not None:
                self._decode(self._encoded)
            self._after_read()
        except Exception as exc:  # noqa: BLE001
            self._exchange.ended(exc)

    def _after_read(self) -> None:
        """Do what follows at once: decode more, end with the response, or read more."""
        if self.phase is Phase.CLOSED:
            return
        http = self._http
        if self._encoded is not None and self._encoded.has_more:
            # Nothing is read meanwhile: memory is bounded, and the end of the response comes after this. Neither the
            # pieces to come nor the next read can be bounded by the loop's last look at the socket.
            self._was_drained = False
            self._poller.pause(self._transport.fileno(), self._decode_on)
        elif http.complete or http.error:
            self._exchange.ended(http.error)
        elif not self._was_drained:
            self._poller.has_more = True

    # The socket.

    def keep_alive(self) -> None:
        """Let the kernel detect a peer that vanished."""
        self._transport.keep_alive()

    def receive_queue_bytes(self) -> int | None:
        """Return how many bytes lie unread in the socket; None where the system does not say. Raises OSError."""
        return self._transport.receive_queue_bytes()

    def close(self) -> None:
        """Close the socket; may be called twice. No call of the exchange follows."""
        if self.phase is Phase.CLOSED:
            return
        self._poller.forget(self._transport.fileno())
        self._transport.close()
        self._encoded = None
        self.phase = Phase.CLOSED
