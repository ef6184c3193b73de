"""Publishes the events of a plan, one after the other: the main function of the publisher's process.

One event at a time keeps the order of the events defined. An event that is due while the previous one is not answered
yet is late; the report counts it. The delay of an event counts from its actual publication.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from multiprocessing.connection import Connection
from threading import Thread
from typing import Protocol

import httpx

from sseclient_cli.client.connection import ERROR_BODY_TIMEOUT_S
from sseclient_cli.client.exception_mapping import mapped_exceptions
from sseclient_cli.client.request_body import Body
from sseclient_cli.client.transport import Transport
from sseclient_cli.ending_signals import ending_signals
from sseclient_cli.errors import BadStatusError, PublishCommandError, SseError, UnansweredError, UsageError
from sseclient_cli.escaping import visible
from sseclient_cli.event_loop import EventLoop
from sseclient_cli.measure.publications import Publication
from sseclient_cli.redaction import redacted_text
from sseclient_cli.request.target import Target
from sseclient_cli.response_errors import MAX_BODY_BYTES, body_message
from sseclient_cli.run.messages import Ready, Start
from sseclient_cli.run.publish_plan import PublishPlan
from sseclient_cli.units import NS_PER_S

ANSWER_TIMEOUT_S = 10.0
"""Default time limit of a publish request: longer than any run should wait for its next event."""

MAX_EXPLANATION_CHARS = 120
"""Characters of the last line of a command, in an error."""

COMMAND_ENDS_S = 2.0
"""Time for a command to end after the end of its stdin."""

MAX_STDERR_BYTES = 4096

LAST_ANSWER_S = 1.0
"""Time for the answer to the last event after the end of the run."""

Stamp = Callable[[], bytes]
"""Returns the body with the current time in it, and remembers the time."""


class Publisher(Protocol):
    """Publishes one event at a time."""

    async def open(self) -> None:
        """Prepare for the first event. Raises SseError."""

    async def publish(self, size_bytes: int, stamp: Stamp) -> int | None:
        """Publish an event. Return when the answer arrived (monotonic); None if there is none. Raises SseError."""

    async def close(self) -> None:
        """Release what the publisher holds."""


class HttpPublisher:
    """Publishes each event with a request on a new connection, so that a load balancer distributes them."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._timeout_s = target.head_timeout_s or ANSWER_TIMEOUT_S

    async def open(self) -> None:
        """Load certificates. No request is sent: it would publish an event."""
        timeout = httpx.Timeout(self._timeout_s, connect=self._target.connect_timeout_s)
        self._client = httpx.AsyncClient(
            transport=Transport(self._target),
            timeout=timeout,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # every event is the same request
        )

    async def publish(self, size_bytes: int, stamp: Stamp) -> int | None:
        """Send the request. The time is taken when only the body remains to be sent."""
        target = self._target
        request = self._client.build_request(target.method, target.url, headers=_headers(target, size_bytes))
        request.stream = Body(stamp)  # made once the connection is open and the request head is sent
        try:
            async with asyncio.timeout(self._timeout_s):
                with mapped_exceptions(target, self._timeout_s, answered=False):
                    response = await self._client.send(request, stream=True)
                answered_ns = time.monotonic_ns()
                try:
                    if not response.is_success:
                        raise await _refused(target, response)
                finally:
                    await response.aclose()
        except TimeoutError as exc:
            raise UnansweredError(f"no answer to a publish request within {self._timeout_s:g} s") from exc
        return answered_ns

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()


def _headers(target: Target, body_bytes: int) -> list[tuple[bytes, bytes]]:
    given = {name.lower() for name, _ in target.headers}
    host = [] if "host" in given else [("Host", target.parsed_url.netloc.decode("ascii"))]
    return [
        (name.encode(), value.encode()) for name, value in (*host, *target.headers, ("Content-Length", str(body_bytes)))
    ]


async def _refused(target: Target, response: httpx.Response) -> BadStatusError:
    """Return the error for a status other than 2xx, with the start of the body as far as it arrives soon."""
    body = b""
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(ERROR_BODY_TIMEOUT_S):
            async for piece in response.aiter_raw():
                body += piece
                if len(body) >= MAX_BODY_BYTES:
                    break
    text = target.masked(body_message(body[:MAX_BODY_BYTES]))
    said = f": {text}" if text else ""
    words = f"{target.method} {target.redacted_url} was answered with HTTP {response.status_code}{said}"
    return BadStatusError(words, status=response.status_code)


