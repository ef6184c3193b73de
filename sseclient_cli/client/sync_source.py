"""``SyncEventSource``: the events of one stream for code without an event loop.

How it works. It runs an ``EventSource`` on a private event loop in the caller's thread, and only while the caller waits
for the next event. So there is no second thread and no queue between threads: while the caller's code runs, the socket
is not read, and TCP slows the server down. Ctrl-C interrupts the wait, because it runs in the caller's thread. Events
of one read are returned without running the event loop.
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
    """The arguments of ``EventSource``, except ``client``, which would belong to another event loop."""

    method: str | None
    headers: Headers | HeadersFactory | None
    body: bytes | str | None
    json: object
    params: Params | None
    http2: bool
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
    """The events of one stream: a context manager, and within it an iterator of ``Event``.

    Arguments, properties, errors and reconnection are those of ``EventSource``. Any thread may use it. ``close`` and
    ``restart`` may be called from another thread, a handler, or a signal handler. Handlers run in the iterating thread.
    In a thread with a running event loop it raises UsageError, because it would block that loop.
    """

    def __init__(self, url: str | Target, **options: Unpack[SourceOptions]) -> None:
        if "client" in options:
            raise UsageError("client cannot be used with SyncEventSource: use EventSource, or leave it out")
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
    def retry_s(self) -> float | None:
        """As in ``EventSource``."""
        return self._source.retry_s

    @property
    def arrived_ns(self) -> int:
        """As in ``EventSource``."""
        return self._source.arrived_ns

    @property
    def arrived_by_kernel(self) -> bool:
        """As in ``EventSource``."""
        return self._source.arrived_by_kernel

    def __enter__(self) -> Self:
        _raise_in_running_loop()
        # Not asyncio's event loop, whose close would wait for a name server that does not answer.
        self._runner = asyncio.Runner(loop_factory=EventLoop)
        self._loop = self._runner.get_loop()
        self._run(self._source.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()  # interrupts another thread that iterates
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
        _raise_in_running_loop()  # also raises in a handler of this source, which would deadlock
        with self._one_at_a_time:
            event = None if self._is_closing else self._source.take_received()
            if event is None and not (self._runner is None and self.state is ConnectionState.CLOSED):
                event = self._run(self._next())
        if event is None or self._is_closing:
            raise StopIteration
        return event

    def close(self) -> None:
        """Stop the iteration, and interrupt a wait or a read. The iteration then closes the socket."""
        self._is_closing = True
        self._call(self._source.close)

    def restart(self) -> None:
        """Close the connection and reconnect immediately, as in ``EventSource``."""
        self._call(self._source.restart)

    async def _next(self) -> Event | None:
        return await anext(self._source, None)

    def _run(self, coroutine: Coroutine[object, object, _T]) -> _T:
        if self._runner is None:
            coroutine.close()
            raise UsageError("the SyncEventSource has not been entered: use `with SyncEventSource(...) as source`")
        result = self._runner.run(coroutine)
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        return result

    def _call(self, change: Callable[[], None]) -> None:
        """Apply a change in the iterating thread: now if it waits, otherwise before its next wait."""
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
            except BaseException as exc:  # noqa: BLE001  from a state handler: the iteration raises it
                self._raised = exc

        with suppress(RuntimeError):  # the event loop is closed, so no change is necessary
            loop.call_soon_threadsafe(apply)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _raise_in_running_loop() -> None:
    if _running_loop() is not None:
        raise UsageError(
            "a SyncEventSource would block the event loop of this thread: use `async with EventSource(...)`, "
            "or another thread (asyncio.to_thread)"
        )
