"""One HTTP/2 connection, which carries many exchanges, each in a stream.

Like ``Connection``, it never blocks, and does one bounded read per call. The first requests wait for the server's
SETTINGS, which limit the number of streams (RFC 9113 6.5.2). A connection without streams closes.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from time import monotonic_ns
from typing import Protocol

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.encoded_body import TURN_NS
from sseclient_cli.engine.exchange import Phase
from sseclient_cli.engine.http2 import ClientProtocol, Goaway
from sseclient_cli.engine.http2_channel import Arrival, Http2Channel
from sseclient_cli.engine.http2_socket import Http2Socket, SocketRead
from sseclient_cli.engine.observer import Connected
from sseclient_cli.engine.poller import Poller
from sseclient_cli.engine.reads import Reads
from sseclient_cli.engine.tcp_transport import TcpTransport
from sseclient_cli.http2_errors import going_away


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
        "_channels", "_is_handling", "_is_measured", "_owner", "_protocol", "_reads", "_socket", "_undecoded",
        "_waiting", "phase", "request",
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
        self._owner, self._reads = owner, reads
        self._protocol = ClientProtocol(request.target.http_scheme)
        self._channels: dict[int, Http2Channel] = {}
        """The channels that have sent their requests, by stream."""
        self._waiting: deque[Http2Channel] = deque()
        self._undecoded: deque[Http2Channel] = deque()
        """The channels with data to decode. Reading is paused meanwhile, which bounds memory."""
        self._is_measured = False  # whether a channel has reported the time to connect
        self._is_handling = False
        self.phase = Phase.CONNECTING
        """REQUESTING from the handshake to the server's SETTINGS, then OPEN."""
        self._socket = Http2Socket(
            transport, request.target.peer, self._on_ready, poller=poller, clock=clock, reads=reads
        )

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
        return self._socket.flush() and self._protocol.is_sent(stream)

    def keep_alive(self) -> None:
        """Let the kernel detect a peer that vanished."""
        self._socket.keep_alive()

    def receive_queue_bytes(self) -> int | None:
        """Return the number of unread bytes in the socket, or None if the platform has no such call. Raises OSError."""
        return self._socket.receive_queue_bytes()

    # Called by the poller.

    def _on_ready(self) -> None:
        """Connect, read and send as far as the socket allows."""
        self._is_handling = True
        try:
            if self._socket.ready_ns:
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
        if self.phase is Phase.CONNECTING:
            self._socket.finish_connect()
            self.phase = Phase.SECURING
            for channel in self._waiting:
                channel.phase = Phase.SECURING
        if self._socket.secure():
            self.phase = Phase.REQUESTING
            self._read()  # with TLS 1.3, SETTINGS may have arrived together with the end of the handshake

    def _settle(self) -> None:
        """Send what the protocol has to send, and wait for the next step. Without channels, close."""
        if self.phase is Phase.CLOSED:
            return
        if not self.size:
            self._close()
            return
        if self._socket.ready_ns:
            self._socket.send(self._protocol.take_outgoing())
        self._socket.flush()
        self._watch()

    def _watch(self) -> None:
        """Wait for the next step of the socket, unless reading is paused."""
        if not self._undecoded:
            has_requests = self.phase is Phase.OPEN and bool(self._waiting)
            self._socket.watch(is_connecting=self.phase is Phase.CONNECTING, has_requests=has_requests)

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
        connected = Connected(self._socket.connected_ns, self._socket.ready_ns, is_tls)
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
        self._socket.send(protocol.take_outgoing())

    # Reading.

    def _read(self) -> None:
        """Read once and handle the data."""
        read = self._socket.read()
        if read is None:
            return
        if read.data:
            self._handle(read)
        else:
            self._end([(channel, channel.error_of_cut(self._protocol)) for channel in self._all()])

    def _handle(self, read: SocketRead) -> None:
        protocol, is_drained = self._protocol, read.is_drained
        arrived = protocol.feed(read.data)
        self._socket.answer(protocol.take_outgoing())
        arrival = Arrival(
            read.arrival_ns,
            read.is_fresh,
            data_ends=protocol.data_ends if is_drained else 0,
            head_ends=protocol.head_ends if is_drained else 0,
        )
        for stream, incoming in arrived.items():
            channel = self._channels.get(stream)
            if channel is not None:
                self._reads.body_bytes += channel.receive(incoming, arrival)
                if channel.has_more:
                    self._undecoded.append(channel)
        if protocol.violation is not None:
            raise protocol.violation
        if self.phase is Phase.REQUESTING and protocol.is_ready:
            self.phase = Phase.OPEN
            self._owner.settings_received(self)
        for stream in protocol.send_bodies():
            self._channels[stream].requested_ns = monotonic_ns()
        if protocol.goaway is not None:
            self._go_away(protocol.goaway)
        if self._undecoded:
            # Read no more until everything is decoded: the ends of responses follow their data.
            self._socket.pause(self._continue_decoding)
        elif not is_drained:
            self._socket.read_on()

    def _continue_decoding(self) -> None:
        """Decode more, for about TURN_NS. The poller calls this in the next turn."""
        if self._socket.is_over():
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
            self._socket.pause(self._continue_decoding)
        try:
            self._settle()
        except OSError as exc:
            self._fail(exc)  # reading is paused, so no read would report it

    # The end.

    def _all(self) -> list[Http2Channel]:
        return [*self._channels.values(), *self._waiting]

    def _go_away(self, goaway: Goaway) -> None:
        """End the streams that the server has not processed, and let the others go on (RFC 9113 6.8).

        A waiting channel that another connection has left out already ends, too: each next one might do so.
        """
        error = going_away(goaway.code, goaway.data, is_processed=False)
        if not self._protocol.is_ready:
            raise error  # no request has been sent
        left_out = [channel for stream, channel in self._channels.items() if stream > goaway.last_stream]
        for channel in [*left_out, *(each for each in self._waiting if each.is_moved)]:
            channel.end(error)

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
        if self._socket.ready_ns:
            self._protocol.close()
            with suppress(OSError):
                self._socket.send(self._protocol.take_outgoing())
        self.phase = Phase.CLOSED
        self._socket.close()
        self._owner.closed(self)
