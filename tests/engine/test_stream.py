"""A single stream without a worker; the tests run the turns of its poller."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engines import engine_context, measurement_of
from scripted_server import head

from sseclient_cli.engine.context import EngineContext
from sseclient_cli.engine.exchange import Phase
from sseclient_cli.engine.observer import StreamObserver
from sseclient_cli.engine.poller import Poller
from sseclient_cli.engine.stream import Stream
from sseclient_cli.engine.tcp_transport import READ_BYTES
from sseclient_cli.errors import SseError
from sseclient_cli.measure.event_sampler import EventSampler
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.sse.event_stream import Event


class NullOwner:
    """An owner that does nothing."""

    def opened(self, stream: Stream) -> None:
        pass

    def ended(self, stream: Stream, error: SseError | None, was: Phase) -> None:
        raise AssertionError(error)

    def completed(self, stream: Stream) -> None:
        pass


def run_turns(context: EngineContext) -> None:
    for _ in range(20):
        context.poller.handle_ready(0.01)


@contextmanager
def connected(*more: StreamObserver) -> Iterator[tuple[EngineContext, EventSampler, Stream, socket.socket]]:
    """Yield a connected stream and the server's socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener, Poller() as poller:
        context = engine_context(poller, listener.getsockname()[1])
        context.clock.ends_ns = time.monotonic_ns() + 10**12
        context.clock.synchronize()
        sampler = EventSampler(measurement_of(context, Choice.NONE))
        stream = Stream(context, NullOwner(), observers=(sampler, *more))
        stream.connect(time.monotonic_ns())
        connection, _ = listener.accept()
        with connection:
            run_turns(context)
            yield context, sampler, stream, connection
            stream.close()


def test_data_read_after_the_end_of_the_run_is_not_counted() -> None:
    with connected() as (context, sampler, stream, connection):
        connection.sendall(head() + b"data: in time\n\n")
        run_turns(context)
        assert (stream.phase, sampler.events) == (Phase.OPEN, 1)
        counted_bytes = context.reads.body_bytes
        context.clock.end_now()
        connection.sendall(b"data: too late\n\n")
        run_turns(context)
        assert (sampler.events, context.reads.body_bytes) == (1, counted_bytes)


def test_stream_with_unread_data_requests_the_next_turn_at_once() -> None:
    with connected() as (context, sampler, stream, connection):
        connection.sendall(head() + b"data: x\n\n" * 5000)
        while (stream.receive_queue_bytes() or 0) <= READ_BYTES:
            time.sleep(0.001)
        has_more = []
        while sampler.events < 5000:
            context.poller.handle_ready(1)
            has_more.append(context.poller.has_more)
        assert has_more[0]
        assert not has_more[-1]


class Data(StreamObserver):
    """An observer that stores the data of events."""

    def __init__(self) -> None:
        self.data: list[str] = []

    def received(
        self,
        body: bytes,
        events: list[Event],
        arrival_ns: int,
        arrival_monotonic_ns: int,
        *,
        is_exact: bool,
        is_fresh: bool,
    ) -> None:
        self.data += [event.data for event in events]


def test_all_observers_of_a_stream_receive_its_events() -> None:
    first, second = Data(), Data()
    with connected(first, second) as (context, sampler, _, connection):
        connection.sendall(head() + b"data: a\n\ndata: b\n\n")
        run_turns(context)
    assert (sampler.events, first.data, second.data) == (2, ["a", "b"], ["a", "b"])
