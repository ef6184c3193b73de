"""Real servers, started by a test on a free port: uvicorn with a small application, and nginx."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from real_processes import children_of, until

TESTS = Path(__file__).parent


def free_port() -> int:
    """Return an unused port. Another process may take it first: the server then fails, and the test with it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Return whether a server listens on the port."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serving_app(name: str, *options: str) -> Iterator[str]:
    """Serve ``tests/apps/NAME.py`` with uvicorn; yield its URL."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"apps.{name}:app", "--app-dir", str(TESTS), "--port", str(port)]
    with subprocess.Popen([*command, "--log-level", "warning", "--lifespan", "off", *options]) as process:
        try:
            until(lambda: answers(port), timeout_s=30)
            yield f"http://127.0.0.1:{port}"
        finally:
            workers = children_of(process.pid)
            process.terminate()  # its supervisor ends the workers
            try:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
            finally:
                process.kill()  # also where the timeout of pytest interrupts the wait
                for pid in workers:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


NGINX_CONF = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {upstream}; proxy_http_version 1.1; proxy_set_header Connection ""; {directives} }}
  }}
}}
"""


@contextmanager
def nginx_before(upstream: str, directives: str, folder: Path) -> Iterator[str]:
    """Run nginx with these directives as a proxy of a server. Yield the URL of the proxy."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is not installed")  # .ci/run installs it
        pytest.skip("nginx is not installed")
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(NGINX_CONF.format(folder=folder, port=port, upstream=upstream, directives=directives))
    with subprocess.Popen([program, "-c", str(conf)], stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(port), timeout_s=30)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
