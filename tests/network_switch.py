"""A switch between network namespaces, as a program: each port is a TAP device with a delay and a loss.

The kernel's netem and a bridge would do the same, but the kernels of many virtual machines are built without netem. A
frame is delayed and may be lost on the way in and on the way out, as with netem at both ends of a cable. The loss is
the same in each run. It reads one command per line from stdin, answers each with a line, and ends with stdin:

    plug NAME PID DELAY_MS LOSS    create the device NAME, and move it into the network of the process PID
    cut NAME OTHER                 lose all frames between these ports silently
    mend NAME                      pass on all frames of this port again
"""

from __future__ import annotations

import fcntl
import os
import selectors
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

TUNSETIFF = 0x400454CA
IFF_TAP_WITHOUT_HEADER = 0x0002 | 0x1000
FRAME_BYTES = 65536


@dataclass
class Port:
    """One cable."""

    name: str
    device: int
    delay_s: float
    loss: float
    cut_from: set[str] = field(default_factory=set)
    """The names of other ports."""


class Switch:
    """Passes frames on to the port that has sent from their address, or to all ports."""

    def __init__(self) -> None:
        self._ports: dict[str, Port] = {}
        self._port_of: dict[bytes, Port] = {}
        self._under_way: list[tuple[float, int, Port, bytes]] = []
        self._count = 0
        self._random = Random(18)
        self._selector = selectors.DefaultSelector()
        self._selector.register(sys.stdin, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until stdin ends."""
        while True:
            wait_s = self._under_way[0][0] - time.monotonic() if self._under_way else None
            for key, _ in self._selector.select(wait_s if wait_s is None else max(wait_s, 0)):
                if key.data is None:
                    line = sys.stdin.readline()
                    if not line:
                        return
                    self._obey(*line.split())
                else:
                    self._read(key.data)
            while self._under_way and self._under_way[0][0] <= time.monotonic():
                _, _, port, frame = heappop(self._under_way)
                write(port.device, frame)

    def _obey(self, command: str, name: str, *rest: str) -> None:
        if command == "plug":
            pid, delay_ms, loss = rest
            port = Port(name, tap(name), float(delay_ms) / 1000, float(loss))
            subprocess.run(["ip", "link", "set", name, "netns", pid], check=True)
            self._ports[name] = port
            self._selector.register(port.device, selectors.EVENT_READ, port)
        else:
            for other in rest or self._ports:
                for one, its in ((name, other), (other, name)):
                    cut_from = self._ports[one].cut_from
                    cut_from.add(its) if command == "cut" else cut_from.discard(its)
        print("done", flush=True)

    def _read(self, port: Port) -> None:
        try:
            frame = os.read(port.device, FRAME_BYTES)
        except OSError:  # its machine has ended
            self._selector.unregister(port.device)
            return
        destination, source = frame[:6], frame[6:12]
        self._port_of[source] = port
        known = self._port_of.get(destination)
        for to in [known] if known else self._ports.values():
            if to is not port and to.name not in port.cut_from:
                self._pass_on(frame, port, to)

    def _pass_on(self, frame: bytes, source: Port, to: Port) -> None:
        if self._random.random() < source.loss or self._random.random() < to.loss:
            return
        self._count += 1
        due_s = time.monotonic() + source.delay_s + to.delay_s
        heappush(self._under_way, (due_s, self._count, to, frame))


def tap(name: str) -> int:
    """Create a TAP device, and return its descriptor."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP_WITHOUT_HEADER))
    return device


def write(device: int, frame: bytes) -> None:
    try:
        os.write(device, frame)
    except OSError:
        return  # the device is down, or its queue is full: the frame is lost


if __name__ == "__main__":
    Switch().run()
