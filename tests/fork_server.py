"""Starts Python programs without their imports: it has imported their modules, and forks for each start.

An import costs more CPU than most tests: 0.4 s for `sse`, 0.7 s for the demo server. The fork is a process like any
other, a child of the process that ordered it. It has the arguments, environment, directory, descriptors and process
group that it would have after `exec`, and runs `__main__` as `python -m` does: tests/test_forked_programs.py compares
both. `forked_programs.py` starts this file for the tests. A program that starts worker processes gets a fork server of
its own, so that they are its children.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import gc
import io
import json
import multiprocessing.util
import os
import pkgutil
import re
import resource
import runpy
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Any, cast

import forked_programs
from fork_orders import GROUP_SIGNALS, HEADER_BYTES, ForkServer, Order, received

MOST_DESCRIPTORS = 64
MOST_WAIT_S = 10

OPTIONS_WITH_WORKERS = ("--workers", "--publish", "--cluster", "--nthreads")
"""Options of `sse bench`, the demo server, uvicorn and `dask worker` that start more processes."""

SPAWN = re.compile(r"from multiprocessing\.(spawn|resource_tracker) import (spawn_)?main;")
"""The code that multiprocessing runs in a process that it starts."""

STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}
"""The standard streams in the order of their descriptors, with their modes."""


def fork_spawned_processes(start: Callable[[Order, list[int]], int]) -> None:
    """Let multiprocessing start its `spawn` processes so."""
    really_spawn = multiprocessing.util.spawnv_passfds

    def spawn(path: bytes, arguments: Sequence[Any], descriptors: Sequence[int]) -> int:
        words = [os.fsdecode(argument) for argument in arguments[1:]]
        if words[0] != "-c" or not SPAWN.match(words[1]):
            return really_spawn(path, arguments, descriptors)
        numbers = sorted({0, 1, 2, *descriptors})
        return start(Order.like_this_process(words, numbers), numbers)

    setattr(multiprocessing.util, "spawnv_passfds", spawn)  # noqa: B010  its parameters have other names


def main() -> None:
    """Serve on the socket whose descriptor is the first argument; the second one names modules to import."""
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]
    for name in sys.argv[2].split(","):
        import_all(name)
    make_commands()
    gc.collect()
    gc.freeze()
    order = next_order(control)  # from here on in the started process
    enter(order.namespaces)  # here, so that the processes that it starts are in them
    if any(argument.startswith(OPTIONS_WITH_WORKERS) for argument in order.arguments):
        control, theirs = socket.socketpair()
        if os.fork():
            theirs.close()
            server = ForkServer(control)
            fork_spawned_processes(server.start)
            forked_programs.fork_load_processes(server, order.environment)
        else:
            control.close()
            order = next_order(detached(theirs))
    become(order)
    end(exit_code_of(order.arguments))


def enter(namespaces: Sequence[str]) -> None:
    """Enter these namespaces, as `nsenter` does; in Python 3.11, os has no setns."""
    libc = ctypes.CDLL(None, use_errno=True)
    for path in namespaces:
        with open(path, "rb") as file:
            if libc.setns(file.fileno(), 0):
                raise OSError(ctypes.get_errno(), "setns", path)


def import_all(name: str) -> None:
    """Import a module, and all modules of a package. Except `__main__`, which is to run once."""
    module = import_module(name)
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
        if not found.name.endswith(".__main__"):
            import_module(found.name)


def make_commands() -> None:
    """Make the commands of `sse`, which its start makes of their options, in a server that has imported it."""
    if commands := sys.modules.get("sseclient_cli.cli.commands"):
        dict(commands.Commands())


def detached(control: socket.socket) -> socket.socket:
    """Keep none of the descriptors of the program that orders: the readers of its pipes wait for their end."""
    os.closerange(0, control.fileno())
    os.closerange(control.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
    for _ in STREAMS:
        os.open(os.devnull, os.O_RDWR)
    return control


def next_order(control: socket.socket) -> Order:
    """Start a process per order. Return in the started process."""
    assert threading.active_count() == 1, "a fork of a process with threads may hang"
    for number in GROUP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    while True:
        header, descriptors, _, _ = socket.recv_fds(control, HEADER_BYTES, MOST_DESCRIPTORS)
        if not header:
            os._exit(0)
        order = Order(**json.loads(received(control, int.from_bytes(header, "big"))))
        pid = started(order.parent)
        if pid is None:
            place(descriptors, order.descriptors)
            return order
        for descriptor in descriptors:
            os.close(descriptor)
        control.sendall(pid.to_bytes(HEADER_BYTES, "big"))


def started(parent: int) -> int | None:
    """Fork twice, so that the parent adopts the process (it is a subreaper). Return its number, or None in it."""
    reader, writer = os.pipe()
    between = os.fork()
    if between == 0:
        pid = os.fork()
        if pid:
            os.write(writer, pid.to_bytes(HEADER_BYTES, "big"))
            os._exit(0)
        wait_for_parent(parent)
        return None
    number = int.from_bytes(os.read(reader, HEADER_BYTES), "big")
    os.waitpid(between, 0)
    os.close(reader)
    os.close(writer)
    return number


def wait_for_parent(parent: int) -> None:
    ends_s = time.monotonic() + MOST_WAIT_S
    while os.getppid() != parent:
        if time.monotonic() > ends_s:
            os._exit(1)  # it was killed
        time.sleep(0.0001)


def place(descriptors: list[int], numbers: list[int]) -> None:
    """Give the descriptors their numbers, and close all others."""
    unused = max(numbers) + 1
    copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, unused) for descriptor in descriptors]
    for copy, number in zip(copies, numbers, strict=True):
        os.dup2(copy, number)
    for first, after in zip(numbers, [*numbers[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(first + 1, after)


def become(order: Order) -> None:
    """Take on what a process has after `exec`."""
    if order.new_session:
        os.setsid()
    if order.process_group >= 0:
        os.setpgid(0, order.process_group)
    resource.setrlimit(resource.RLIMIT_NOFILE, (order.open_files[0], order.open_files[1]))
    os.umask(order.umask)
    os.chdir(order.directory)
    os.environ.clear()
    os.environ.update(order.environment)
    time.tzset()
    for number, (name, mode) in enumerate(STREAMS.items()):
        setattr(sys, name, opened(name, number, mode))
        setattr(sys, f"__{name}__", getattr(sys, name))
    show_arguments([sys.executable, *order.arguments])
    for signum in GROUP_SIGNALS:
        usual = signal.default_int_handler if signum == signal.SIGINT else signal.SIG_DFL
        signal.signal(signum, signal.SIG_IGN if signum in order.ignored_signals else usual)
    signal.pthread_sigmask(signal.SIG_SETMASK, order.blocked_signals)


def opened(name: str, number: int, mode: str) -> io.TextIOWrapper | None:
    """Open a standard stream as the interpreter does at its start."""
    ours: io.TextIOWrapper = getattr(sys, f"__{name}__")
    is_unbuffered = ours.write_through
    try:
        raw = io.FileIO(number, mode, closefd=False)
    except OSError:
        return None  # it is closed
    vars(raw)["name"] = f"<{name}>"
    kind = io.BufferedReader if mode == "r" else io.BufferedWriter
    stream = io.TextIOWrapper(
        cast(IO[bytes], raw if is_unbuffered and mode == "w" else kind(raw)),
        encoding=ours.encoding,
        errors=ours.errors,
        newline=None if mode == "r" else "\n",
        line_buffering=not is_unbuffered and (number == 2 or raw.isatty()),
        write_through=is_unbuffered,
    )
    vars(stream)["mode"] = mode
    return stream


def show_arguments(arguments: list[str]) -> None:
    """Let `ps` and `/proc/PID/cmdline` show these arguments, in the room of a long one of this process."""
    begin, end = map(int, Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()[45:47])
    text = b"".join(os.fsencode(argument) + b"\0" for argument in arguments)
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(begin)
        memory.write(text[: end - begin].ljust(end - begin, b"\0"))


def exit_code_of(arguments: list[str]) -> int:
    """Run a program, and return its exit code. Other exceptions are for the interpreter."""
    try:
        run(arguments)
    except SystemExit as exited:
        if not isinstance(exited.code, int | None):
            raise
        return exited.code or 0
    return 0


def end(code: int) -> None:
    """End like the interpreter, except that the imported modules are not destroyed.

    That takes 0.07 s of CPU, more than twice as much as `sse --version` itself: it copies the memory shared with the
    fork server.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        sys.exit(code)  # the interpreter reports it, with another exit code
    del sys.modules["__main__"]
    gc.collect()  # objects of the program may complain here
    os._exit(code)


def run(arguments: list[str]) -> None:
    """Run a module or code like the interpreter."""
    sys.modules["__main__"] = module = ModuleType("__main__")
    sys.orig_argv = [sys.executable, *arguments]
    option, what, *rest = arguments
    is_path_safe = option == "-Pm" or bool(os.environ.get("PYTHONSAFEPATH"))
    option = option.replace("P", "")
    sys.argv = [option, *rest]
    if not is_path_safe:
        sys.path.insert(0, os.getcwd() if option == "-m" else "")
    if option == "-m":
        if "." in what:
            sys.modules.pop(what, None)  # imported with its package; runpy warns of a second import
        runpy._run_module_as_main(what)  # type: ignore[attr-defined]  # it is what `python -m` calls
    else:
        exec(compile(what, "<string>", "exec"), vars(module))


if __name__ == "__main__":
    main()
