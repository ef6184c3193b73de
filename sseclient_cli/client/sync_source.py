"""``SyncEventSource``: the events of one stream for code without an event loop.

How it works. It runs an ``EventSource`` on a private event loop, in the thread that asks for the next event, and only
while that thread waits. So there is no second thread, no queue between threads and no limit to choose: while the
caller's code runs, nothing is read, and TCP slows the server down. Ctrl-C ends the wait, because the caller's thread is
the one that waits. Events of one read are handed over without running the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self, TypedDict, TypeVar, Unpack

from sseclient_cli.client.request import Headers, HeadersFactory, Params
from sseclient_cli.client.source import EventSource
from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.errors import UsageError
from sseclient_cli.event_loop import EventLoop
from sseclient_cli.request.target import Target
from sseclient_cli.sse.event_stream import Event

_T = TypeVar("_T")


class SourceOptions(TypedDict, total=False):
    """The arguments of ``EventSource``, but ``client``, which belongs to an event loop of the caller."""

    method: str | None
    headers: Headers | HeadersFactory | None
    body: bytes | str | None
    json: object
    params: Params | None
    proxy: str | None
    trust_env: bool
    last_event_id: str
    read_timeout_s: float | None
    reconnect: bool | None
    max_reconnects: int | None
    reconnection_time_s: float
    max_backoff_s: float
    retry_statuses: Collection[int]
    on_comment: Callable[[str], Awaitable[None] | None] | None
    on_state: Callable[[StateChange], None] | None
    max_event_bytes: int
    on_trace: Callable[[str], None] | None


class SyncEventSource:
    """The events of a stream: a context manager, and inside it an iterator of ``Event``.

    Arguments, properties, errors and the rules of reconnection are those of ``EventSource``. Any thread may use it.
    ``close`` and ``restart`` may be called in another thread, a handler, or a signal handler. Handlers run in the
    thread that iterates. In a thread with a running event loop it raises UsageError, because it would block that loop.
    """

    def __init__(self, url: str | Target, **options: Unpack[SourceOptions]) -> None:
        if "client" in options:
            raise UsageError("client belongs to an event loop of yours: use EventSource, or leave it out")
        self._source = EventSource(url, **options)
        self._runner: asyncio.Runner | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._one_at_a_time = threading.Lock()
        self._is_closing = False
        self._raised: BaseException | None = None

    @property
    def url(self) -> str:
        """As in ``EventSource``."""
        return self._source.url

    @property
    def state(self) -> ConnectionState:
        """As in ``EventSource``."""
        return self._source.state

    @property
    def last_event_id(self) -> str:
        """As in ``EventSource``."""
        return self._source.last_event_id

    @property
    def response_headers(self) -> Mapping[str, str]:
        """As in ``EventSource``."""
        return self._source.response_headers

    @property
    def response_status(self) -> int | None:
        """As in ``EventSource``."""
        return self._source.response_status

    @property
    def response_url(self) -> str | None:
        """As in ``EventSource``."""
        return self._source.response_url

    @property
    def reconnection_time_s(self) -> float:
        """As in ``EventSource``."""
        return self._source.reconnection_time_s

    @property
    def arrived_ns(self) -> int:
        """As in ``EventSource``."""
        return self._source.arrived_ns

    @property
    def arrived_by_kernel(self) -> bool:
        """As in ``EventSource``."""
        return self._source.arrived_by_kernel

    def __enter__(self) -> Self:
        _refuse_running_loop()
        # Not asyncio's loop, which waits for a name server at its end.
        self._runner = asyncio.Runner(loop_factory=EventLoop)
        self._loop = self._runner.get_loop()
        self._run(self._source.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()  # wakes another thread that iterates
        with self._one_at_a_time:
            runner = self._runner
            if runner is None:
                return
            try:
                self._run(self._source.__aexit__(kind, error, traceback))
            finally:
                self._runner = None
                runner.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        _refuse_running_loop()  # also a handler of this source, which would wait for itself
        with self._one_at_a_time:
            event = None if self._is_closing else self._source.take_received()
            if event is None and not (self._runner is None and self.state is ConnectionState.CLOSED):
                event = self._run(self._next())
        if event is None or self._is_closing:
            raise StopIteration
        return event

    def close(self) -> None:
        """Deliver nothing more, and end a wait or a read at once. The socket is closed by the iteration."""
        self._is_closing = True
        self._call(self._source.close)

    def restart(self) -> None:
        """Give up the connection, and connect again at once: as in ``EventSource``."""
        self._call(self._source.restart)

    async def _next(self) -> Event | None:
        return await anext(self._source, None)

    def _run(self, coroutine: Coroutine[object, object, _T]) -> _T:
        if self._runner is None:
            coroutine.close()
            raise UsageError("a SyncEventSource is used inside `with SyncEventSource(...) as source`")
        result = self._runner.run(coroutine)
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        return result

    def _call(self, change: Callable[[], None]) -> None:
        """Make a change in the thread that iterates: now if it waits, else before its next wait."""
        loop = self._loop
        if loop is None:
            change()
            return
        if _running_loop() is loop:
            change()
            loop.call_soon_threadsafe(lambda: None)  # a signal handler alone does not end the loop's wait (PEP 475)
            return

        def apply() -> None:
            try:
                change()
            except BaseException as exc:  # noqa: BLE001  of a state handler: it comes out of the iteration
                self._raised = exc

        with suppress(RuntimeError):  # the loop is closed: there is nothing to change any more
            loop.call_soon_threadsafe(apply)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _refuse_running_loop() -> None:
    if _running_loop() is not None:
        raise UsageError(
            "a SyncEventSource would block the event loop of this thread: use `async with EventSource(...)`, "
            "or another thread (asyncio.to_thread)"
        )
