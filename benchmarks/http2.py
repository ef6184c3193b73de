"""Compare HTTP/1.1 and HTTP/2 with many streams of the same server: connections, memory, CPU, delivery.

python -m benchmarks.http2 [--quick] [--rounds 3] [--streams 1000] [--save two-core-vm]

Each server runs on one core, `sse bench` on another. Client and server are measured from outside, in a window that
begins after the last stream has opened.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.demo_process import DemoProcess
from benchmarks.facts import facts
from benchmarks.measuring import Outcome
from benchmarks.processes import cores, cpu_s, pinned_to, pss_bytes, raise_open_files
from benchmarks.push_tables import spread
from benchmarks.rounds import median_of
from benchmarks.saving import save, show_progress

ROUNDS, WINDOW_S = 3, 10.0
QUICK_ROUNDS, QUICK_WINDOW_S = 1, 5.0
STREAMS = 1_000
RAMP_UP_S, SETTLE_S, LONGEST_S = 4.0, 3.0, 120.0
PACKAGES = ("sseclient-cli", "h2", "hpack", "hypercorn", "uvicorn", "httptools")

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{http1}; listen 127.0.0.1:{http2} http2;
    location / {{ proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; }}
  }}
}}
"""
"""Before version 1.25.1, HTTP/2 without TLS is a parameter of `listen`; such a port speaks nothing else."""

ROWS = (
    ("connections of the client", "connections", "{:,.0f}"),
    ("memory of the client", "client_mib", "{:.0f} MiB"),
    ("memory of the server, per stream", "server_kib", "{:.1f} KiB"),
    ("CPU of the client, per event", "client_us", "{:.0f} us"),
    ("CPU of the server, per event", "server_us", "{:.0f} us"),
    ("delivery p50", "delivery_p50_ms", "{:.2f} ms"),
    ("delivery p99", "delivery_p99_ms", "{:.1f} ms"),
    ("events", "events", "{:,.0f}"),
    ("lost, failed, broken", "losses", "{:.0f}"),
)


@dataclass(frozen=True, slots=True)
class Server:
    """A server under load: its process, and the port for each version of HTTP."""

    pid: int
    ports: dict[str, int]


@contextmanager
def hypercorn(core: int) -> Iterator[Server]:
    """Run hypercorn in one process: it speaks both versions on one port."""
    port = _free_port()
    command = [sys.executable, "-m", "hypercorn", "benchmarks.http2_app:app", "--workers", "0"]
    with _running([*command, "--bind", f"127.0.0.1:{port}", "--backlog", "4096"], core, port) as pid:
        yield Server(pid, {"HTTP/1.1": port, "HTTP/2": port})


