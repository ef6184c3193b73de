"""Starts `sse`, the demo server, uvicorn and Dask by `fork_server.py` wherever a test starts them as `python -m`.

It replaces `subprocess.Popen`, which `subprocess.run` and asyncio use too, by a class that differs in the start of
these programs only. A process with other options of the interpreter (`-X`, `-W`, `-P`), another Python environment, or
another program than `nsenter` before it, starts as usual.
"""

from __future__ import annotations

import inspect
import multiprocessing.util
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from fork_orders import ForkServer, Order
from fork_server import fork_spawned_processes

SERVER = Path(__file__).with_name("fork_server.py")
PROGRAMS = {
    "sseclient_cli": "sseclient_cli", "demo_server": "demo_server", "uvicorn": "demo_server",
    "distributed.cli.dask_scheduler": "distributed", "distributed.cli.dask_worker": "distributed",
}  # fmt: skip
"""What `python -m` runs, and the package whose imports it shares."""

OF_SSE = ["sseclient_cli", "typer._adapters", "anyio._backends._asyncio", "encodings.idna", "rich._emoji_codes"]
MODULES = {
    "sseclient_cli": OF_SSE,
    "distributed": [
        *OF_SSE, "distributed.deploy.local", "distributed.preloading", "distributed.http.scheduler",
        "distributed.http.worker", "distributed.http.health",
    ],
    "demo_server": [
        "demo_server", "anyio._backends._asyncio", "encodings.idna", "argparse", "uvicorn.main", "uvicorn.lifespan.on",
        "uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
    ],
}  # fmt: skip
"""The modules to import, with their submodules: those of the package, and what they import when they run."""

DEMO_CODE = "from demo_server.__main__ import main; main()"
"""Code that ends so runs the demo server, with something changed before."""

OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "OPENSSL_", "DASK_")
"""Beginnings of variables that are read at the start of the interpreter, or by imports."""

RealPopen = subprocess.Popen
REALLY_SPAWN = multiprocessing.util.spawnv_passfds
_lock = Lock()
_servers: dict[tuple[str, str], ForkServer] = {}
_processes: list[subprocess.Popen[bytes]] = []
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
        self.pid = _running(key).start(_order(start), [*descriptors, *sorted(start["pass_fds"])])
        self._child_created = True
        self._close_pipe_fds(  # type: ignore[attr-defined]
            *(start[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite"))
        )


def _running(key: tuple[str, str]) -> ForkServer:
    """Return the server for one package and one value of PYTHONUTF8, which its first order starts."""
    with _lock:
        if key not in _servers:
            package, utf8 = key
            ours, theirs = socket.socketpair()
            room = "-" * 4000  # see fork_server.show_arguments
            command = [sys.executable, str(SERVER), str(theirs.fileno()), ",".join(MODULES[package]), room]
            environment = {**_environment, "PYTHONUTF8": utf8}
            null = subprocess.DEVNULL
            _processes.append(RealPopen(command, stdin=null, pass_fds=[theirs.fileno()], env=environment))
            theirs.close()
            _servers[key] = ForkServer(ours)
        return _servers[key]


def _order(start: dict[str, Any]) -> Order:
    namespaces, command = _without_nsenter(list(start["args"]))
    return Order.like_this_process(
        [os.fspath(argument) for argument in command[1:]],
        [0, 1, 2, *sorted(start["pass_fds"])],
        environment=os.environ if start["env"] is None else start["env"],
        directory=os.fspath(start["cwd"] or ""),
        new_session=start["start_new_session"],
        process_group=start["process_group"],
        umask=start["umask"],
        namespaces=namespaces,
    )


def _server_of(start: dict[str, Any]) -> tuple[str, str] | None:
    """Return the key of the server that can start this process; None if it must start as usual."""
    usual = start["shell"] or start["executable"] or start["preexec_fn"]
    if usual or not start["close_fds"] or isinstance(start["args"], (str, bytes, os.PathLike)):
        return None
    if start["cwd"] is not None and not os.path.isdir(start["cwd"]):
        return None
    environment = os.environ if start["env"] is None else start["env"]
    if _of_the_interpreter(environment) != _of_the_interpreter(_environment):
        return None
    package = _package_of(_without_nsenter(list(start["args"]))[1])
    return (package, environment.get("PYTHONUTF8", "")) if package else None


def _without_nsenter(command: list[Any]) -> tuple[list[str], list[Any]]:
    """Return the namespaces that `nsenter --net=FILE --uts=FILE COMMAND` enters, and the command."""
    count = 1
    if command[0] != "nsenter":
        return [], command
    while command[count].startswith("--"):
        count += 1
    return [option.partition("=")[2] for option in command[1:count]], command[count:]


def _package_of(command: list[Any]) -> str | None:
    match command:
        case [sys.executable, "-m", "sseclient_cli", "bench", *options] if "--cluster" in options:
            return "distributed"
        case [sys.executable, "-Pm", "sseclient_cli.run.executors.apart", *_]:
            return "sseclient_cli"
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
        fork_spawned_processes(lambda order, numbers: _running(("sseclient_cli", "")).start(order, numbers))


def fork_load_processes(server: ForkServer, environment: Mapping[str, str]) -> None:
    """Let a forked program of Dask start its load processes with this server, which has imported them."""
    _environment.update(environment)
    _servers["sseclient_cli", environment.get("PYTHONUTF8", "")] = server
    subprocess.Popen = ForkedPopen  # type: ignore[misc]


def uninstall() -> None:
    subprocess.Popen = RealPopen  # type: ignore[misc]
    multiprocessing.util.spawnv_passfds = REALLY_SPAWN
    for server in _servers.values():
        server.close()
    for process in _processes:
        process.wait()
    _servers.clear()
    _processes.clear()
