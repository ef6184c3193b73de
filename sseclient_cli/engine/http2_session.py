"""One HTTP/2 connection, which carries many exchanges, each in a stream.

Like ``Connection``, it never blocks, and does one bounded read per call. The first requests wait for the server's
SETTINGS, which limit the number of streams (RFC 9113 6.5.2). A connection without streams closes.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from time import monotonic_ns, time_ns
from typing import Protocol

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.encoded_body import TURN_NS
from sseclient_cli.engine.exchange import Phase
from sseclient_cli.engine.http2 import ClientProtocol, Goaway
from sseclient_cli.engine.http2_channel import Arrival, Http2Channel
from sseclient_cli.engine.observer import Connected
from sseclient_cli.engine.poller import NOTHING, READABLE, WRITABLE, Poller
from sseclient_cli.engine.reads import Reads
from sseclient_cli.engine.tcp_transport import TcpTransport
from sseclient_cli.errors import SseError, TlsError
from sseclient_cli.http2_errors import going_away, not_chosen, not_spoken
from sseclient_cli.lost_connections import closed_before_response, cut_in_response

PROTOCOL = "h2"
"""The name of HTTP/2 in the TLS handshake (RFC 9113 3.2)."""

NOT_OFFERED = "no-http1"
"""The code of a TLS error for a server without any of the offered protocols (``request/tls.py``)."""


class Owner(Protocol):
    """Chooses the connection of each channel."""

    def move(self, channels: list[Http2Channel]) -> None:
        """Find other connections for channels whose requests this connection cannot send."""

    def settings_received(self, session: Http2Session) -> None:
        """Note the limits of the server."""

    def closed(self, session: Http2Session) -> None:
        """Forget a connection."""


class Http2Session:
    """A socket and its channels. It implements ``Carrier``."""

    __slots__ = (
        "_channels", "_clock", "_connected_ns", "_has_keep_alive", "_interest", "_is_blocked", "_is_handling",
        "_is_measured", "_owner", "_poller", "_protocol", "_reads", "_ready_ns", "_transport", "_undecoded",
        "_waiting", "_was_drained", "phase", "request",
    )  # fmt: skip

    def __init__(
        self,
        request: PreparedRequest,
        transport: TcpTransport,
        owner: Owner,
        *,
        poller: Poller,
        clock: RunClock,
        reads: Reads,
    ) -> None:
        """Use a transport that has begun to connect; ``request`` is any of those to its place."""
        self.request = request
        self._transport, self._owner = transport, owner
        self._poller, self._clock, self._reads = poller, clock, reads
        self._protocol = ClientProtocol(request.target.http_scheme)
        self._channels: dict[int, Http2Channel] = {}
        """The channels that have sent their requests, by stream."""
        self._waiting: deque[Http2Channel] = deque()
        self._undecoded: deque[Http2Channel] = deque()
        """The channels with data to decode. Reading is paused meanwhile, which bounds memory."""
        self._connected_ns = self._ready_ns = 0
        self._is_measured = False  # whether a channel has reported the time to connect
        self._is_handling = False
        self._is_blocked = False  # the socket accepts no more bytes
        self._was_drained = True
        self._has_keep_alive = False
        self._interest = WRITABLE
        self.phase = Phase.CONNECTING
        """REQUESTING from the handshake to the server's SETTINGS, then OPEN."""
        try:
            poller.watch(transport.fileno(), WRITABLE, self._on_ready)
        except OSError:
            transport.close()
            raise

    # Channels.

    @property
    def most_streams(self) -> int:
        """The server's limit of concurrent streams."""
        return self._protocol.most_streams

    @property
    def size(self) -> int:
        """The number of its channels."""
        return len(self._channels) + len(self._waiting)

    @property
    def takes_more(self) -> bool:
        """Whether the connection is not about to close."""
        return self.phase is not Phase.CLOSED and self._protocol.goaway is None

    def add(self, channel: Http2Channel) -> None:
        """Carry a channel. Its request is sent in another turn of the loop."""
        channel.carrier = self
        channel.phase = Phase.CONNECTING if self.phase is Phase.CONNECTING else Phase.SECURING
        self._waiting.append(channel)
        self._watch()

    def remove(self, channel: Http2Channel) -> None:
        """Forget a channel, and reset its stream if it has not ended. Without channels, the connection closes."""
        if not channel.stream:
            with suppress(ValueError):
                self._waiting.remove(channel)
        elif self._channels.pop(channel.stream, None) is not None and not (
            channel.is_complete and self._protocol.is_sent(channel.stream)
        ):
            self._protocol.cancel(channel.stream)
        if not self._is_handling:
            with suppress(OSError):  # the next read reports the broken connection
                self._settle()

    def is_sent(self, stream: int) -> bool:
        """Return whether the whole request of a stream has been sent. Raises OSError."""
        return self._transport.flush() and self._protocol.is_sent(stream)

    def keep_alive(self) -> None:
        """Let the kernel detect a peer that vanished."""
        if not self._has_keep_alive:
            self._transport.keep_alive()
            self._has_keep_alive = True

    def receive_queue_bytes(self) -> int | None:
        """Return the number of unread bytes in the socket, or None if the platform has no such call. Raises OSError."""
        return self._transport.receive_queue_bytes()

    # Called by the poller.

    def _on_ready(self) -> None:
        """Connect, read and send as far as the socket allows."""
        self._is_handling = True
        try:
            if self._ready_ns:
                self._read()
            else:
                self._connect()
            if self.phase is Phase.OPEN:
                self._send_requests()
            self._settle()
        except Exception as exc:  # noqa: BLE001 - an error must not end the other connections
            self._fail(exc)
        finally:
            self._is_handling = False

    def _connect(self) -> None:
        """Connect, and do the TLS handshake. The preface follows in ``_settle``."""
        transport = self._transport
        if self.phase is Phase.CONNECTING:
            transport.finish_connect()
            self._connected_ns = monotonic_ns()
            self.phase = Phase.SECURING
            for channel in self._waiting:
                channel.phase = Phase.SECURING
        peer = self.request.target.peer
        try:
            is_secure = transport.handshake()
        except TlsError as exc:
            raise (not_chosen(peer) if exc.code == NOT_OFFERED else exc) from exc
        if is_secure:
            if not transport.speaks(PROTOCOL):
                raise not_chosen(peer)
            self._ready_ns = monotonic_ns()
            self.phase = Phase.REQUESTING
            self._read()  # with TLS 1.3, SETTINGS may have arrived together with the end of the handshake

    def _settle(self) -> None:
        """Send what the protocol has to send, and wait for the next step. Without channels, close."""
        if self.phase is Phase.CLOSED:
            return
        if not self.size:
            self._close()
            return
        if self._ready_ns:
            self._transport.send(self._protocol.take_outgoing())
        self._is_blocked = not self._transport.flush()
        self._watch()

    def _watch(self) -> None:
        """Watch the socket for the next step. Requests wait until it is writable."""
        if self._undecoded:
            return
        has_requests = self.phase is Phase.OPEN and self._waiting
        interest = READABLE | WRITABLE if self._is_blocked or has_requests else READABLE
        if self.phase is Phase.CONNECTING:
            interest = WRITABLE
        if interest != self._interest:
            self._interest = interest
            self._poller.watch(self._transport.fileno(), interest, self._on_ready)

    # Sending.

    def _send_requests(self) -> None:
        """Send the requests that the server allows. The others need another connection."""
        waiting = self._waiting
        while waiting and self.takes_more and len(self._channels) < self._protocol.most_streams:
            self._send_request(waiting[0])
        if waiting:
            self._waiting = deque()
            self._owner.move(list(waiting))

    def _send_request(self, channel: Http2Channel) -> None:
        protocol, is_tls = self._protocol, self.request.tls_context is not None
        connected = Connected(self._connected_ns, self._ready_ns, is_tls)
        if self._is_measured or channel.is_moved:
            now_ns = monotonic_ns()
            connected = Connected(now_ns, now_ns, is_tls, is_reused=True)
        self._is_measured = True
        try:
            channel.stream = protocol.request(channel.exchange.connected(connected))
        except Exception as exc:  # noqa: BLE001 - an error in a request must not end the other streams
            channel.end(exc)
            return
        self._waiting.popleft()
        self._channels[channel.stream] = channel
        channel.phase = Phase.REQUESTING
        channel.requested_ns = monotonic_ns()  # before send(): the response may arrive before send() returns
        self._transport.send(protocol.take_outgoing())

    # Reading.

    def _read(self) -> None:
        """Read once and handle the data."""
        clock, reads = self._clock, self._reads
        try:
            data, timestamp_ns = self._transport.read()
        except BlockingIOError:
            return
        now_ns = time_ns()
        if now_ns > clock.ends_wall_ns and clock.is_over():
            return
        if not data:
            self._end([(channel, self._cut(channel)) for channel in self._all()])
            return
        if clock.trusted_since_wall_ns < timestamp_ns <= now_ns:
            reads.delay_us.append((now_ns - timestamp_ns) // 1000)
        else:
            # No kernel timestamp, or one that precedes a clock step.
            reads.without_timestamp += 1
            timestamp_ns = now_ns
        self._handle(data, timestamp_ns)

    def _handle(self, data: bytes, arrival_ns: int) -> None:
        protocol, is_drained = self._protocol, self._transport.is_drained
        arrived = protocol.feed(data)
        arrival = Arrival(
            arrival_ns,
            self._was_drained,
            data_ends=protocol.data_ends if is_drained else 0,
            head_ends=protocol.head_ends if is_drained else 0,
        )
        self._was_drained = is_drained
        for stream, incoming in arrived.items():
            channel = self._channels.get(stream)
            if channel is not None:
                self._reads.body_bytes += channel.receive(incoming, arrival)
                if channel.has_more:
                    self._undecoded.append(channel)
        if self.phase is Phase.REQUESTING and protocol.is_ready:
            self.phase = Phase.OPEN
            self._owner.settings_received(self)
        for stream in protocol.send_bodies():
            self._channels[stream].requested_ns = monotonic_ns()
        if protocol.goaway is not None:
            self._go_away(protocol.goaway)
        if self._undecoded:
            self._pause()
        elif not is_drained:
            self._poller.has_more = True

    def _pause(self) -> None:
        """Read no more until everything is decoded: the ends of responses follow their data."""
        # The loop's last poll does not bound the arrival time of later pieces or of the next read.
        self._was_drained = False
        self._interest = NOTHING
        self._poller.pause(self._transport.fileno(), self._continue_decoding)

    def _continue_decoding(self) -> None:
        """Decode more, for about TURN_NS. The poller calls this in the next turn."""
        if time_ns() > self._clock.ends_wall_ns and self._clock.is_over():
            return
        self._is_handling = True
        until_ns = monotonic_ns() + TURN_NS
        while self._undecoded and monotonic_ns() < until_ns:
            channel = self._undecoded.popleft()
            channel.continue_decoding()
            if channel.has_more:
                self._undecoded.append(channel)
        self._is_handling = False
        if self._undecoded:
            self._pause()
        with suppress(OSError):
            self._settle()

    # The end.

    def _all(self) -> list[Http2Channel]:
        return [*self._channels.values(), *self._waiting]

    def _go_away(self, goaway: Goaway) -> None:
        """End the streams that the server has not processed, and let the others go on (RFC 9113 6.8)."""
        error = going_away(goaway.code, goaway.data, is_processed=False)
        for stream, channel in list(self._channels.items()):
            if stream > goaway.last_stream:
                channel.end(error)

    def _cut(self, channel: Http2Channel) -> SseError:
        """Return the error for a channel whose connection the server has closed."""
        goaway, target = self._protocol.goaway, self.request.target
        if goaway is not None and goaway.code:
            return going_away(goaway.code, goaway.data, is_processed=True)
        if not self._protocol.is_ready and self.request.tls_context is None:
            return not_spoken(target.peer, answered=False)
        return cut_in_response() if channel.phase is Phase.OPEN else closed_before_response("the server", target)

    def _fail(self, cause: Exception) -> None:
        """End all exchanges with the same error."""
        self._end([(channel, cause) for channel in self._all()])

    def _end(self, causes: list[tuple[Http2Channel, Exception]]) -> None:
        self._close()
        for channel, cause in causes:
            channel.end(cause)

    def _close(self) -> None:
        if self.phase is Phase.CLOSED:
            return
        if self._ready_ns:
            self._protocol.close()
            with suppress(OSError):
                self._transport.send(self._protocol.take_outgoing())
        self.phase = Phase.CLOSED
        self._poller.forget(self._transport.fileno())
        self._transport.close()
        self._owner.closed(self)
