import contextlib
import errno
import socket
import sys
import time

import pytest

from sseclient_cli.engine.tcp_transport import TcpTransport, connect_error
from sseclient_cli.errors import LimitError
from sseclient_cli.measure.saturation import MAX_RECEIVE_QUEUE_BYTES
from sseclient_cli.request.target import Address


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot tell the queue size")
def test_unread_bytes_are_in_the_receive_queue() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = TcpTransport(Address(socket.AF_INET, listener.getsockname()))
        connection, _ = listener.accept()
        with connection:
            assert transport.receive_queue_bytes() == 0
            connection.sendall(b"x" * 5000)
            while transport.receive_queue_bytes() != 5000:
                time.sleep(0.001)
            assert len(transport.read()[0]) == 5000
            assert transport.receive_queue_bytes() == 0
        transport.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the limit fits the default window of Linux")
@pytest.mark.parametrize("event_bytes", [40, 250, 4000, 100_000])
def test_server_blocks_at_the_receive_queue_limit_and_not_below(event_bytes: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = TcpTransport(Address(socket.AF_INET, listener.getsockname()))
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(0.2)
            with pytest.raises(TimeoutError):
                while True:
                    connection.sendall(b"x" * event_bytes)
            assert (transport.receive_queue_bytes() or 0) >= MAX_RECEIVE_QUEUE_BYTES
        transport.close()


def test_error_without_local_ports_names_source_address_option() -> None:
    error = connect_error(errno.EADDRNOTAVAIL)
    assert error.kind == "limit"
    assert "no local port is left" in str(error)
    assert error.code == "local-ports"


def test_too_many_open_files_is_a_limit_error() -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (listener.fileno() + 20, hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with pytest.raises(LimitError, match="open files"):
            for _ in range(100):
                stack.callback(TcpTransport(Address(socket.AF_INET, listener.getsockname())).close)


def test_socket_disables_nagles_algorithm() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = TcpTransport(Address(socket.AF_INET, listener.getsockname()))
        connection, _ = listener.accept()
        with connection:
            transport.finish_connect()
            assert transport._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        transport.close()
