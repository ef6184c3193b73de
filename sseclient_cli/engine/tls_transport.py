"""TLS with memory BIOs: the TCP transport reads the socket, so that each read keeps its kernel timestamp."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from sseclient_cli.engine.tcp_transport import READ_BYTES, SocketOptions, TcpTransport
from sseclient_cli.errors import ConnectionLostError, SseError
from sseclient_cli.request.target import Address
from sseclient_cli.request.tls import tls_error


class TlsTransport(TcpTransport):
    """A TCP transport with TLS. Call ``send`` and ``read`` only after ``handshake`` has returned True."""

    __slots__ = ("_arrived_ns", "_broken_by", "_host", "_incoming", "_outgoing", "_rest", "_tls")

    def __init__(
        self,
        address: Address,
        source: str | None,
        context: ssl.SSLContext,
        host: str,
        options: SocketOptions = (),
    ) -> None:
        """Begin to connect; the certificate must be valid for ``host``."""
        super().__init__(address, source, options)
        self._host = host
        self._broken_by: ssl.SSLError | None = None
        self._arrived_ns = 0
        """The timestamp of the end of the handshake, until the first read: data may have arrived together with it."""
        self._rest = b""
        """The beginning of an incomplete record."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def handshake(self) -> bool:
        """Continue the handshake with the bytes that have arrived."""
        try:
            self._arrived_ns = self._receive() or self._arrived_ns
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except OSError as exc:
            raise tls_error(exc, self._host) from exc
        finally:
            self._send_records()
        return True

    def speaks(self, protocol: str) -> bool:
        """Return whether the server chose this protocol (ALPN)."""
        return self._tls.selected_alpn_protocol() == protocol

    def send(self, data: bytes) -> None:
        """Encrypt and send as much as the socket accepts, and keep the rest for ``flush``."""
        self._tls.write(data)
        self._send_records()

    def read(self) -> tuple[bytes, int]:
        """Return the decrypted bytes of complete records; see ``TcpTransport.read``."""
        if self._broken_by is not None:
            raise self._explained(self._broken_by) from self._broken_by
        timestamp_ns = self._receive() or self._arrived_ns
        self._arrived_ns = 0
        pieces = []
        try:
            while piece := self._tls.read(READ_BYTES):
                pieces.append(piece)
            self._make_readable()
        except ssl.SSLWantReadError:
            if not pieces:
                raise BlockingIOError from None
        except ssl.SSLError as exc:
            if not pieces:
                raise self._explained(exc) from exc
            self._broken_by = exc  # raise it in the next read, after these bytes
            self._make_readable()
        finally:
            with suppress(OSError):
                self._send_records()  # the response to a key update or a renegotiation
        return b"".join(pieces), timestamp_ns

    def _make_readable(self) -> None:
        """Make the socket readable, so that the poller calls ``read`` again. It returns the end or raises the error."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def _explained(self, cause: ssl.SSLError) -> SseError:
        if isinstance(cause, ssl.SSLEOFError):
            # RFC 9112 9.8: without a closure alert, a message that is not complete by its framing is truncated.
            return ConnectionLostError("the connection was cut without TLS's closing message")
        if cause.reason and "ALERT" in cause.reason:
            return tls_error(
                cause, self._host
            )  # TLS 1.3: a server that requires a client certificate fails after the handshake
        return ConnectionLostError(
            f"the TLS connection broke: {(cause.reason or str(cause)).lower().replace('_', ' ')}"
        )

    def _receive(self) -> int:
        """Read from the socket into the BIO, and return the kernel timestamp."""
        try:
            data, timestamp_ns = super().read()
        except BlockingIOError:
            return 0
        if data:
            # Only whole records: a part of another record means that the timestamp is not that of the decrypted data.
            arrived = self._rest + data
            end = end_of_records(arrived)
            self._incoming.write(arrived[:end])
            self._rest = arrived[end:]
            self.is_drained = self.is_drained and not self._rest
        else:
            self._incoming.write(self._rest)
            self._incoming.write_eof()
        return timestamp_ns

    def _send_records(self) -> None:
        if self._outgoing.pending:
            super().send(self._outgoing.read())


def end_of_records(data: bytes) -> int:
    """Return the end of the last complete TLS record (RFC 8446 5.1), or of the data if it is not TLS."""
    position = 0
    while position + 5 <= len(data):
        if not 20 <= data[position] <= 24 or data[position + 1] != 3:
            return len(data)
        end = position + 5 + int.from_bytes(data[position + 3 : position + 5])
        if end > len(data):
            break
        position = end
    return position
