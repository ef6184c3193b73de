"""How commands start the bundled server, and the URL `demo`, with real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sseclient_cli.cli.demo import demo_url, is_demo

SSE = str(Path(sys.executable).with_name("sse"))  # not `python -m`: that would run the files of the directory itself
MODULES = ["json", "demo_server", "pickle", "random", "socket", "tempfile"]


def sse(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run([SSE, *arguments], capture_output=True, text=True, timeout=50, check=False, cwd=cwd, env=env)


@pytest.fixture(name="hostile")
def directory_of_modules_that_raise(tmp_path: Path) -> Path:
    for name in MODULES:
        text = (
            f"from pathlib import Path\nPath({str(tmp_path)!r}, 'ran-{name}').touch()\nraise SystemExit('{name} ran')\n"
        )
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
    return tmp_path


def test_modules_of_the_current_directory_are_not_run_by_watch(hostile: Path) -> None:
    done = sse("watch", "demo", "-n", "1", "--raw", cwd=hostile)
    assert (done.returncode, json.loads(done.stdout)["seq"]) == (0, 1), done.stderr
    assert not list(hostile.glob("ran-*"))


def test_modules_of_the_current_directory_are_not_run_by_the_workers_of_bench(hostile: Path) -> None:
    done = sse("bench", "demo", "-n", "4", "-z", "1s", "--workers", "2", cwd=hostile)
    assert (done.returncode, "4 opened  0 failed" in done.stdout) == (0, True), done.stderr
    assert not list(hostile.glob("ran-*"))


def test_modules_of_the_current_directory_are_not_run_by_the_workers_of_the_server(hostile: Path) -> None:
    command = [SSE, "demo", "--port", "0", "--workers", "2", "--access-log", "none"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=hostile) as process:
        assert process.stdout is not None
        line = process.stdout.readline()  # it comes when both workers are ready
        process.terminate()
        _, stderr = process.communicate(timeout=30)
    assert (line.startswith("demo server on http://127.0.0.1:"), stderr) == (True, "")
    assert not list(hostile.glob("ran-*"))


def test_query_behind_demo_goes_to_the_default_endpoint() -> None:
    done = sse("watch", "demo?rate=100&event=price&size=3", "-n", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["type"] for line in done.stdout.splitlines()] == ["price", "price"]


def test_path_behind_demo_is_requested_by_watch() -> None:
    done = sse("watch", "demo/ndjson?rate=100&count=2", "--raw")
    assert done.returncode == 0
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == [1, 2]
    assert "application/x-ndjson" in done.stderr


def test_path_behind_demo_is_requested_by_bench_and_the_audit_finds_its_faults() -> None:
    done = sse("bench", "demo/faults?rate=100&drop=5", "-n", "5", "-z", "2s", "--sequence", "id", "--json", "-")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["run"]["target"]["url"].endswith("/faults?rate=100&drop=5")
    assert document["audit"]["lost"] > 0


def test_query_behind_demo_goes_to_the_default_endpoint_of_bench() -> None:
    done = sse("bench", "demo?rate=20", "-n", "2", "-z", "1s")
    assert done.returncode == 0, done.stderr
    assert "/load?rate=20" in done.stdout


@pytest.mark.parametrize("command", ["watch", "bench"])
def test_wrong_path_behind_demo_has_the_answer_of_the_server(command: str) -> None:
    done = sse(command, "demo/nosuch")
    assert done.returncode == 3
    assert "/nosuch answered 404 Not Found" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "url", ["demo:8000/stream", "demos", "demo.example.com", "http://demo/stream", "DEMO", "demo#x"]
)
def test_hosts_whose_names_begin_like_demo_are_not_the_bundled_server(url: str) -> None:
    assert not is_demo(url)


@pytest.mark.parametrize(
    ("url", "requested"),
    [
        ("demo", "http://h:1/load"),
        ("demo?rate=5", "http://h:1/load?rate=5"),
        ("demo/", "http://h:1/"),
        ("demo/channels/x?retry=5", "http://h:1/channels/x?retry=5"),
        ("demo?next=/x", "http://h:1/load?next=/x"),
        ("demo/ws?rate=5", "ws://h:1/ws?rate=5"),
        ("demo/wsx", "http://h:1/wsx"),
    ],
)
def test_path_and_query_are_kept_as_they_are(url: str, requested: str) -> None:
    assert (is_demo(url), demo_url("http://h:1", url, "/load")) == (True, requested)


@pytest.mark.parametrize("command", ["watch", "bench"])
def test_server_that_fails_to_start_is_one_line_with_the_reason(command: str, tmp_path: Path) -> None:
    (tmp_path / "fastapi.py").write_text("raise ImportError('broken installation')\n", "utf-8")
    done = sse(command, "demo", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "sse: the demo server did not start (exit code 1): ImportError: broken installation\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("command", ["watch", "bench"])
def test_server_that_cannot_be_started_is_one_line_with_the_fix(command: str) -> None:
    shell = ["sh", "-c", 'ulimit -n 9; exec "$@"', "sh", SSE, command, "demo"]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "sse: cannot start the demo server: too many open files; raise the limit (ulimit -n)\n"


def test_server_that_prints_something_else_has_not_started(tmp_path: Path) -> None:
    text = "import os; os.write(1, b'hello\\n'); os.write(2, b'first\\nwrong program\\n'); os.close(1); input()"
    (tmp_path / "demo_server.py").write_text(
        f"if __name__ == '__main__': {text}\nMAX_WORKERS = 1\nAccessLog = __import__('enum').Enum('A', 'REQUESTS')\n",
        "utf-8",
    )
    done = sse("watch", "demo", PYTHONPATH=str(tmp_path))
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("sse: the demo server did not start (exit code")


def test_stderr_of_the_server_is_passed_on(tmp_path: Path) -> None:
    script = """import sys, threading, time
if "demo_server" in " ".join(sys.orig_argv):
    sys.stderr.write("at its start\\n")
    def talk():
        while True:
            sys.stderr.write("later\\n")
            time.sleep(0.1)
    threading.Thread(target=talk, daemon=True).start()
"""
    (tmp_path / "sitecustomize.py").write_text(script, "utf-8")
    done = sse("watch", "demo?rate=10", "-n", "10", "--raw", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0
    assert "at its start\n" in done.stderr
    assert done.stderr.count("later\n") >= 5


@pytest.mark.parametrize("command", ["watch", "bench", "check"])
def test_bundled_server_is_not_started_for_http2(command: str) -> None:
    done = sse(command, "demo", "--http2")
    assert (done.returncode, done.stderr) == (2, "sse: the demo server speaks HTTP/1.1 only: leave out --http2\n")