class CommandPublisher:
    """Publishes each event as a line on the stdin of one process, which runs until the end."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self._stderr = b""

    async def open(self) -> None:
        """Start the process, in a session of its own: Ctrl-C must not end it before the workers."""
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=null, stderr=pipe, start_new_session=True
            )
        except OSError as exc:
            reason = (exc.strerror or str(exc)).lower()
            raise UsageError(f"cannot run the publish command {self._command[0]!r}: {reason}") from exc
        self._reading = asyncio.create_task(self._read_stderr())

    async def publish(self, size_bytes: int, stamp: Stamp) -> int | None:
        """Write the line. Nothing answers it."""
        stdin = self._process.stdin
        assert stdin is not None
        if self._process.returncode is not None:
            raise self._ended()
        stdin.write(stamp() + b"\n")
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await stdin.drain()
        except TimeoutError as exc:
            raise PublishCommandError(f"{self._name} does not read its input") from exc
        except OSError as exc:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), COMMAND_ENDS_S)
            raise self._ended() from exc
        return None

    async def close(self) -> None:
        """End its input, and kill it if it does not end by itself; in any case, kill the children that it left."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), COMMAND_ENDS_S)
        with suppress(OSError):
            _kill_group(self._process.pid)
        await self._process.wait()
        self._reading.cancel()

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(MAX_STDERR_BYTES):
            self._stderr = (self._stderr + piece)[-MAX_STDERR_BYTES:]

    @property
    def _name(self) -> str:
        return f"the publish command {self._command[0]!r}"

    def _ended(self) -> PublishCommandError:
        lines = visible(redacted_text(self._stderr.decode("utf-8", "replace")), keep_lines=True).split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")[:MAX_EXPLANATION_CHARS]
        said = f": {last}" if last else ""
        return PublishCommandError(f"{self._name} ended with exit code {self._process.returncode}{said}")


def publish(plan: PublishPlan, connection: Connection) -> None:
    """Publish until the end of the plan, or of the connection. Send ``Ready``, then each publication."""
    # As in a worker, only the coordinator handles these signals. A command has the default handlers: a handler, unlike
    # an ignored or blocked signal, is not inherited.
    for number in ending_signals():
        signal.signal(number, lambda _number, _frame: None)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ending_signals())
    with asyncio.Runner(loop_factory=EventLoop) as runner, suppress(OSError, EOFError):
        runner.run(_published(plan, connection))


async def _published(plan: PublishPlan, connection: Connection) -> None:
    publisher = HttpPublisher(plan.target) if plan.target is not None else CommandPublisher(plan.command)
    try:
        await publisher.open()
    except SseError as exc:
        connection.send(exc)
        return
    loop = asyncio.get_running_loop()
    begin, end = loop.create_future(), asyncio.Event()
    Thread(target=_listen, args=(connection, loop, begin, end), daemon=True).start()
    connection.send(Ready())
    publishing = asyncio.create_task(_follow(plan, connection, publisher, begin, end))
    ending = asyncio.create_task(end.wait())
    await asyncio.wait((publishing, ending), return_when=asyncio.FIRST_COMPLETED)
    # The last event may have reached the streams: the report must know whether it was published.
    await asyncio.wait((publishing,), timeout=LAST_ANSWER_S)
    for task in (publishing, ending):
        task.cancel()
    await publisher.close()


def _listen(
    connection: Connection, loop: asyncio.AbstractEventLoop, begin: asyncio.Future[int], end: asyncio.Event
) -> None:
    """Pass the start on. Any other message, and the end of the connection, end the publishing."""
    with suppress(RuntimeError):  # the loop is closed: publishing is over
        with suppress(OSError, EOFError):
            while isinstance(message := connection.recv(), Start):
                loop.call_soon_threadsafe(begin.set_result, message.at_ns)
        loop.call_soon_threadsafe(begin.cancel)
        loop.call_soon_threadsafe(end.set)


async def _follow(
    plan: PublishPlan, connection: Connection, publisher: Publisher, begin: asyncio.Future[int], end: asyncio.Event
) -> None:
    started_ns = await begin
    for number in range(1, plan.planned + 1):
        due_ns = started_ns + plan.due_ns(number)
        with suppress(TimeoutError):
            await asyncio.wait_for(end.wait(), max(due_ns - time.monotonic_ns(), 0) / NS_PER_S)
        if end.is_set():
            return
        connection.send(await _attempt(plan, publisher, number, started_ns))


async def _attempt(plan: PublishPlan, publisher: Publisher, number: int, started_ns: int) -> Publication:
    began_ns = time.monotonic_ns() - started_ns
    sent_ns: int | None = None

    def stamp() -> bytes:
        nonlocal sent_ns
        sent_ns = time.monotonic_ns() - started_ns
        return plan.body(number, sent_ns)

    kind = message = ""
    answered_ns: int | None = None
    try:
        answered_ns = await publisher.publish(len(plan.body(number, 0)), stamp)
    except SseError as exc:
        kind, message = exc.kind, str(exc)
    return Publication(
        number=number,
        due_ns=plan.due_ns(number),
        began_ns=began_ns,
        sent_ns=sent_ns,
        took_us=None if answered_ns is None or sent_ns is None else (answered_ns - started_ns - sent_ns) // 1000,
        kind=kind,
        message=message,
    )


def _kill_group(pid: int) -> None:
    """Kill a process and its children: a shell may have started some."""
    if sys.platform == "win32":
        os.kill(pid, signal.SIGTERM)
    else:
        os.killpg(pid, signal.SIGKILL)
