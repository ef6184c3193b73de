"""The machines that the tests of a cluster run on differ as real ones do."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_programs import DEMO_CODE, ForkedPopen, RealPopen
from machines import Machine, Network, network

SHOWS_ITS_MACHINE = "import os, socket, time; print(socket.gethostname(), time.monotonic(), flush=True); os._exit(0); "


@pytest.fixture(name="net", scope="module")
def running_network() -> Iterator[Network]:
    with network() as net:
        yield net


def echo_server(machine: Machine) -> socket.socket:
    return machine.call(lambda: socket.create_server((machine.address, 0)))


def test_machine_has_its_own_name_and_clock(net: Network) -> None:
    machine = net.machine("later", monotonic_offset_s=5000)
    for start in (RealPopen, ForkedPopen):  # `nsenter`, and its double in fork_server.py
        command = [*machine.prefix, sys.executable, "-c", SHOWS_ITS_MACHINE + DEMO_CODE]
        with start(command, stdout=subprocess.PIPE, text=True) as process:
            name, monotonic_s = process.communicate(timeout=30)[0].split()
        assert name == "later"
        assert float(monotonic_s) - time.monotonic() == pytest.approx(5000, abs=30)


def test_packets_are_delayed_at_each_port(net: Network) -> None:
    near, far = net.machine("near", delay_ms=10), net.machine("far", delay_ms=50)
    with echo_server(far) as server:
        connect_s = []
        for _ in range(3):
            began_s = time.monotonic()
            near.call(lambda: socket.create_connection(server.getsockname(), timeout=30)).close()
            connect_s.append(time.monotonic() - began_s)
        assert min(connect_s) >= 0.12


def test_cut_connection_loses_packets_silently_until_it_is_mended(net: Network) -> None:
    one, other = net.machine("one"), net.machine("other")
    with echo_server(other) as server:
        client = one.call(lambda: socket.create_connection(server.getsockname(), timeout=30))
        peer, _ = server.accept()
        with client, peer:
            other.cut_from(one)
            client.sendall(b"lost for now")
            peer.settimeout(0.3)
            with pytest.raises(TimeoutError):
                peer.recv(100)
            other.mend()
            peer.settimeout(30)
            assert peer.recv(100) == b"lost for now"


def test_connection_survives_packet_loss(net: Network) -> None:
    one, lossy = net.machine("sender"), net.machine("lossy", loss=0.05)
    with echo_server(lossy) as server:
        client = one.call(lambda: socket.create_connection(server.getsockname(), timeout=30))
        peer, _ = server.accept()
        with client, peer:
            client.sendall(bytes(300_000))
            received = 0
            while received < 300_000:
                received += len(peer.recv(100_000))


def test_file_in_a_folder_of_its_own_exists_on_one_machine_only(net: Network, tmp_path: Path) -> None:
    alone = net.machine("alone", own_folder=tmp_path)
    alone.run("sh", "-c", f"echo here > {tmp_path}/file && grep -q here {tmp_path}/file")
    assert list(tmp_path.iterdir()) == []
