"""Starts `sse`, the demo server and uvicorn by `fork_server.py` wherever a test starts them as `python -m`.

It replaces `subprocess.Popen`, which `subprocess.run` and asyncio use too, by a class that differs in the start of
these programs only. A process with other options of the interpreter (`-X`, `-W`, `-P`), another Python environment, or
a shell before it, starts as usual.
"""

from __future__ import annotations

import ctypes
import inspect
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

from fork_server import HEADER_BYTES, Order, received

SERVER = Path(__file__).with_name("fork_server.py")
PROGRAMS = {"sseclient_cli": "sseclient_cli", "demo_server": "demo_server", "uvicorn": "demo_server"}
"""What `python -m` runs, and the package whose imports it shares."""

MODULES = {
    "sseclient_cli": [
        "sseclient_cli", "typer._adapters", "anyio._backends._asyncio", "encodings.idna", "rich._emoji_codes",
    ],
    "demo_server": [
        "demo_server", "anyio._backends._asyncio", "encodings.idna", "argparse", "uvicorn.main", "uvicorn.lifespan.on",
        "uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
    ],
}  # fmt: skip
"""The modules to import, with their submodules: those of the package, and what they import when they run."""

DEMO_CODE = "from demo_server.__main__ import main; main()"
"""Code that ends so runs the demo server, with something changed before."""

OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "OPENSSL_")
"""Beginnings of variables that are read at the start of the interpreter, or by imports."""

PR_SET_CHILD_SUBREAPER = 36


class ForkServer:
    """The server for one package and one value of PYTHONUTF8."""

    def __init__(self, package: str, utf8: str) -> None:
        environment = {**_environment, "PYTHONUTF8": utf8}
        ours, theirs = socket.socketpair()
        room = "-" * 4000  # see fork_server.show_arguments
        command = [sys.executable, str(SERVER), str(theirs.fileno()), ",".join(MODULES[package]), room]
        self._process = RealPopen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], env=environment)
        theirs.close()
        self._control = ours

    def start(self, order: Order, descriptors: list[int]) -> int:
        """Start a process with these descriptors as 0, 1 and 2, and return its number."""
        data = json.dumps(asdict(order)).encode()
        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            socket.send_fds(self._control, [len(data).to_bytes(HEADER_BYTES, "big")], descriptors)
            self._control.sendall(data)
            return int.from_bytes(received(self._control, HEADER_BYTES), "big")
        finally:
            prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def end(self) -> None:
        self._control.close()
        self._process.wait()


RealPopen = subprocess.Popen
_lock = Lock()
_servers: dict[tuple[str, str], ForkServer] = {}
_environment: dict[str, str] = {}


class ForkedPopen(RealPopen[Any]):
    """`subprocess.Popen`, with programs of this project forked."""

    def _execute_child(self, *args: Any, **options: Any) -> None:
        start = inspect.signature(super()._execute_child).bind(*args, **options).arguments  # type: ignore[misc]
        key = _server_of(start)
        if key is None:
            super()._execute_child(*args, **options)  # type: ignore[misc]
            return
        pipes = [start["p2cread"], start["c2pwrite"], start["errwrite"]]
        descriptors = [number if pipe == -1 else pipe for number, pipe in enumerate(pipes)]
        with _lock:
            if key not in _servers:
                _servers[key] = ForkServer(*key)
            self.pid = _servers[key].start(_order(start), descriptors)
        self._child_created = True
        self._close_pipe_fds(  # type: ignore[attr-defined]
            *(start[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite"))
        )


def _order(start: dict[str, Any]) -> Order:
    return Order(
        arguments=[os.fspath(argument) for argument in start["args"][1:]],
        environment=dict(os.environ) if start["env"] is None else start["env"],
        directory=os.fspath(start["cwd"] or os.getcwd()),
        parent=os.getpid(),
        new_session=start["start_new_session"],
        process_group=-1 if start["process_group"] is None else start["process_group"],
        umask=_umask() if start["umask"] < 0 else start["umask"],
        open_files=list(resource.getrlimit(resource.RLIMIT_NOFILE)),
        ignores_interrupt=signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        blocked_signals=sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    )


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def _server_of(start: dict[str, Any]) -> tuple[str, str] | None:
    """Return the key of the server that can start this process; None if it must start as usual."""
    usual = start["shell"] or start["executable"] or start["preexec_fn"] or start["pass_fds"]
    if usual or not start["close_fds"] or isinstance(start["args"], (str, bytes, os.PathLike)):
        return None
    if start["cwd"] is not None and not os.path.isdir(start["cwd"]):
        return None
    environment = os.environ if start["env"] is None else start["env"]
    if _of_the_interpreter(environment) != _of_the_interpreter(_environment):
        return None
    package = _package_of(list(start["args"]))
    return (package, environment.get("PYTHONUTF8", "")) if package else None


def _package_of(command: list[Any]) -> str | None:
    match command:
        case [sys.executable, "-m", str(module), *_]:
            return PROGRAMS.get(module)
        case [sys.executable, "-c", str(code), *_] if code.endswith(DEMO_CODE):
            return "demo_server"
    return None


def _of_the_interpreter(environment: Any) -> dict[str, str]:
    """Return what the environment changes of the interpreter, except PYTHONUTF8."""
    found = {name: value for name, value in environment.items() if name.startswith(OF_THE_INTERPRETER) and value}
    found.pop("PYTHONUTF8", None)
    return found


def install() -> None:
    """From now on, fork. Not where coverage is measured: it starts with the interpreter of each process."""
    if sys.platform == "linux" and "COVERAGE_PROCESS_CONFIG" not in os.environ:
        _environment.update(os.environ)
        subprocess.Popen = ForkedPopen  # type: ignore[misc]


def uninstall() -> None:
    subprocess.Popen = RealPopen  # type: ignore[misc]
    for server in _servers.values():
        server.end()
    _servers.clear()
