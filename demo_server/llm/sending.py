"""The responses of LLM requests: a stream, one JSON object, or an error. Each logs when its bytes were sent."""

from __future__ import annotations

import asyncio
import json
import time

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from demo_server.llm.answer import Answer, Ending, Part
from demo_server.llm.events import Encoder, Write, writes
from demo_server.llm.truth_log import RequestLog
from demo_server.streams.encoding import comment
from demo_server.streams.messages import DRAIN, END, body, head, shutting_down
from demo_server.streams.parameters import DEFAULT_HEARTBEAT_S
from demo_server.streams.registry import Streams
from demo_server.streams.scope_keys import DIRECT_BYTES
from demo_server.streams.stream import EVENTS_PER_TURN, Notice, Stream


def answer_head() -> Message:
    """Return the start of a stream, with the header that turns off the buffering of nginx."""
    message = head()
    message["headers"].append((b"x-accel-buffering", b"no"))
    return message


class AnswerStream(Response):
    """An answer as a stream of events."""

    def __init__(self, streams: Streams, answer: Answer, encoder: Encoder, log: RequestLog, received_s: float) -> None:
        super().__init__()
        self._streams, self._answer, self._encoder, self._log = streams, answer, encoder, log
        self._received_s = received_s
        """On the clock of the event loop. All due times count from here."""
        self._direct_bytes = 0
        self._is_complete = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, and log how it ended."""
        with self._streams.open(scope, receive) as stream:
            ending, ended_ns = Ending.CLIENT, None
            try:
                self._log.answered(200, time.time_ns())
                await send(answer_head())
                await self._send_events(stream, send)
                ending = self._ending(stream)
                if ending is Ending.SHUTDOWN:
                    await send(body(comment(Notice.SHUTDOWN)))
                ended_ns = time.time_ns()
                await send(END)
            finally:
                self._log.end(ending, ended_ns or time.time_ns())
                scope[DIRECT_BYTES] = self._direct_bytes

    async def _send_events(self, stream: Stream, send: Send) -> None:
        """Send each event when it is due, until the stream is ended."""
        last_s = 0.0
        for number, write in enumerate(writes(self._answer, self._encoder)):
            # Events of the same time follow each other at once, but must not block other streams.
            if write.due_s != last_s or number % EVENTS_PER_TURN == 0:
                await self._wait(stream, send, last_s, write.due_s)
                last_s = write.due_s
            if stream.ended or not await self._send(stream, send, write):
                return
        self._is_complete = True
        if linger_s := self._answer.parameters.linger:
            now_s = asyncio.get_running_loop().time() - self._received_s
            await self._wait(stream, send, now_s, now_s + linger_s)

    async def _send(self, stream: Stream, send: Send, write: Write) -> bool:
        """Send events, log them, and say whether the kernel has taken them."""
        # One chunk of the chunked response, written to the transport. Through ASGI, it passes `send` of four
        # middlewares and of uvicorn, which costs a third more CPU per token and delays the write after its timestamp.
        chunk = b"%x\r\n%b\r\n" % (len(write.data), write.data)
        # Before the write: it wakes the client, which may run before this process returns from the system call.
        sent_ns = time.time_ns()
        stream.transport.write(chunk)
        self._direct_bytes += len(write.data)
        if stream.transport.get_write_buffer_size():
            await send(DRAIN)
            sent_ns = time.time_ns()
        if stream.transport.is_closing():
            stream.end()  # the client has disconnected; uvicorn reports it a moment later
            return False
        self._log.sent(write.marks, sent_ns)
        stream.count_event(len(write.marks))
        if write.marks[-1].part is Part.DONE:
            self._log.finish(self._encoder.finish_reason)
        return True

    async def _wait(self, stream: Stream, send: Send, since_s: float, until_s: float) -> None:
        """Wait for the next event; send heartbeats in a long silence. Times count from the request."""
        while until_s - since_s > DEFAULT_HEARTBEAT_S and not stream.ended:
            since_s += DEFAULT_HEARTBEAT_S
            await stream.sleep_until(self._received_s + since_s)
            if not stream.ended:
                await send(body(comment(Notice.HEARTBEAT)))
        await stream.sleep_until(self._received_s + until_s)

    def _ending(self, stream: Stream) -> Ending:
        """Return how the request ended. A client may close after the last event, while the stream lingers."""
        if stream.ended and not self._is_complete:
            return Ending.SHUTDOWN if stream.is_shutdown else Ending.CLIENT
        return self._answer.ending


class WholeAnswer(Response):
    """An answer as one JSON object, after the time of its last token."""

    def __init__(self, streams: Streams, answer: Answer, encoder: Encoder, log: RequestLog, received_s: float) -> None:
        super().__init__()
        self._streams, self._answer, self._encoder, self._log = streams, answer, encoder, log
        self._received_s = received_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, unless the client disconnects or the server shuts down before, and send the response."""
        with self._streams.track(scope, receive) as stream:
            await stream.sleep_until(self._received_s + self._answer.whole_due_s())
        if stream.ended and not stream.is_shutdown:
            self._log.end(Ending.CLIENT, time.time_ns())
            return
        response: Response
        if stream.ended:
            ending, response = Ending.SHUTDOWN, shutting_down()
        elif self._answer.ending is Ending.ERROR:
            ending, response = Ending.ERROR, json_response(self._encoder.error(500), 500)
        else:
            ending, response = Ending.DONE, json_response(self._encoder.whole())
            self._log.finish(self._encoder.finish_reason)
        await LoggedResponse(response, self._log, ending)(scope, receive, send)


class LoggedResponse(Response):
    """A response with a complete body that logs when it was sent, and how the request ended."""

    def __init__(self, response: Response, log: RequestLog, ending: Ending) -> None:
        super().__init__()
        self._response, self._log, self._ending = response, log, ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response and log it."""
        sent_ns = time.time_ns()
        self._log.answered(self._response.status_code, sent_ns)
        await self._response(scope, receive, send)
        self._log.end(self._ending, sent_ns)


def json_response(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return JSON. Unlike JSONResponse, it accepts lone surrogates, as they come from JSON bodies."""
    return Response(json.dumps(content), status, headers, media_type="application/json")
