"""Sans-I/O HTTP/2 for measured streams: sorts the frames of a read by stream.

h2 keeps the state of the protocol: HPACK, flow control, SETTINGS, PING. Three things are done here, before h2 sees the
bytes. Frames are cut, so that it is known whether a read ends with the data of a stream: only then is its kernel
timestamp the arrival of that data. Plain DATA frames are taken, because h2 spends 13 to 22 us on each, and this module
1 to 3 us. GOAWAY is handled, because h2 (4.4) takes no frame after it, while RFC 9113 6.8 lets the streams that the
server has processed go on.

This module does not use sockets or clocks, and does not interpret the body.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from struct import Struct

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RemoteSettingsChanged, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from sseclient_cli.engine.http2_fields import read_head, translated
from sseclient_cli.errors import Http2Error
from sseclient_cli.http2_errors import not_spoken, stream_reset, violated, violation_of
from sseclient_cli.request.http2 import WINDOW_BYTES
from sseclient_cli.sse.response_head import MAX_HEAD_BYTES

MAX_FRAME_BYTES = 16_384
"""The default of SETTINGS_MAX_FRAME_SIZE (RFC 9113 6.5.2), which this client keeps."""

MAX_FRAMES_WITHOUT_DATA = 100_000
"""Limit of consecutive frames without a response or data, for a whole connection: PING, SETTINGS, empty DATA. They cost
1.5 s of CPU; with a PING per second, it is 28 hours."""

MAX_TABLE_BYTES = 4096
"""Limit of the HPACK table of requests, the default of SETTINGS_HEADER_TABLE_SIZE. A server could allow 4 GiB."""

RENEWAL_BYTES = 2**29
"""The windows are renewed after this much data, a quarter of their size."""

_FRAME_HEAD = Struct(">HBBBL")  # length (its upper 16 and lower 8 bits), type, flags, stream (RFC 9113 4.1)
_GOAWAY_HEAD = Struct(">LL")  # the last stream, the error code (6.8)
_WINDOW_UPDATE = Struct(">HBBBLL")  # the same, then the increment (6.9)
_DATA, _HEADERS, _GOAWAY, _WINDOW, _CONTINUATION = 0x0, 0x1, 0x7, 0x8, 0x9
_END_HEADERS, _PADDED = 0x4, 0x8
_STREAM_BITS = 0x7FFFFFFF  # without the reserved bit, which has no meaning (4.1)


@dataclass(slots=True)
class Incoming:
    """The frames of one read that belong to one stream."""

    status: int = 0
    headers: dict[str, str] | None = None
    """The headers of the final response, if they arrived."""
    body: bytes = b""
    is_complete: bool = False
    """Whether the response is complete."""
    failure: Http2Error | None = None
    """Why the stream was reset."""


@dataclass(frozen=True, slots=True)
class Goaway:
    """The server's announcement that it closes the connection (RFC 9113 6.8)."""

    last_stream: int
    """The server has processed no stream with a higher number."""
    code: int
    data: bytes


