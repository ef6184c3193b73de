"""Parse the frames of a WebSocket (RFC 6455) into events: the interface of ``EventStreamParser``, plus bytes to send.

https://www.rfc-editor.org/rfc/rfc6455

The sans-I/O layer of the ``websockets`` library parses the frames (docs/decisions/0049-websocket.md). Each message is
an event of type ``message`` without an ID. A binary message in UTF-8 is treated as text; any other one is an event of
type ``binary``, with its bytes in Base64. Pings and pongs count as comments, like the heartbeats of an event stream.

Import this module only for a ws:// or wss:// URL: to import ``websockets.protocol`` takes as long as all of ``sse``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side, State

from sseclient_cli.errors import EventTooLargeError, InvalidResponseError, SseError, WebSocketClosedError
from sseclient_cli.escaping import visible
from sseclient_cli.redaction import redacted_text
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES
from sseclient_cli.sse.held_text import SMALL_BYTES

_NO_CODE = 1005
"""Stands for a close frame without a code (RFC 6455 7.4.1)."""

_DONE = frozenset({1000, _NO_CODE})
"""Close codes of a server that has nothing more to send."""

_GOING_AWAY = 1001
"""The other close code of a proper end: the server shuts down, for example."""

_INVALID_DATA = 1007

# The library logs each frame at the level DEBUG. A logger of its own is independent of the caller's configuration.
_logger = logging.getLogger(__name__)
_logger.setLevel(logging.CRITICAL)

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class WebSocketParser:
    """An incremental parser of a server's frames, for one connection.

    After each ``feed``, send ``take_outgoing()`` to the server, and end the connection if ``is_over``.
    ``last_event_id`` stays that of the request, because a message has no ID.
    """

    __slots__ = (
        "_close", "_error", "_is_text", "_max_event_bytes", "_protocol", "_unfinished", "comment_count",
        "ends_with_event", "held_bytes", "last_event_id", "reconnection_time_ms",
    )  # fmt: skip

    def __init__(self, last_event_id: str = "", max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES) -> None:
        self.last_event_id = last_event_id
        self.reconnection_time_ms: int | None = None
        """None: no frame can set it."""
        self.comment_count = 0
        """The number of pings and pongs so far."""
        self.ends_with_event = False
        """Whether the last byte so far completed a message."""
        self.held_bytes = 0
        """Memory of the unfinished message, only if it is larger than a few KB."""
        self._max_event_bytes = max_event_bytes
        self._protocol = Protocol(Side.CLIENT, state=State.OPEN, max_size=max_event_bytes, logger=_logger)
        self._unfinished = bytearray()
        """The fragments of a message before its last one."""
        self._is_text = True
        self._close: Close | None = None
        self._error: SseError | None = None

    def feed(self, chunk: bytes, arrived_ns: int = 0) -> list[Event]:
        """Take the next bytes and return the messages that they complete.

        Raises EventTooLargeError at the head of a frame that exceeds ``max_event_bytes`` of a message, and
        InvalidResponseError for a violation of the protocol. If the same chunk completes messages before, it returns
        these, and the next call raises, also with ``b""``.
        """
        return [item for item in self.feed_in_order(chunk, arrived_ns) if isinstance(item, Event)]

    def feed_in_order(self, chunk: bytes, arrived_ns: int = 0) -> list[Event | str]:
        """Do the same as ``feed``, and return a text for each ping and pong between the messages."""
        self._raise_if_invalid()
        protocol = self._protocol
        protocol.receive_data(chunk)
        # In the state OPEN, there are no other events of the protocol.
        frames = [event for event in protocol.events_received() if isinstance(event, Frame)]
        items = self._items_of(frames, arrived_ns)
        if self._error is None and protocol.parser_exc is not None:
            self._error = self._error_for(protocol.parser_exc)
        if not items:
            self._raise_if_invalid()
        buffered_bytes = len(protocol.reader.buffer)
        if chunk:
            self.ends_with_event = not buffered_bytes and any(map(_is_end_of_message, frames[-1:]))
        held_bytes = buffered_bytes + len(self._unfinished)
        self.held_bytes = held_bytes if held_bytes > SMALL_BYTES else 0
        return items

    def _raise_if_invalid(self) -> None:
        if self._error is not None:
            raise self._error

    def finish(self) -> list[Event]:
        """Return no event: a message ends with its last frame."""
        return []

    @property
    def has_unfinished_event(self) -> bool:
        """Whether a message has begun. At the end of the connection, such a message is discarded."""
        return bool(self._unfinished or self._protocol.reader.buffer)

    def take_outgoing(self) -> bytes:
        """Return the bytes to send: messages, pongs, and the answer to a close frame or a violation."""
        return b"".join(self._protocol.data_to_send())

    def send(self, texts: Sequence[str]) -> None:
        """Add text messages to the bytes to send."""
        for text in texts:
            self._protocol.send_text(text.encode())

    # The end.

    @property
    def is_over(self) -> bool:
        """Whether a close frame or a violation has ended the connection. Later bytes are ignored."""
        return self._close is not None or self._error is not None

    @property
    def is_done(self) -> bool:
        """Whether the server has closed the connection because it has nothing more to send."""
        return self._close is not None and self._close.code in _DONE

    @property
    def error(self) -> SseError | None:
        """Why the connection is over; None for a proper end, and before."""
        if self._error is not None or self._close is None or self._close.code in (*_DONE, _GOING_AWAY):
            return self._error
        return WebSocketClosedError(f"the server closed the WebSocket with the {_shown(self._close)}", self._close.code)

    def diagnosis(self, *, by_server: bool) -> str:
        """Return what a message about the end must say besides ``error``; empty for nothing."""
        if by_server and self.has_unfinished_event:
            return "the connection ended inside a message, which is dropped"
        return _shown(self._close) if self._close and self.error is None else ""

    # Frames.

    def _items_of(self, frames: Sequence[Frame], arrived_ns: int) -> list[Event | str]:
        items: list[Event | str] = []
        for frame in frames:
            opcode = frame.opcode
            if opcode in _DATA:
                if opcode is not Opcode.CONT:
                    self._is_text = opcode is Opcode.TEXT
                self._unfinished += frame.data
                if frame.fin and not self._take_message(items, arrived_ns):
                    break
            elif opcode is Opcode.CLOSE:
                self._close = self._protocol.close_rcvd
            else:
                self.comment_count += 1
                items.append(_heartbeat(frame))
        return items

    def _take_message(self, items: list[Event | str], arrived_ns: int) -> bool:
        """Append the event of the complete message. Return False for an invalid one, and fail the connection."""
        try:
            items.append(Event("message", self._unfinished.decode(), "", arrived_ns))
        except UnicodeDecodeError:
            if self._is_text:  # RFC 6455 8.1
                self._error = InvalidResponseError("the server sent a WebSocket text message that is not UTF-8")
                self._protocol.fail(_INVALID_DATA)
                return False
            from base64 import b64encode

            items.append(Event("binary", b64encode(self._unfinished).decode(), "", arrived_ns))
        self._unfinished.clear()
        return True

    def _error_for(self, cause: Exception) -> SseError:
        if isinstance(cause, PayloadTooBig):
            return EventTooLargeError(
                f"the stream holds an event of more than {self._max_event_bytes:,} bytes: raise `max_event_bytes`",
                arguments=["max_event_bytes"],
            )
        words = str(cause) if isinstance(cause, ProtocolError) else "invalid text in a close frame"
        return InvalidResponseError(f"the server violates the WebSocket protocol: {words}")


def _is_end_of_message(frame: Frame) -> bool:
    return frame.fin and frame.opcode in _DATA


def _heartbeat(frame: Frame) -> str:
    """Return the name of a ping or pong, and its payload if it is text."""
    name, payload = frame.opcode.name.lower(), bytes(frame.data)
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return name
    return f"{name} {text}" if text.isprintable() and text else name


def _shown(close: Close) -> str:
    """Return the code, its meaning and the server's reason."""
    if close.code == _NO_CODE:
        return "close frame without a code"
    return f"close code {visible(redacted_text(str(close)), keep_lines=False)}"