@contextmanager
def nginx(core: int) -> Iterator[Server]:
    """Run nginx in front of the demo server, whose work is not counted: it is the same for both."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise RuntimeError("nginx is not installed")
    with ExitStack() as stack:
        demo = stack.enter_context(DemoProcess(core))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        http1, http2 = _free_port(), _free_port()
        conf = Path(folder) / "nginx.conf"
        conf.write_text(NGINX.format(folder=folder, http1=http1, http2=http2, upstream=demo.port))
        pid = stack.enter_context(_running([program, "-c", str(conf)], core, http2))
        yield Server(pid, {"HTTP/1.1": http1, "HTTP/2": http2})


SERVERS = {"hypercorn": (hypercorn, "/"), "nginx": (nginx, "/load?interval=1")}


@contextmanager
def _running(command: Sequence[str], core: int, port: int) -> Iterator[int]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=pinned_to(core))
    try:
        ends_s = time.monotonic() + 30
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > ends_s:
                raise RuntimeError(f"{command[0]} does not listen")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.kill()
        process.wait()


def measure(name: str, version: str, streams: int, window_s: float, core_pair: Sequence[int]) -> Outcome:
    """Return the figures of one run, with a server of its own."""
    serve, path = SERVERS[name]
    try:
        with serve(core_pair[0]) as server, tempfile.TemporaryDirectory() as folder:
            port, file = server.ports[version], Path(folder) / "run.json"
            command = [
                str(Path(sys.executable).parent / "sse"), "bench", f"http://127.0.0.1:{port}{path}", "-n", str(streams),
                "--ramp-up", f"{RAMP_UP_S:g}s", "-z", f"{LONGEST_S:g}s", "--json", str(file),
                *(["--http2"] if version == "HTTP/2" else []),
            ]  # fmt: skip
            idle_bytes = pss_bytes(server.pid)
            client = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=pinned_to(core_pair[1]),
            )
            try:
                _wait_until_open(client, streams)
                figures = _window(client.pid, server.pid, port, streams, window_s)
                figures["server_kib"] -= idle_bytes / 1024 / streams
                client.send_signal(signal.SIGINT)  # it writes its report
                client.communicate(timeout=60)
            finally:
                client.kill()
                client.communicate()
            return Outcome(figures | _reported(file))
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as exc:
        return Outcome({}, str(exc))


def _wait_until_open(client: subprocess.Popen[str], streams: int) -> None:
    """Wait until the progress of `sse bench` says that all streams are open, and for a moment more."""
    assert client.stderr is not None
    if not any(f"{streams:,} of {streams:,} open" in line for line in client.stderr):
        raise RuntimeError("not all streams opened")
    time.sleep(SETTLE_S)


def _window(client: int, server: int, port: int, streams: int, window_s: float) -> dict[str, float]:
    """Measure two processes in the steady part of a run. The servers send one event per second and stream."""
    began_s, client_s, server_s = time.monotonic(), cpu_s(client), cpu_s(server)
    time.sleep(window_s)
    events = streams * (time.monotonic() - began_s)
    return {
        "client_us": (cpu_s(client) - client_s) / events * 1e6,
        "server_us": (cpu_s(server) - server_s) / events * 1e6,
        "client_mib": pss_bytes(client) / 2**20,
        "server_kib": pss_bytes(server) / 1024 / streams,
        "connections": _connections_to(port),
    }


def _reported(file: Path) -> dict[str, float]:
    """Return the figures of the report of `sse bench`."""
    report = json.loads(file.read_text())
    delivery, streams = report["latency"]["delivery"], report["streams"]
    return {
        "delivery_p50_ms": delivery["p50_ms"],
        "delivery_p99_ms": delivery["p99_ms"],
        "events": report["events"]["received"],
        "losses": report["audit"]["lost"] + streams["failed"] + streams["broken"],
    }


def _connections_to(port: int) -> int:
    """Return the number of established connections to a port of this machine."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[2].endswith(f":{port:04X}") and line.split()[3] == "01" for line in lines)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def markdown(rounds: dict[tuple[str, str], list[Outcome]], known: dict[str, str], streams: int) -> str:
    """Return the report."""
    lines = ["# HTTP/1.1 and HTTP/2", "", f"{streams:,} streams, an event per second each. Medians.", ""]
    lines += [f"| | {' | '.join(f'{name}, {version}' for name, version in rounds)} |"]
    lines += ["|---|" + "---:|" * len(rounds)]
    for label, figure, shown in ROWS:
        cells = [_cell(outcomes, figure, shown) for outcomes in rounds.values()]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    notes = [f"- {' '.join(key)}: {o.note}" for key, outcomes in rounds.items() for o in outcomes if o.note]
    return "\n".join(
        [*lines, "", *notes, "## The machine", "", *(f"- {key}: {said}" for key, said in known.items()), ""]
    )


def _cell(outcomes: list[Outcome], figure: str, shown: str) -> str:
    figures = median_of(outcomes).figures
    if figure not in figures:
        return "not measured"
    around = spread(outcomes, figure)
    return shown.format(figures[figure]) + (f" ({around})" if around else "")


def main() -> None:
    """Run the command line."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    raise_open_files()
    usable = cores()
    if len(usable) < 2:
        raise SystemExit("benchmarks.http2 needs two cores, one for the server and one for the client")
    known = facts(PACKAGES)
    count, window_s = (QUICK_ROUNDS, QUICK_WINDOW_S) if options.quick else (options.rounds, WINDOW_S)
    rounds: dict[tuple[str, str], list[Outcome]] = {}
    for number in range(count):
        # Interleaved, so that other load on the machine affects both versions alike.
        for name in SERVERS:
            for version in ("HTTP/1.1", "HTTP/2"):
                outcome = measure(name, version, options.streams, window_s, usable)
                rounds.setdefault((name, version), []).append(outcome)
                shown = ", ".join(f"{figure} {value:,.4g}" for figure, value in outcome.figures.items())
                show_progress(f"round {number + 1}/{count}, {name}, {version}: {shown or outcome.note}")
    known["load after"] = " ".join(f"{load:.2f}" for load in os.getloadavg())
    text = markdown(rounds, known, options.streams)
    print(text)
    if options.save:
        figures = {" ".join(key): [asdict(outcome) for outcome in outcomes] for key, outcomes in rounds.items()}
        save(f"{time.strftime('%Y-%m-%d')}-http2-{options.save}", text, {"facts": known, "rounds": figures})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.http2", description="Compare HTTP/1.1 and HTTP/2 with many streams of one server."
    )
    parser.add_argument("--quick", action="store_true", help="one short round, for a first look")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"number of rounds ({ROUNDS})")
    parser.add_argument("--streams", type=int, default=STREAMS, help=f"number of streams ({STREAMS:,})")
    parser.add_argument("--save", metavar="MACHINE", help="write the report to results/, with this name of the machine")
    return parser.parse_args()


if __name__ == "__main__":
    main()