class ClientProtocol:
    """The client's side of one connection."""

    __slots__ = (
        "_bodies", "_h2", "_is_in_head", "_plain", "_plain_bytes", "_renewals", "_rest", "_scheme", "_without_data",
        "data_ends", "goaway", "head_ends", "is_ready", "violation",
    )  # fmt: skip

    def __init__(self, scheme: str) -> None:
        """Prepare the preface and SETTINGS; ``take_outgoing`` returns them."""
        config = H2Configuration(client_side=True, header_encoding=None)
        self._h2 = H2Connection(config)
        self._h2.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES,
                SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEAD_BYTES,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(WINDOW_BYTES - self._h2.inbound_flow_control_window)
        self._scheme = scheme.encode()
        self._bodies: dict[int, memoryview] = {}
        """The unsent rest of request bodies, by stream."""
        self._plain: dict[int, int] = {}
        """The bytes that h2 has not seen, since the last renewal of the windows, by the stream of an open response."""
        self._plain_bytes = 0
        """The same, of the whole connection."""
        self._renewals = b""
        self._is_in_head = False
        """Whether the last frame was a part of a head that CONTINUATION frames complete (6.10)."""
        self._rest = b""
        """The beginning of an incomplete frame."""
        self._without_data = 0
        """The number of frames since the last response or data."""
        self.is_ready = False
        """Whether the server's SETTINGS have arrived."""
        self.goaway: Goaway | None = None
        self.violation: Http2Error | None = None
        """The error that ended the last read, if data had arrived before it."""
        self.data_ends = 0
        """The stream whose data ends the last read; 0 for none."""
        self.head_ends = 0
        """The stream whose header fields end the last read; 0 for none."""

    # Sending.

    @property
    def most_streams(self) -> int:
        """The server's limit of concurrent streams (SETTINGS_MAX_CONCURRENT_STREAMS); without one, 2**32 + 1."""
        return self._h2.remote_settings.max_concurrent_streams

    def take_outgoing(self) -> bytes:
        """Return the bytes to send now."""
        renewals, self._renewals = self._renewals, b""
        return renewals + self._h2.data_to_send()

    def request(self, request: bytes) -> int:
        """Send a request, given as that of HTTP/1.1, as far as the windows allow. Return the number of its stream."""
        fields, body = translated(request, self._scheme)
        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream, fields, end_stream=not body)
        if body:
            self._bodies[stream] = memoryview(body)
            self._send_body(stream)
        return stream

    def is_sent(self, stream: int) -> bool:
        """Return whether the windows have allowed the whole request."""
        return stream not in self._bodies

    def send_bodies(self) -> list[int]:
        """Send more of the request bodies. Return the streams in which something was sent."""
        return [stream for stream in list(self._bodies) if self._send_body(stream)]

    def _send_body(self, stream: int) -> bool:
        h2, body, has_sent = self._h2, self._bodies[stream], False
        while size := min(len(body), h2.local_flow_control_window(stream), h2.max_outbound_frame_size):
            piece, body = body[:size], body[size:]
            h2.send_data(stream, bytes(piece), end_stream=not body)
            has_sent = True
        self._bodies[stream] = body
        if not body:
            del self._bodies[stream]
        return has_sent

    def cancel(self, stream: int) -> None:
        """Reset a stream whose response is of no interest any more."""
        self._bodies.pop(stream, None)
        self._plain.pop(stream, None)
        with suppress(ProtocolError):  # the server has closed the stream in the same read
            self._h2.reset_stream(stream, ErrorCodes.CANCEL)

    def close(self) -> None:
        """Announce the end of the connection."""
        self._h2.close_connection()

    # Receiving.

    def feed(self, data: bytes) -> dict[int, Incoming]:
        """Handle the bytes of a read. Return what has arrived, by stream. Raises Http2Error.

        If data has arrived before a violation, it returns the data, and the error is in ``violation``.
        """
        if not self.is_ready and (self._rest + data).startswith(b"HTTP/"):
            raise not_spoken("the server", answered=True)
        arrived: dict[int, Incoming] = {}
        try:
            frames = self._frames_for_h2(data, arrived)
            for event in self._h2.receive_data(frames) if frames else ():
                self._sort(event, arrived)
        except (ProtocolError, Http2Error) as exc:
            self.violation = exc if isinstance(exc, Http2Error) else violation_of(exc)
            if not arrived:
                raise self.violation from exc
            return arrived
        if any(each.body or each.headers is not None for each in arrived.values()):
            self._without_data = 0
        elif self._without_data > MAX_FRAMES_WITHOUT_DATA:
            raise violated(f"{self._without_data:,} frames without a response or data")
        return arrived

    def _sort(self, event: Event, arrived: dict[int, Incoming]) -> None:
        if isinstance(event, DataReceived):
            stream = event.stream_id
            self._h2.acknowledge_received_data(event.flow_controlled_length, stream)
            incoming = arrived.get(stream) or arrived.setdefault(stream, Incoming())
            incoming.body += event.data
        elif isinstance(event, ResponseReceived):
            status, headers = read_head(event.headers)
            incoming = arrived.setdefault(event.stream_id, Incoming())
            incoming.status, incoming.headers = status, headers
            if "content-length" not in headers:  # otherwise h2 compares the length of the body
                self._plain[event.stream_id] = 0
        elif isinstance(event, StreamEnded):
            self._plain.pop(event.stream_id, None)
            arrived.setdefault(event.stream_id, Incoming()).is_complete = True
        elif isinstance(event, StreamReset):
            self._bodies.pop(event.stream_id, None)
            self._plain.pop(event.stream_id, None)
            failure = stream_reset(int(event.error_code), by_server=event.remote_reset)
            arrived.setdefault(event.stream_id, Incoming()).failure = failure
        elif isinstance(event, RemoteSettingsChanged):
            encoder = self._h2.encoder
            encoder.header_table_size = min(encoder.header_table_size, MAX_TABLE_BYTES)
            self.is_ready = True

    def _frames_for_h2(self, data: bytes, arrived: dict[int, Incoming]) -> bytes:
        """Take GOAWAY, and the DATA frames at the beginning of a read that neither end a response nor are padded.

        Return the other complete frames, keep the rest, and note what ends the read.
        """
        data = self._rest + data
        begin, end, size = 0, 0, len(data)
        kind = flags = length = stream = 0
        pieces = []
        plain, is_plain, plain_bytes = self._plain, not self._is_in_head, 0
        while end + 9 <= size:
            upper, lower, kind, flags, stream = _FRAME_HEAD.unpack_from(data, end)
            length, stream = upper << 8 | lower, stream & _STREAM_BITS
            if length > MAX_FRAME_BYTES:
                end = size  # h2 raises the error; do not wait for the rest
                break
            if end + 9 + length > size:
                break
            # Not behind a frame for h2, which may belong to the same stream.
            is_plain = is_plain and kind == _DATA and stream in plain and length > 0 and not flags
            if is_plain:
                begin = end + 9 + length
                incoming = arrived.get(stream) or arrived.setdefault(stream, Incoming())
                incoming.body += data[end + 9 : begin]
                plain[stream] += length
                plain_bytes += length
                end = begin
                continue
            if kind in (_HEADERS, _CONTINUATION):
                self._is_in_head = not flags & _END_HEADERS
            if kind == _GOAWAY and length >= 8 and not stream:
                pieces.append(data[begin:end])
                begin = end + 9 + length
                self._take_goaway(data[end + 9 : begin])
            end += 9 + length
            if kind != _DATA or not length or flags & _PADDED:
                self._without_data += 1
        self._plain_bytes += plain_bytes
        if self._plain_bytes >= RENEWAL_BYTES:
            self._renew_windows()
        self._rest = data[end:]
        is_whole = end == size
        self.data_ends = stream if is_whole and kind == _DATA and length and not flags & _PADDED else 0
        self.head_ends = stream if is_whole and kind in (_HEADERS, _CONTINUATION) else 0
        pieces.append(data[begin:end])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _take_goaway(self, payload: bytes) -> None:
        last, code = _GOAWAY_HEAD.unpack_from(payload)
        self.goaway = Goaway(last & _STREAM_BITS, code, payload[_GOAWAY_HEAD.size :])

    def _renew_windows(self) -> None:
        """Give the server back what h2 does not know of: h2 renews the windows for the frames that it has seen."""
        for stream, size in ((0, self._plain_bytes), *self._plain.items()):
            if size:
                self._renewals += _WINDOW_UPDATE.pack(0, 4, _WINDOW, 0, stream, size)
        self._plain, self._plain_bytes = dict.fromkeys(self._plain, 0), 0
