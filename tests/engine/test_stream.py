"""One stream by itself, its poller turned by hand."""

import socket
import time

from scripted_server import head

from sseclient_cli.engine.connector import Connector
from sseclient_cli.engine.context import Bench
from sseclient_cli.engine.phase import Phase
from sseclient_cli.engine.poller import Poller
from sseclient_cli.engine.stream import Stream
from sseclient_cli.engine.tcp_transport import READ_BYTES
from sseclient_cli.errors import SseError
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.measure.field_reader import KnownFields
from sseclient_cli.measure.undecided_events import UndecidedEvents
from sseclient_cli.request.target import Address, ResolvedTarget, Target


class Nobody:
    """An owner that wants nothing."""

    def opened(self, stream: Stream) -> None:
        pass

    def ended(self, stream: Stream, error: SseError | None, was: Phase) -> None:
        raise AssertionError(error)

    def completed(self, stream: Stream) -> None:
        pass


def turned(bench: Bench) -> None:
    for _ in range(20):
        bench.poller.handle_ready(0.01)


def test_what_is_read_after_the_end_of_the_run_does_not_count() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, Poller() as poller:
        hop = ResolvedTarget(Target(url="http://127.0.0.1:1/"), Address(socket.AF_INET, listener.getsockname()))
        bench = Bench(
            route=Connector((hop,)), poller=poller, undecided=UndecidedEvents(KnownFields(Choice.NONE, Choice.NONE))
        )
        bench.ends_ns = time.monotonic_ns() + 10**12
        bench.look_at_clocks()
        stream = Stream(bench, Nobody(), 0)
        stream.connect(time.monotonic_ns())
        connection, _ = listener.accept()
        with connection:
            turned(bench)
            connection.sendall(head() + b"data: in time\n\n")
            turned(bench)
            assert (stream.phase, bench.recorder.events) == (Phase.OPEN, 1)
            counted_bytes = bench.recorder.bytes
            bench.end_now()
            connection.sendall(b"data: too late\n\n")
            turned(bench)
            assert (bench.recorder.events, bench.recorder.bytes) == (1, counted_bytes)
            stream.close()


def test_a_stream_whose_socket_holds_more_than_a_read_asks_for_the_next_turn_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, Poller() as poller:
        hop = ResolvedTarget(Target(url="http://127.0.0.1:1/"), Address(socket.AF_INET, listener.getsockname()))
        bench = Bench(
            route=Connector((hop,)), poller=poller, undecided=UndecidedEvents(KnownFields(Choice.NONE, Choice.NONE))
        )
        bench.ends_ns = time.monotonic_ns() + 10**12
        bench.look_at_clocks()
        stream = Stream(bench, Nobody(), 0)
        stream.connect(time.monotonic_ns())
        connection, _ = listener.accept()
        with connection:
            turned(bench)
            connection.sendall(head() + b"data: x\n\n" * 5000)
            while (stream.wire.receive_queue_bytes() or 0) <= READ_BYTES:
                time.sleep(0.001)
            asked = []
            while bench.recorder.events < 5000:
                poller.handle_ready(1)
                asked.append(poller.has_more)
            assert asked[0]
            assert not asked[-1]
            stream.close()
