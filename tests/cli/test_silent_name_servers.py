"""Name servers that do not answer hold up nothing: not Ctrl-C, not the time limits, not the end of a run."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from busy_machine import LATE_S
from namespaces import can_unshare, with_file
from real_processes import SSE

pytestmark = pytest.mark.skipif(not can_unshare("-mn"), reason="needs root and unshare")

SERVERS = """
    import os, signal, socket, subprocess, sys, time

    # One that hears every question; and an HTTP server that leads from an address to a name.
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.53", 53))
    SSE = sys.argv[1:]

    def run(*arguments, interrupt=True):
        "Start a command; once it asks for a name, perhaps press Ctrl-C; print how it ended, and whether at once."
        process = subprocess.Popen([*SSE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        silent.recv(512)
        began_s = time.monotonic()
        if interrupt:
            time.sleep(0.2)
            process.send_signal(interrupt)
        out, err = process.communicate()
        took_s = time.monotonic() - began_s
        silent.setblocking(False)
        try:
            while True:
                silent.recv(512)
        except BlockingIOError:
            silent.setblocking(True)
        print(process.returncode, took_s, "Traceback" in err, err.strip().splitlines()[-1:], sep="|")
        return out
"""


def ran(script: str, folder: Path) -> list[tuple[int, float, str]]:
    """Run a script in a network with silent name servers; return exit code, seconds and last line of each command."""
    own = folder / "own"
    own.write_text("nameserver 127.0.0.53\nnameserver 127.0.0.54\n", "ascii")
    code = textwrap.dedent(SERVERS) + textwrap.dedent(script)
    command = [*with_file(own, "/etc/resolv.conf"), sys.executable, "-c", code, *SSE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=55, check=False)
    assert done.returncode == 0, done.stderr
    found = []
    for line in done.stdout.splitlines():
        exit_code, took_s, has_traceback, last = line.split("|", 3)
        assert has_traceback == "False"
        found.append((int(exit_code), float(took_s), last))
    return found


def test_ctrl_c_and_sigterm_end_bench_while_it_looks_a_name_up(tmp_path: Path) -> None:
    script = """
        run("bench", "http://nothing.example/", interrupt=signal.SIGINT)
        run("bench", "http://nothing.example/", interrupt=signal.SIGTERM)
        run("bench", "http://nothing.example/", "--no-preflight", interrupt=signal.SIGINT)
    """
    for exit_code, took_s, last in ran(script, tmp_path):
        # The resolver itself takes 20 s.
        assert (exit_code, last, took_s < 4) == (130, "[]", True)


def test_the_duration_of_watch_and_bench_holds_while_a_name_is_looked_up(tmp_path: Path) -> None:
    script = """
        run("watch", "http://sse.test/", "-z", "1s", interrupt=False)
        run("bench", "http://sse.test/", "-z", "1s", interrupt=False)
    """
    (watched, watch_s, watch_line), (benched, bench_s, _) = ran(script, tmp_path)
    assert (watched, benched) == (3, 3)
    assert "within --duration 1s" in watch_line
    assert max(watch_s, bench_s) < LATE_S  # the resolver itself gives up after 20 s


def test_the_time_limit_of_bench_holds_for_the_name_too_and_says_so(tmp_path: Path) -> None:
    script = """
        run("bench", "http://nothing.example/", "--timeout", "500ms", interrupt=None)
    """
    ((exit_code, took_s, last),) = ran(script, tmp_path)
    assert (exit_code, took_s < 5) == (3, True)
    assert "the host name of nothing.example:80 was not resolved within 0.5 s: check the name servers" in last


LED = """
        import threading

        listening = socket.create_server(("127.0.0.1", 0))
        def lead():
            while True:
                connection, _ = listening.accept()
                connection.recv(65536)
                answer = b"HTTP/1.1 307 x", b"Location: http://nothing.example/", b"Content-Length: 0", b"", b""
                connection.sendall(b"\\r\\n".join(answer))
                connection.close()
        threading.Thread(target=lead, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
"""


def test_a_redirect_to_a_name_holds_up_neither_the_preflight_nor_the_end_of_a_run(tmp_path: Path) -> None:
    script = (
        LED
        + """
        run("bench", url, interrupt=signal.SIGINT)
        run("bench", url, "--no-preflight", "-n", "2", "-z", "1s", interrupt=None)
        run("bench", url, "--no-preflight", "-n", "2", "-z", "60s", interrupt=signal.SIGINT)
        run("bench", url, "--no-preflight", "-n", "2", "-z", "60s", "--workers", "2", interrupt=signal.SIGINT)
    """
    )
    found = ran(script, tmp_path)
    assert [exit_code for exit_code, _, _ in found] == [130, 3, 130, 130]
    # Lookups of a run may take 5 s.
    assert all(took_s < 4 for _, took_s, _ in found)
