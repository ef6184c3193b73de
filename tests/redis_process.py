"""A Redis or Valkey server of a test, on a Unix socket and with a password."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from real_processes import until
from redis import Redis
from redis.exceptions import RedisError

PASSWORD = "a secret/of?this#test"


class RedisProcess:
    """The server, which keeps nothing over a restart."""

    def __init__(self, program: str, folder: Path) -> None:
        socket = folder / "socket"
        self.url = f"unix://{socket}?password=a%20secret%2Fof%3Fthis%23test"
        self._command = [program, "--port", "0", "--unixsocket", str(socket), "--requirepass", PASSWORD, "--save", ""]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=subprocess.DEVNULL)
        until(self._answers, timeout_s=30)

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Let it accept connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def client(self) -> Redis:
        return Redis.from_url(self.url, protocol=2)

    def blocked_readers(self) -> int:
        """Return the number of connections that wait for new entries of a stream."""
        with self.client() as client:
            return sum("b" in other["flags"] and other["cmd"] == "xread" for other in client.client_list())

    def pattern_subscribers(self) -> int:
        """Return the number of connections with PSUBSCRIBE."""
        with self.client() as client:
            return sum(int(other["psub"]) > 0 for other in client.client_list())

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False


@contextmanager
def redis_process() -> Iterator[RedisProcess]:
    """Run a server with a new, empty data set."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not installed")  # .ci/run installs it
        pytest.skip("redis-server is not installed")
    with TemporaryDirectory(prefix="redis-") as folder:  # the path of a socket has 107 bytes at most
        server = RedisProcess(program, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
