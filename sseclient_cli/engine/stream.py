"""One measured stream: wire + HTTP + parser -> events for its meter.

It never waits: the poller calls it when its socket is ready. One readiness is one bounded read, so that a stream at
full blast cannot starve the others. A stream outlives its connections: connected again, it goes on with its last event
ID and its audit.
"""

from __future__ import annotations

from time import monotonic_ns, time_ns

from sseclient_cli.engine.connector import PreparedRequest
from sseclient_cli.engine.context import Bench
from sseclient_cli.engine.encoded_body import EncodedBody
from sseclient_cli.engine.exception_mapping import as_ours, check_end, check_response, is_a_cut
from sseclient_cli.engine.http1 import ResponseReader
from sseclient_cli.engine.phase import Owner, Phase
from sseclient_cli.engine.poller import READABLE, WRITABLE
from sseclient_cli.engine.tcp_transport import TcpTransport
from sseclient_cli.errors import MemoryLimitError
from sseclient_cli.measure.event_sampler import EventSampler
from sseclient_cli.request.redirection import MAX_REDIRECTS, REDIRECT_STATUSES, too_many_redirects
from sseclient_cli.sse.content_coding import decoder_of
from sseclient_cli.sse.event_stream import EventStreamParser
from sseclient_cli.sse.held_text import large_text_bytes
from sseclient_cli.sse.reconnection import Reconnection


