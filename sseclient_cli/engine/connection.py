"""One connection: connect, do the TLS handshake for an https URL, send one request, read one response.

It never blocks: the poller calls it when the socket is ready. Each call does one bounded read, so a fast stream cannot
starve the others. A connection carries one exchange; it is never reused.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic_ns, time_ns

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.encoded_body import EncodedBody
from sseclient_cli.engine.exchange import Exchange, Head, Phase
from sseclient_cli.engine.http1 import ResponseReader
from sseclient_cli.engine.observer import Connected
from sseclient_cli.engine.poller import READABLE, WRITABLE, Poller
from sseclient_cli.engine.reads import Reads
from sseclient_cli.engine.response_check import check_end
from sseclient_cli.engine.tcp_transport import TcpTransport
from sseclient_cli.sse.content_coding import decoder_of


class Connection:
    """A socket and its exchange. It implements ``Channel``."""

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
        """Use a transport that has begun to connect."""
        self._poller, self._clock, self._reads = poller, clock, reads
        self._request, self._transport, self._exchange = request, transport, exchange
        self._http = ResponseReader(accepts_switch=request.target.is_websocket)
        self._encoded: EncodedBody | None = None
        self._connected_ns = 0
        self._was_drained = True
        self.requested_ns = 0
        """Time of the last send of a part of the request (monotonic)."""
        self.phase = Phase.CONNECTING
        try:
            poller.watch(transport.fileno(), WRITABLE, self._advance)
        except OSError:
            transport.close()
            raise

    @property
    def is_complete(self) -> bool:
        """Whether the response is complete by its own framing, or by ``complete``."""
        return self._http.complete

    # Connecting.

    def _advance(self) -> None:
        """Connect, do the TLS handshake and send the request, as far as the socket allows."""
        try:
            if self.phase is Phase.CONNECTING:
                self._transport.finish_connect()
                self._connected_ns = monotonic_ns()
                self.phase = Phase.SECURING
            if self.phase is Phase.SECURING and self._transport.handshake():
                self._send_request()
            self._wait()
        except Exception as exc:  # noqa: BLE001 - an error must not end the other streams
            self._exchange.ended(exc)

    def _send_request(self) -> None:
        is_tls = self._request.tls_context is not None
        request = self._exchange.connected(Connected(self._connected_ns, monotonic_ns(), is_tls))
        self.requested_ns = monotonic_ns()  # before send(): the response may arrive before send() returns
        self._transport.send(request)
        self.phase = Phase.REQUESTING

    def _wait(self) -> None:
        """Watch the socket for the next step."""
        is_sent = self._transport.flush()
        handler = self._advance if self.phase is Phase.SECURING else self._on_readable if is_sent else self._send_more
        # Watch for reads before the whole request is sent: a server may reject a large body early.
        self._poller.watch(self._transport.fileno(), READABLE if is_sent else READABLE | WRITABLE, handler)

    def _send_more(self) -> None:
        """Send more of a large request, and check for an early response."""
        try:
            self.requested_ns = monotonic_ns()
            self._wait()
        except Exception as exc:  # noqa: BLE001
            self._exchange.ended(exc)
        else:
            self._on_readable()

    def open(self, headers: Mapping[str, str]) -> bool:
        """Accept the response and start reading its body. Return whether the whole request has been sent."""
        decoder = decoder_of(headers.get("content-encoding", ""))
        is_sent = self._transport.flush()
        self._encoded = None if decoder is None else EncodedBody(decoder)
        self.phase = Phase.OPEN
        return is_sent

    # After a switch of the protocol.

    def switch(self, exchange: Exchange) -> None:
        """Call another exchange from now on."""
        self._exchange = exchange

    @property
    def is_sent(self) -> bool:
        """Whether everything has been sent. Raises OSError."""
        return self._transport.flush()

    def send(self, data: bytes) -> None:
        """Send bytes as soon as the socket accepts them. Raises OSError."""
        self._transport.send(data)
        self._wait()

    def complete(self) -> None:
        """Take the end of the connection as a proper end."""
        self._http.complete = True

    # Reading.

    def _on_readable(self) -> None:
        """Read once and handle the data."""
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
            timestamp_ns = reads.arrival_ns(timestamp_ns, now_ns, clock)
            body = http.feed(data)
            if http.headers is not None and not self._open(http, body, timestamp_ns, is_alone=not body and is_drained):
                return
            if body:
                reads.body_bytes += len(body)
                # Only the CRLF of a chunk may follow the body. Other data after the body arrived later.
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
        """Pass the response head to the exchange. Return whether this connection carries the body (no redirect)."""
        head = Head(http.status, http.headers or {}, body, arrival_ns, is_alone)
        http.headers = None  # free them: they are most of the memory of an idle stream
        self._exchange.head_received(head)
        return self.phase is Phase.OPEN

    def _decode(self, encoded: EncodedBody) -> None:
        """Handle the pieces that are decoded in this turn. The next turns decode the rest."""
        for piece, ends in encoded.pieces():
            self._exchange.body_received(piece, encoded.arrival_ns, ends=ends, is_fresh=self._was_drained)
            if self.phase is not Phase.OPEN:
                break

    def _continue_decoding(self) -> None:
        """Continue decoding. The poller calls this in the next turn."""
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
        """Decode more in the next turn, end with the response, or read more."""
        if self.phase is Phase.CLOSED:
            return
        http = self._http
        if self._encoded is not None and self._encoded.has_more:
            # Pause reading: this bounds memory, and the end of the response is handled after the decoded data. The
            # loop's last poll no longer bounds the arrival time of later pieces or of the next read.
            self._was_drained = False
            self._poller.pause(self._transport.fileno(), self._continue_decoding)
        elif http.complete or http.error:
            self._exchange.ended(http.error)
        elif not self._was_drained:
            self._poller.has_more = True

    # The socket.

    def keep_alive(self) -> None:
        """Let the kernel detect a peer that vanished."""
        self._transport.keep_alive()

    def receive_queue_bytes(self) -> int | None:
        """Return the number of unread bytes in the socket, or None if the platform has no such call. Raises OSError."""
        return self._transport.receive_queue_bytes()

    def release(self) -> TcpTransport:
        """Return the open socket, which another handler takes over. The exchange is not called afterwards."""
        self._poller.unpause(self._transport.fileno())
        self._encoded = None
        self.phase = Phase.CLOSED
        return self._transport

    def close(self) -> None:
        """Close the socket. It may be called twice. The exchange is not called afterwards."""
        if self.phase is Phase.CLOSED:
            return
        self._poller.forget(self._transport.fileno())
        self._transport.close()
        self._encoded = None
        self.phase = Phase.CLOSED
