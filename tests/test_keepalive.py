import socket
import sys

import pytest

from sseclient_cli.keepalive import VANISHED_AFTER_S, keep_alive


@pytest.mark.skipif(sys.platform != "linux", reason="the option names are Linux's")
def test_a_vanished_peer_is_detected_in_about_twenty_seconds() -> None:
    with socket.socket() as sock:
        keep_alive(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        idle_s, interval_s, probes = (
            sock.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
    assert idle_s + interval_s * probes == VANISHED_AFTER_S
    assert 15 <= VANISHED_AFTER_S <= 25


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no unix sockets on this platform")
def test_a_unix_socket_is_not_changed() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        keep_alive(sock)
