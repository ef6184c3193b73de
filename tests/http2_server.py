"""A server that plays a test's scripts by HTTP/2: a small proxy in front of ``ScriptedServer``, as nginx is one.

Scripts stay those of HTTP/1.1. The end of a response is END_STREAM, and a response that is cut is reset. To test faults
of HTTP/2 itself, a ``ScriptedServer`` sends frames (``http2_frames.py``).
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

import h11
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError
from scripted_server import Script, ScriptedServer

Headers = list[tuple[bytes, bytes]]

# RFC 9113 8.2.2.
_OF_HTTP1 = (b"connection", b"keep-alive", b"transfer-encoding", b"upgrade")


class Http2Server(ScriptedServer):
    """Plays scripts by HTTP/2: prior knowledge, or ALPN with an ``ssl_context``."""

    def __init__(self, *scripts: Script, ssl_context: ssl.SSLContext | None = None, max_streams: int = 100) -> None:
        super().__init__(*scripts)
        self._tls = ssl_context
        self._max_streams = max_streams
        self._front: asyncio.Server | None = None
        self._front_port = 0
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._front_port}"

    async def start(self) -> None:
        await super().start()
        self._front = await asyncio.start_server(self._accept, "127.0.0.1", self._front_port, ssl=self._tls)
        self._front_port = self._front.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        super().refuse()
        if self._front is not None:
            self._front.close()
            self._front = None

    async def stop(self) -> None:
        self.refuse()
        for task, writer in dict(self._clients).items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await super().stop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = writer
        self.connections += 1
        try:
            await _Session(reader, writer, self.port).run(self._max_streams)
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass  # the client has disconnected, or the test is over
        finally:
            writer.close()
            del self._clients[task]


class _Session:
    """One connection of a client: a task for each of its streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream_port: int) -> None:
        self._reader, self._writer, self._port = reader, writer, upstream_port
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._heads: dict[int, Headers] = {}
        self._bodies: dict[int, bytes] = {}
        self._relays: dict[int, asyncio.Task[None]] = {}
        self._windows = asyncio.Condition()

    async def run(self, max_streams: int) -> None:
        """Serve until the client disconnects or violates the protocol."""
        self._h2.local_settings.max_concurrent_streams = max_streams
        self._h2.initiate_connection()
        self._flush()
        try:
            while data := await self._reader.read(65536):
                for event in self._h2.receive_data(data):
                    await self._handle(event)
                self._flush()
        except ProtocolError:
            self._flush()  # GOAWAY
        finally:
            for relay in self._relays.values():
                relay.cancel()
            await asyncio.gather(*self._relays.values(), return_exceptions=True)

    async def _handle(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._heads[event.stream_id], self._bodies[event.stream_id] = list(event.headers), b""
        elif isinstance(event, DataReceived):
            self._bodies[event.stream_id] += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            self._relays[event.stream_id] = asyncio.create_task(self._relay(event.stream_id))
        elif isinstance(event, StreamReset) and event.stream_id in self._relays:
            self._relays[event.stream_id].cancel()
        elif isinstance(event, WindowUpdated):
            async with self._windows:
                self._windows.notify_all()

    async def _relay(self, stream: int) -> None:
        """Send a request to the server of the scripts, and its response back."""
        head = dict(self._heads[stream])
        lines = [b"%b %b HTTP/1.1" % (head[b":method"], head[b":path"]), b"Host: " + head[b":authority"]]
        lines += [b"%b: %b" % pair for pair in self._heads[stream] if not pair[0].startswith(b":")]
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(b"\r\n".join([*lines, b"", self._bodies[stream]]))
            await self._answer(stream, reader, head[b":method"])
        except (h11.RemoteProtocolError, ConnectionError):
            with suppress(ProtocolError):
                self._h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
        finally:
            writer.close()
            self._flush()

    async def _answer(self, stream: int, reader: asyncio.StreamReader, method: bytes) -> None:
        response = h11.Connection(h11.CLIENT)
        response.send(h11.Request(method=method, target=b"/", headers=[(b"host", b"x")]))
        response.send(h11.EndOfMessage())
        while True:
            event = response.next_event()
            if event is h11.NEED_DATA:
                response.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Response | h11.InformationalResponse):
                pairs = [(name, value) for name, value in event.headers if name not in _OF_HTTP1]
                self._h2.send_headers(stream, [(b":status", b"%d" % event.status_code), *pairs])
            elif isinstance(event, h11.Data):
                await self._send(stream, bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._h2.end_stream(stream)
                return
            self._flush()

    async def _send(self, stream: int, data: bytes) -> None:
        while data:
            room = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if room == 0:
                async with self._windows:
                    await self._windows.wait()
                continue
            self._h2.send_data(stream, data[:room])
            data = data[room:]
            self._flush()
            await self._writer.drain()

    def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())
