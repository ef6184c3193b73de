import socket

import pytest

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.http2_socket import MAX_UNREAD_BYTES, Http2Socket
from sseclient_cli.engine.poller import Poller
from sseclient_cli.engine.reads import Reads
from sseclient_cli.engine.tcp_transport import TcpTransport
from sseclient_cli.errors import Http2ProtocolError
from sseclient_cli.request.target import Address


def test_answers_that_the_server_does_not_read_are_limited() -> None:
    small = (socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with socket.create_server(("127.0.0.1", 0)) as listener, Poller() as poller:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        transport = TcpTransport(Address(socket.AF_INET, listener.getsockname()), options=(small,))
        connection, _ = listener.accept()
        with connection:
            answers = Http2Socket(transport, "server", lambda: None, poller=poller, clock=RunClock(), reads=Reads())
            sent = 0
            with pytest.raises(Http2ProtocolError, match="does not read the answers"):
                while sent < 2**24:
                    answers.answer(bytes(1700))
                    answers.flush()
                    sent += 1700
            assert sent > MAX_UNREAD_BYTES
            answers.close()
