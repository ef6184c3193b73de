"""Machines of a test: network namespaces with a host name and an address each, at the ports of one switch.

`Machine.command` is the prefix of a command that runs there. A machine may have a monotonic clock of its own (a time
namespace). Everything ends with the block, and with the test's process.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
from namespaces import can_unshare
from real_processes import children_of

T = TypeVar("T")
SWITCH = Path(__file__).with_name("network_switch.py")
SET_UP = 'hostname "$0" && ip link set lo up && {} echo ready && exec cat'
FILES = {"mount": "mnt"}
CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class Machine:
    """A host: programs that were started with its prefix see only its name, its clock and its network."""

    name: str
    address: str
    pid: int
    namespaces: tuple[str, ...]
    _network: Network

    @property
    def prefix(self) -> list[str]:
        return ["nsenter", *(f"--{name}=/proc/{self.pid}/ns/{FILES.get(name, name)}" for name in self.namespaces)]

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in this test's process, with the network of the machine."""
        results: list[T] = []

        def enter_and_call() -> None:
            with open(f"/proc/{self.pid}/ns/net", "rb") as file:
                assert ctypes.CDLL(None).setns(file.fileno(), CLONE_NEWNET) == 0  # of this thread alone
            results.append(function())

        thread = threading.Thread(target=enter_and_call)
        thread.start()
        thread.join()
        (result,) = results
        return result

    def run(self, *command: str, stdin: str = "") -> None:
        """Run a command there to its end."""
        subprocess.run([*self.prefix, *command], input=stdin, text=True, check=True)

    def cut_from(self, *others: Machine) -> None:
        """From now on, lose all packets between these machines silently."""
        for other in others:
            self._network.order(f"cut {self.name} {other.name}")

    def mend(self) -> None:
        self._network.order(f"mend {self.name}")

    def refuse_route_to(self, other: Machine) -> None:
        """Let connections to the other machine fail at once: unreachable."""
        self.run("ip", "route", "add", "unreachable", other.address)


class Network:
    """A switch, and the machines at its ports."""

    def __init__(self, ends: ExitStack) -> None:
        self._ends = ends
        self._machines = 0
        self._switch = self._start(["unshare", "--net", sys.executable, "-S", str(SWITCH)])

    def machine(
        self,
        name: str,
        *,
        delay_ms: float = 0,
        loss: float = 0,
        monotonic_offset_s: int | None = None,
        own_folder: Path | None = None,
    ) -> Machine:
        """Add a machine. Each frame is delayed so, and lost with this probability, in both directions.

        Files in `own_folder` exist on this machine only.
        """
        self._machines += 1
        address = f"10.77.0.{self._machines}"
        options, set_up = {"net": ["--net"], "uts": ["--uts"]}, ""
        if monotonic_offset_s is not None:
            options["time"] = ["--time", f"--monotonic={monotonic_offset_s}"]
        if own_folder is not None:
            options["mount"] = ["--mount"]
            set_up = f"mount -t tmpfs none {own_folder} &&"
        flags = [word for words in options.values() for word in words]
        holder = self._start(["unshare", *flags, "--fork", "sh", "-c", SET_UP.format(set_up), name])
        assert said(holder) == "ready"
        (pid,) = children_of(holder.pid)
        self.order(f"plug {name} {pid} {delay_ms} {loss}")
        machine = Machine(name, address, pid, tuple(options), self)
        machine.run("ip", "-batch", "-", stdin=f"addr add {address}/24 dev {name}\nlink set {name} up\n")
        return machine

    def order(self, command: str) -> None:
        assert self._switch.stdin is not None
        self._switch.stdin.write(f"{command}\n")
        self._switch.stdin.flush()
        assert said(self._switch) == "done"

    def _start(self, command: list[str]) -> subprocess.Popen[str]:
        """Start a program that ends with its stdin."""
        pipe = subprocess.PIPE
        return self._ends.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


@contextmanager
def network() -> Iterator[Network]:
    """Run a switch for machines. Skip the test if this process cannot create namespaces, except in CI."""
    if not can_have_machines():
        if os.environ.get("CI"):
            pytest.fail("no network namespaces: they require root, iproute2 and /dev/net/tun")
        pytest.skip("requires root, iproute2 and /dev/net/tun")
    with ExitStack() as ends:
        yield Network(ends)


@cache
def can_have_machines() -> bool:
    """Return whether this process can create namespaces and TAP devices."""
    return can_unshare("-nuT") and os.access("/dev/net/tun", os.W_OK)
