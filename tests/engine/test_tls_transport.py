"""TLS over a real socket, with a server that decides which bytes arrive together."""

import socket
import ssl
import time
from select import select

import pytest
from certificates import Authority

from sseclient_cli.engine.tcp_transport import TIMESTAMPING_STARTS_S, has_timestamps, keep_timestamping
from sseclient_cli.engine.tls_transport import TlsTransport
from sseclient_cli.request.target import Address

WAIT_S = 20


def test_data_that_arrives_with_the_end_of_the_handshake_has_its_timestamp(authority: Authority) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = authority.server(newest=ssl.TLSVersion.TLSv1_2).wrap_bio(incoming, outgoing, server_side=True)
    context = ssl.create_default_context(cafile=authority.file)
    with socket.create_server(("127.0.0.1", 0)) as listener, keep_timestamping():
        time.sleep(TIMESTAMPING_STARTS_S)
        address = Address(socket.AF_INET, listener.getsockname())
        transport = TlsTransport(address, None, context, "127.0.0.1")
        connection, _ = listener.accept()
        with connection:
            transport.finish_connect()
            while not transport.handshake():
                incoming.write(connection.recv(65_536))
                try:
                    server.do_handshake()
                    server.write(b"early")
                except ssl.SSLWantReadError:
                    pass
                connection.sendall(outgoing.read())
                select([transport], [], [], WAIT_S)
            data, timestamp_ns = transport.read()
            assert (data, timestamp_ns > 0) == (b"early", has_timestamps(address))
            with pytest.raises(BlockingIOError):
                transport.read()
        transport.close()
