"""One measured stream: wire + HTTP + parser -> events for its meter.

It never waits: the poller calls it when its socket is ready. One readiness is one bounded read, so that a stream at
full blast cannot starve the others. A stream outlives its connections: connected again, it goes on with its last event
ID and its audit.
"""

from __future__ import annotations

from enum import Enum
from time import monotonic_ns, time_ns
from typing import Protocol

from sseclient_cli.errors import ConnectionLostError, InvalidResponseError, SseError
from sseclient_cli.load.bench import Bench
from sseclient_cli.load.failures import as_ours, check_response
from sseclient_cli.load.http1 import ResponseReader
from sseclient_cli.load.meter import Meter
from sseclient_cli.load.poller import READABLE, WRITABLE
from sseclient_cli.load.route import Leg
from sseclient_cli.load.wire import Wire
from sseclient_cli.protocol.content_coding import ContentDecoder, decoder_of
from sseclient_cli.protocol.event_stream import EventStreamParser
from sseclient_cli.protocol.reconnection import Reconnection
from sseclient_cli.redirection import MAX_REDIRECTS, REDIRECT_STATUSES, too_many_redirects


class Phase(Enum):
    """Where a stream is in its life."""

    CONNECTING = "connecting"
    SECURING = "securing"
    REQUESTING = "requesting"
    OPEN = "open"
    CLOSED = "closed"


class Owner(Protocol):
    """Who is told what becomes of a stream."""

    def opened(self, stream: Stream) -> None:
        """Hear that the response is seen to be an event stream."""

    def ended(self, stream: Stream, error: SseError | None, was: Phase) -> None:
        """Hear that the connection has ended, from that phase: with an error or, properly by the server, without."""

    def completed(self, stream: Stream) -> None:
        """Hear that the stream has brought all the events that it was to bring, and close it."""


