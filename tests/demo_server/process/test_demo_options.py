"""Invalid options, and the cost of importing the package."""

from __future__ import annotations

import re
import socket
import subprocess
import sys

import pytest


def test_port_in_use_is_one_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "demo_server", "--port", str(port)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"demo server: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_unknown_host_is_one_line_and_exit_code_2() -> None:
    command = [sys.executable, "-m", "demo_server", "--host", "256.256.256.256", "--port", "0"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert result.returncode == 2
    assert re.fullmatch(r"demo server: cannot listen on 256\.256\.256\.256 port 0: .+\n", result.stderr)


@pytest.mark.parametrize("host", ["a" * 64, "a..b"])
def test_invalid_host_name_is_one_line_and_exit_code_2(host: str) -> None:
    command = [sys.executable, "-m", "demo_server", "--host", host, "--port", "0"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"demo server: cannot listen on {host} port 0: not a host name\n"


@pytest.mark.parametrize("port", ["-1", "65536", "http", "²"])
def test_invalid_port_is_a_usage_error(port: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "demo_server", f"--port={port}"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "use 0 to 65535" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_open_file_limit_is_raised_to_the_hard_limit() -> None:
    script = (
        "import resource as r, demo_server.connections.open_files as s; hard = r.getrlimit(r.RLIMIT_NOFILE)[1];"
        "r.setrlimit(r.RLIMIT_NOFILE, (256, hard)); s.raise_open_file_limit();"
        "print(r.getrlimit(r.RLIMIT_NOFILE) == (hard, hard))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "True\n"


def test_importing_the_package_does_not_import_the_frameworks() -> None:
    script = (
        "import sys, demo_server; print({'fastapi', 'uvicorn', 'sse_starlette', 'sseclient_cli'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