class Stream:
    """One event stream, over one connection at a time."""

    __slots__ = (
        "_bench", "_comments", "_connected_ns", "_encoded", "_events_left", "_held_bytes", "_http", "_intended_ns",
        "_owner", "_parser", "_redirects", "_was_drained", "began_ns", "has_opened", "leg", "meter", "phase",
        "reconnection", "requested_ns", "slot", "wire",
    )  # fmt: skip

    _http: ResponseReader
    wire: TcpTransport
    """The present connection, or the last one."""

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
        self.meter = EventSampler(bench)
        self._parser: EventStreamParser | None = None
        self._encoded: EncodedBody | None = None
        self._held_bytes = 0

    # Connecting.

    def connect(self, intended_ns: int) -> None:
        """Begin to connect; ``intended_ns`` is when that was meant to be (monotonic). Raises SseError."""
        self._redirects = 0
        self.meter.begin(intended_ns)
        self._begin(self._bench.route.first, intended_ns)
        self._bench.recorder.start_delay.append((self.began_ns - intended_ns) // 1000)

    def _begin(self, leg: PreparedRequest, intended_ns: int) -> None:
        self.leg = leg
        self._intended_ns = intended_ns
        self._http = ResponseReader()
        self.requested_ns = 0
        self._was_drained = True
        self.began_ns = monotonic_ns()
        self.wire = self._bench.route.connect(leg)
        self.phase = Phase.CONNECTING
        self._bench.attempts += 1
        self._bench.connecting.append((self.began_ns, self))
        self._bench.poller.watch(self.wire.fileno(), WRITABLE, self._advance)

    def _advance(self) -> None:
        """Go on, as far as the socket lets us, until the request is out."""
        try:
            if self.phase is Phase.CONNECTING:
                self.wire.finish_connect()
                self._connected_ns = monotonic_ns()
                self.phase = Phase.SECURING
            if self.phase is Phase.SECURING and self.wire.handshake():
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
        self.wire.send(request)
        self.phase = Phase.REQUESTING
        if self._bench.requesting is not None:
            self._bench.requesting.append((self.began_ns, self))

    def _wait(self) -> None:
        """Wait for what has to happen next."""
        is_out = self.wire.flush()
        handler = self._advance if self.phase is Phase.SECURING else self._on_readable if is_out else self._go_on
        # Readable from the start, and not only when all is out: a server may refuse a body before it has it all.
        self._bench.poller.watch(self.wire.fileno(), READABLE if is_out else READABLE | WRITABLE, handler)

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
            wire = self.wire
            data, stamp_ns = wire.read()
            is_drained, now_ns = wire.is_drained, time_ns()
            if now_ns > bench.ends_wall_ns and bench.is_over():
                return
            if not data:
                check_end(self.leg, self._http, is_open=self._parser is not None)
                self.end(None)
                return
            recorder = bench.recorder
            if bench.since_wall_ns < stamp_ns <= now_ns:
                recorder.read_delay.append((now_ns - stamp_ns) // 1000)
            else:
                # Without a stamp, or with one from before a step of the clock.
                recorder.unstamped_reads += 1
                stamp_ns = now_ns
            http = self._http
            body = http.feed(data)
            if self._parser is None and http.headers is not None:
                self._take_head(stamp_ns, body, is_alone=not body and is_drained)
            if body and self._parser is not None:
                recorder.bytes += len(body)
                # Behind a chunk there is its line end; what else is there came later than the body.
                ends = is_drained and (data[-4:-2] == body[-2:] or data.endswith(body[-2:]))
                if self._encoded is None:
                    self._take(body, stamp_ns, ends=ends)
                else:
                    self._encoded.feed(body, stamp_ns, ends=ends)
                    self._decode(self._encoded)
            self._was_drained = is_drained
            if not is_drained or self._encoded is not None or http.complete or http.error:
                self._after_read(http)
        except BlockingIOError:
            pass
        except Exception as exc:  # noqa: BLE001
            self.end(exc)

    def _take_head(self, arrival_ns: int, body: bytes, *, is_alone: bool) -> None:
        """Judge the response head: follow a redirect, or start to parse what it announces. ``body`` came with it."""
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
        check_response(self.leg, self._bench.route.first, status, headers, body)
        decoder = decoder_of(headers.get("content-encoding", ""))
        self._encoded = None if decoder is None else EncodedBody(decoder)
        # An answer may come before the request is out: then there is no time in between. And what came behind the head
        # in the same read has the stamp: it must not have come much later.
        is_known = is_alone or self.meter.uncertainty_ns(arrival_ns, is_fresh=True) is not None
        arrival_mono_ns = arrival_ns + self._bench.monotonic_less_wall_ns
        if is_known and self.wire.flush():
            self._bench.recorder.headers.append((arrival_mono_ns - self.requested_ns) // 1000)
        self._parser = EventStreamParser(self.reconnection.last_event_id, max_event_bytes=self._bench.max_event_bytes)
        self._comments = 0
        self._http.headers = None  # they are most of what an idle stream would hold
        self.phase = Phase.OPEN
        self._bench.attempts -= 1
        self.reconnection.connection_opened()
        self.meter.opened(arrival_mono_ns)
        self._bench.note_head(headers, arrival_ns, arrival_mono_ns - self.requested_ns, is_alone=is_alone)
        self._owner.opened(self)
        self.has_opened = True

    def _take(self, body: bytes, arrival_ns: int, *, ends: bool) -> None:
        """Parse and measure a piece of the body; ``ends``: its last byte is the last one that had arrived."""
        parser, bench = self._parser, self._bench
        if parser is None:
            return  # what came before in this read was enough
        meter, now_ns = self.meter, arrival_ns + bench.monotonic_less_wall_ns
        if now_ns - meter.last_byte_ns > meter.longest_pause_ns:
            meter.longest_pause_ns = now_ns - meter.last_byte_ns
        meter.last_byte_ns = now_ns
        events = parser.feed(body)
        if parser.comment_count != self._comments:
            bench.recorder.comments += parser.comment_count - self._comments
            self._comments = parser.comment_count
        if events:
            if self._events_left is not None:
                ends = ends and len(events) <= self._events_left
                del events[self._events_left :]
                self._events_left -= len(events)
            is_exact = ends and parser.ends_with_event
            self.meter.measure(events, arrival_ns, is_exact=is_exact, is_fresh=self._was_drained)
            if self._events_left == 0:
                self._owner.completed(self)
                return
        elif not meter.events:
            meter.take_without_event(body)
        if parser.held_bytes != self._held_bytes and self._hold(parser.held_bytes) > 0:
            bench.held_memory.check()

    def _hold(self, held_bytes: int) -> int:
        """Report how much memory is held now, and return by how much that is more."""
        grown_bytes, self._held_bytes = held_bytes - self._held_bytes, held_bytes
        self._bench.held_memory.total_bytes += grown_bytes
        return grown_bytes

    def _decode(self, encoded: EncodedBody) -> None:
        """Take what is decoded in this turn; the rest comes in the next ones."""
        for piece, ends in encoded.pieces():
            self._take(piece, encoded.arrival_ns, ends=ends)
            if self.phase is not Phase.OPEN:
                break

    def _decode_on(self) -> None:
        """Go on where the last turn stopped."""
        try:
            if time_ns() > self._bench.ends_wall_ns and self._bench.is_over():
                return
            self._bench.poller.watch(self.wire.fileno(), READABLE, self._on_readable)
            if self._encoded is not None:
                self._decode(self._encoded)
            self._after_read(self._http)
        except Exception as exc:  # noqa: BLE001
            self.end(exc)

    def _after_read(self, http: ResponseReader) -> None:
        """See to what follows at once: more to decode, the end of the response, or more to read."""
        if http is not self._http or self.phase is Phase.CLOSED:
            return
        if self._encoded is not None and self._encoded.has_more:
            # Nothing is read meanwhile: so memory is bounded, and the end of the response comes after this. Neither
            # the pieces to come nor the next read can be bounded by the loop's last look at the socket.
            self._was_drained = False
            self._bench.poller.pause(self.wire.fileno(), self._decode_on)
        elif http.complete or http.error:
            self.end(http.error)
        elif not self._was_drained:
            self._bench.poller.has_more = True

    # Ending.

    def close(self) -> None:
        """Close the connection without a word to anybody, and let go of what is kept for a next one."""
        if self.phase is not Phase.CLOSED:
            self._disconnect()
        self._hold(0)

    def drop(self, *, remembers: bool = True) -> None:
        """Close the connection, but keep what the next one needs: the last event ID, the time to wait, the audit."""
        parser = self._parser
        self.close()
        if parser is not None:
            if remembers:
                self.reconnection.remember(parser)
            self.meter.resume(monotonic_ns())
        # The same text that the parser held; close() has let go of both.
        self._hold(large_text_bytes(self.reconnection.last_event_id))

    def _disconnect(self) -> None:
        self._bench.attempts -= self.phase is not Phase.OPEN
        self._bench.poller.forget(self.wire.fileno())
        self.wire.close()
        self._parser = None
        self._encoded = None
        self.phase = Phase.CLOSED

    def end(self, cause: Exception | None) -> None:
        """Tell the owner how the connection has ended."""
        was = self.phase
        if was is Phase.OPEN and not self._http.complete and is_a_cut(cause):
            self.meter.cut(monotonic_ns())
        # What is ended for want of memory must free it: else each connection would leave another huge ID behind.
        self.drop(remembers=not isinstance(cause, MemoryLimitError))
        self._owner.ended(self, None if cause is None else as_ours(cause, None if was is Phase.OPEN else self.leg), was)