class Stream:
    """One event stream, over one connection at a time."""

    __slots__ = (
        "_bench", "_comments", "_connected_ns", "_decoder", "_events_left", "_http", "_intended_ns", "_meter", "_owner",
        "_parser", "_redirects", "_was_drained", "_wire", "began_ns", "has_opened", "leg", "phase", "reconnection",
        "requested_ns", "slot",
    )  # fmt: skip

    _http: ResponseReader
    _wire: Wire

    def __init__(self, bench: Bench, owner: Owner, slot: int) -> None:
        self._bench = bench
        self._owner = owner
        self.slot = slot
        self.phase = Phase.CLOSED
        self.reconnection = Reconnection(bench.route.last_event_id, bench.retry_statuses)
        """What it has of earlier connections."""
        self.has_opened = False
        """Whether an event stream has come on one of its connections."""
        self.began_ns = 0
        """When it has begun to connect (monotonic)."""
        self._events_left = bench.events_per_stream
        self._meter = Meter(bench)
        self._parser: EventStreamParser | None = None

    # Connecting.

    def connect(self, intended_ns: int) -> None:
        """Begin to connect; ``intended_ns`` is when that was meant to be (monotonic). Raises SseError."""
        self._redirects = 0
        self._meter.begin(intended_ns)
        self._begin(self._bench.route.first, intended_ns)
        self._bench.recorder.start_delay.append((self.began_ns - intended_ns) // 1000)

    def _begin(self, leg: Leg, intended_ns: int) -> None:
        self.leg = leg
        self._intended_ns = intended_ns
        self._http = ResponseReader()
        self._decoder: ContentDecoder | None = None
        self.requested_ns = 0
        self._was_drained = True
        self.began_ns = monotonic_ns()
        self._wire = self._bench.route.connect(leg)
        self.phase = Phase.CONNECTING
        self._bench.attempts += 1
        self._bench.connecting.append((self.began_ns, self))
        self._bench.poller.watch(self._wire.fileno(), WRITABLE, self._advance)

    def _advance(self) -> None:
        """Go on, as far as the socket lets us, until the request is out."""
        try:
            if self.phase is Phase.CONNECTING:
                self._wire.finish_connect()
                self._connected_ns = monotonic_ns()
                self.phase = Phase.SECURING
            if self.phase is Phase.SECURING and self._wire.handshake():
                self._request()
            self._wait()
        except Exception as exc:  # noqa: BLE001 - whatever it is, the other streams go on
            self.end(exc)

    def _request(self) -> None:
        """Send the request."""
        now_ns, recorder = monotonic_ns(), self._bench.recorder
        recorder.connect.append((now_ns - self._intended_ns) // 1000)
        if self.leg.context is not None:
            recorder.tls.append((now_ns - self._connected_ns) // 1000)
        request = self.leg.request_after(self.reconnection.header)
        self.requested_ns = monotonic_ns()  # before: an answer may be here before send() has returned
        self._wire.send(request)
        self.phase = Phase.REQUESTING
        if self._bench.requesting is not None:
            self._bench.requesting.append((self.began_ns, self))

    def _wait(self) -> None:
        """Wait for what has to happen next."""
        is_out = self._wire.flush()
        handler = self._advance if self.phase is Phase.SECURING else self._on_readable if is_out else self._go_on
        # Readable from the start, and not only when all is out: a server may refuse a body before it has it all.
        self._bench.poller.watch(self._wire.fileno(), READABLE if is_out else READABLE | WRITABLE, handler)

    def _go_on(self) -> None:
        """Send more of a large request, and look whether there is an answer already."""
        try:
            self.requested_ns = monotonic_ns()
            self._wait()
        except Exception as exc:  # noqa: BLE001
            self.end(exc)
        else:
            self._on_readable()

    # Reading.

    def _on_readable(self) -> None:
        """Read once, and measure what came."""
        bench = self._bench
        try:
            wire = self._wire
            data, stamp_ns = wire.read()
            now_ns = time_ns()
            if now_ns > bench.ends_wall_ns and bench.is_over():
                return
            if not data:
                self._take_end()
                return
            recorder = bench.recorder
            if stamp_ns:
                recorder.read_delay.append((now_ns - stamp_ns) // 1000)
            else:
                recorder.unstamped_reads += 1
                stamp_ns = now_ns
            http = self._http
            body = http.feed(data)
            if self._parser is None and http.headers is not None:
                self._take_head(stamp_ns, is_alone=not body and wire.is_drained)
            if body and self._parser is not None:
                recorder.bytes += len(body)
                # Behind a chunk there is its line end; what else is there came later than the body.
                ends = wire.is_drained and (data[-4:-2] == body[-2:] or data.endswith(body[-2:]))
                if self._decoder is None:
                    self._take(body, stamp_ns, ends=ends)
                else:
                    self._take_encoded(body, self._decoder, stamp_ns, ends=ends)
            self._was_drained = wire.is_drained
            if (http.complete or http.error) and http is self._http and self.phase is not Phase.CLOSED:
                self.end(http.error)
        except BlockingIOError:
            pass
        except Exception as exc:  # noqa: BLE001
            self.end(exc)

    def _take_head(self, arrival_ns: int, *, is_alone: bool) -> None:
        """Judge the response head: follow a redirect, or start to parse what it announces."""
        status, headers = self._http.status, self._http.headers or {}
        if status in REDIRECT_STATUSES:
            self._redirects += 1
            if self._redirects > MAX_REDIRECTS:
                raise too_many_redirects(self.leg.hop.target, status, headers)
            leg = self._bench.route.leg_after(self.leg, status, headers)
            self._disconnect()
            # What is measured of this connection begins with the word that sends us there.
            self._begin(leg, arrival_ns + self._bench.monotonic_less_wall_ns)
            return
        check_response(status, headers)
        self._decoder = decoder_of(headers.get("content-encoding", ""))
        # An answer may come before the request is out: then there is no time in between. And what came behind the head
        # in the same read has the stamp: it must not have come much later.
        is_known = is_alone or self._meter.uncertainty_ns(arrival_ns, is_fresh=True) is not None
        if is_known and self._wire.flush():
            arrival_mono_ns = arrival_ns + self._bench.monotonic_less_wall_ns
            self._bench.recorder.headers.append((arrival_mono_ns - self.requested_ns) // 1000)
        self._parser = EventStreamParser(self.reconnection.last_event_id, max_event_bytes=self._bench.max_event_bytes)
        self._comments = 0
        self._http.headers = None  # they are most of what an idle stream would hold
        self.phase = Phase.OPEN
        self._bench.attempts -= 1
        self.reconnection.connection_opened()
        self._owner.opened(self)
        self.has_opened = True

    def _take(self, body: bytes, arrival_ns: int, *, ends: bool) -> None:
        """Parse and measure a piece of the body; ``ends``: its last byte is the last one that had arrived."""
        parser, bench = self._parser, self._bench
        if parser is None:
            return  # what came before in this read was enough
        events = parser.feed(body)
        if parser.comment_count != self._comments:
            bench.recorder.comments += parser.comment_count - self._comments
            self._comments = parser.comment_count
        if not events:
            return
        if self._events_left is not None:
            ends = ends and len(events) <= self._events_left
            del events[self._events_left :]
            self._events_left -= len(events)
        is_exact = ends and parser.ends_with_event
        self._meter.measure(events, arrival_ns, is_exact=is_exact, is_fresh=self._was_drained)
        if self._events_left == 0:
            self._owner.completed(self)

    def _take_encoded(self, body: bytes, decoder: ContentDecoder, arrival_ns: int, *, ends: bool) -> None:
        """Undo the content coding, a bounded piece at a time, as long as the stream and the run last."""
        decoder.feed(body)
        piece = decoder.piece()
        while piece and self._parser is not None and time_ns() < self._bench.ends_wall_ns:
            try:
                following = decoder.piece()
            except InvalidResponseError:
                self._take(piece, arrival_ns, ends=False)  # what came before the damage counts
                raise
            self._take(piece, arrival_ns, ends=ends and not following)
            piece = following

    def _take_end(self) -> None:
        """Judge the end of the connection: the body's proper end, or a cut."""
        if self._parser is None:
            raise ConnectionLostError("the server closed the connection before it answered")
        if not self._http.ends_with_connection:
            raise ConnectionLostError("the connection was cut in the middle of the response")
        self.end(None)

    # Ending.

    def close(self) -> None:
        """Close the connection without a word to anybody."""
        if self.phase is not Phase.CLOSED:
            self._disconnect()

    def drop(self) -> None:
        """Close the connection, but keep what the next one needs: the last event ID, the time to wait, the audit."""
        parser = self._parser
        self.close()
        if parser is not None:
            self.reconnection.remember(parser)
            self._bench.connection_lost(self._meter)

    def receive_queue_bytes(self) -> int | None:
        """Return how many bytes wait to be read; None where the system does not say. Raises OSError."""
        return self._wire.receive_queue_bytes()

    @property
    def has_delivered(self) -> bool:
        """Whether the present connection, or the last one, has brought an event."""
        return self._meter.has_delivered

    def _disconnect(self) -> None:
        self._bench.attempts -= self.phase is not Phase.OPEN
        self._bench.poller.forget(self._wire.fileno())
        self._wire.close()
        self._parser = None
        self.phase = Phase.CLOSED

    def end(self, cause: Exception | None) -> None:
        """Tell the owner how the connection has ended."""
        was = self.phase
        self.drop()
        self._owner.ended(self, None if cause is None else as_ours(cause), was)
