"""Real servers, started by a test on a free port: uvicorn or hypercorn with a small application, nginx, Node."""

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
            process.kill()  # some applications end no stream, so uvicorn would wait for them
            for pid in workers:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextmanager
def serving_by_hypercorn(name: str, *options: str) -> Iterator[str]:
    """Serve ``tests/apps/NAME.py`` with hypercorn, which speaks HTTP/2; yield its authority."""
    port = free_port()
    command = [sys.executable, "-m", "hypercorn", f"apps.{name}:app", "--bind", f"127.0.0.1:{port}", *options]
    # Without worker processes, which would outlive a killed one.
    with subprocess.Popen([*command, "--workers", "0"], cwd=TESTS, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(port), timeout_s=30)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


NODE_SERVER = """
const answer = (request, response) => {
  response.writeHead(200, {"content-type": "text/event-stream"});
  response.write("id: 1\\ndata: " + request.httpVersion + "\\n\\n");
  if (request.url == "/reset") setTimeout(() => response.stream.close(7), 100);
  if (request.url != "/goaway") return;
  request.stream.session.goaway(0);
  setTimeout(() => response.end("data: b\\n\\n"), 100);
};
require("node:http2").createServer(answer).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
"""


@contextmanager
def serving_by_node() -> Iterator[str]:
    """Serve one event by HTTP/2 with Node; ``/reset`` then resets the stream, and ``/goaway`` ends both."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed")
    with subprocess.Popen([program, "-e", NODE_SERVER], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


NGINX_CONF = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} {listen};
    location / {{ proxy_pass {upstream}; proxy_http_version 1.1; proxy_set_header Connection ""; {directives} }}
  }}
}}
"""


@contextmanager
def nginx_before(upstream: str, directives: str, folder: Path, listen: str = "") -> Iterator[str]:
    """Run nginx with these directives as a proxy of a server. Yield the URL of the proxy.

    ``listen`` are the parameters of its port: `http2`, `ssl`.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is not installed")  # .ci/run installs it
        pytest.skip("nginx is not installed")
    port = free_port()
    conf = folder / "nginx.conf"
    values = {"folder": folder, "port": port, "upstream": upstream, "directives": directives, "listen": listen}
    conf.write_text(NGINX_CONF.format(**values))
    with subprocess.Popen([program, "-c", str(conf)], stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(port), timeout_s=30)
            yield f"http{'s' if 'ssl' in listen else ''}://127.0.0.1:{port}"
        finally:
            process.terminate()
