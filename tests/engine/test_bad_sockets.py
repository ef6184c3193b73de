"""The socket calls of bad clients, against the kernel: what the server's socket sees of them."""

import errno
import fcntl
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from sseclient_cli.engine.bad_sockets import (
    SLOW_OPTIONS,
    is_answered,
    pending_error,
    probe,
    reappear,
    reset_on_close,
    vanish,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="socket filters, TCP_INFO")

Pair = tuple[socket.socket, socket.socket]

ESTABLISHED = 1


@pytest.fixture(name="pair")
def connected_pair() -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        for option in SLOW_OPTIONS:
            client.setsockopt(*option)
        client.connect(listener.getsockname())
        client.setblocking(False)
        server, _ = listener.accept()
        with server:
            server.setblocking(False)
            yield client, server


def _until(is_so: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)


def _state_and_retransmissions(connection: socket.socket) -> tuple[int, int]:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return info[0], struct.unpack_from("I", info, 100)[0]


def _fill(server: socket.socket) -> None:
    with pytest.raises(BlockingIOError):
        while True:
            server.send(b"x" * 1000)


def test_a_vanished_client_neither_acknowledges_nor_closes(pair: Pair) -> None:
    client, server = pair
    vanish(client)
    server.send(b"event")
    _until(lambda: _state_and_retransmissions(server)[1] >= 2)
    assert _state_and_retransmissions(server)[0] == ESTABLISHED
    assert pending_error(server) is None
    with pytest.raises(BlockingIOError):
        client.recv(1)


def test_a_server_that_holds_a_vanished_client_answers_when_it_reappears(pair: Pair) -> None:
    client, server = pair
    vanish(client)
    server.send(b"event")
    reappear(client)
    probe(client)
    _until(lambda: is_answered(client))
    assert pending_error(client) is None


def test_a_server_that_dropped_a_vanished_client_answers_with_a_reset(pair: Pair) -> None:
    client, server = pair
    vanish(client)
    server.send(b"event")
    server.close()
    time.sleep(0.05)
    assert pending_error(client) is None  # its FIN did not arrive
    reappear(client)
    probe(client)
    error = _reset_of(client)
    assert error.errno == errno.ECONNRESET


def test_the_end_of_a_connection_behind_unread_data_is_seen_by_a_probe_alone(pair: Pair) -> None:
    client, server = pair
    _fill(server)
    server.close()
    time.sleep(0.05)
    poll = select.epoll()
    poll.register(client.fileno(), 0)
    assert poll.poll(0) == []
    probe(client)
    assert _reset_of(client).errno == errno.ECONNRESET
    poll.close()


def test_a_server_does_not_see_a_probe(pair: Pair) -> None:
    client, server = pair
    poll = select.epoll()
    poll.register(server.fileno(), select.EPOLLIN)
    for _ in range(5):
        probe(client)
        _until(lambda: is_answered(client))
    assert poll.poll(0) == []
    client.send(b"after")
    _until(lambda: poll.poll(0))
    assert server.recv(100) == b"after"
    poll.close()


def test_the_buffers_for_a_slow_client_are_those_of_a_network(pair: Pair) -> None:
    client, server = pair
    _fill(server)
    unread = int.from_bytes(fcntl.ioctl(server.fileno(), 0x5411, bytes(4)), sys.byteorder)  # TIOCOUTQ
    assert unread < 500_000  # with the segments of loopback, 2.8 MB
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 8192


def test_an_abrupt_end_is_a_reset_for_the_server(pair: Pair) -> None:
    client, server = pair
    reset_on_close(client)
    client.close()
    _until(lambda: select.select([server], [], [], 0)[0])
    with pytest.raises(ConnectionResetError):
        server.recv(1)


def _reset_of(client: socket.socket) -> OSError:
    deadline_s = time.monotonic() + 20
    while (error := pending_error(client)) is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.002)
    return error
