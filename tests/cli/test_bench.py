"""The command as a user runs it: a process of its own, against real servers."""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from demo_server_processes import demo_server_process
from in_process import InProcess
from progress_lines import without_progress
from real_processes import json_of, streams_open
from report_json import validate

SSE = [sys.executable, "-m", "sseclient_cli"]


def sse(*arguments: str, timeout_s: float = 40) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SSE, *arguments], capture_output=True, text=True, timeout=timeout_s, check=False)


@pytest.fixture(name="server", scope="module")
def demo_server() -> Iterator[str]:
    with demo_server_process("127.0.0.1") as url:
        yield url


@pytest.fixture(name="server_on_ipv6")
def demo_server_on_ipv6() -> Iterator[str]:
    with demo_server_process("::1") as url:
        yield url


def document_of(*arguments: str) -> dict[str, Any]:
    """The document of a bench that prints it to stdout; it is valid, and stdout holds nothing else."""
    done = sse("bench", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    validate(document)
    return document


def test_a_run_is_a_valid_report_with_kernel_timestamps_and_true_counts(server: str) -> None:
    document = document_of(f"{server}/load?rate=20", "-n", "100", "-z", "2s")
    assert document["streams"]["opened"] == document["streams"]["open_at_end"] == 100
    assert (document["streams"]["failed"], document["errors"]) == (0, [])
    assert document["run"]["duration_s"] == pytest.approx(2, abs=0.5)
    delivery = document["latency"]["delivery"]
    if sys.platform == "linux":
        assert delivery["stamp"] == "kernel"
    # On loopback, an event is there as soon as it is sent: an arrival time taken by a busy reader would show its queue.
    assert 0 < delivery["p50_ms"] < 1
    assert document["run"]["plan"]["timestamp"]["used"] == ["data.ts"]
    assert document["audit"]["checked"] > 1000
    assert [document["audit"][name] for name in ("lost", "duplicated", "out_of_order")] == [0, 0, 0]
    assert document["latency"]["gap"]["p50_ms"] == pytest.approx(50, rel=0.2)
    assert sum(second["events"] for second in document["timeline"]) == document["events"]["received"]


def test_received_events_equal_the_count_of_the_server(server: str) -> None:
    def sent() -> int:
        return int(json_of(server, "/stats")["events_sent"])

    before = sent()
    document = document_of(f"{server}/load?count=30&rate=100", "-n", "50", "-z", "3s")
    assert document["events"]["received"] == 50 * 30
    assert document["streams"]["ended_by_server"] == 50
    # Beside the run there was the preflight, which left at once.
    assert 0 <= sent() - before - 50 * 30 <= 30


def test_the_summary_has_no_escape_codes_if_stdout_is_not_a_terminal(server: str) -> None:
    done = sse("bench", f"{server}/load", "-n", "10", "-z", "1s")
    assert (done.returncode, done.stderr) == (0, "")
    assert "10 opened  0 failed" in done.stdout
    assert "\x1b" not in done.stdout


def test_bench_demo_starts_the_bundled_server_compares_its_count_and_stops_it() -> None:
    done = sse("bench", "demo", "-n", "20", "-z", "1s")
    assert done.returncode == 0, done.stderr
    assert "The server counted 20 streams opened" in done.stdout
    url = done.stdout.split()[1]
    port = int(url.rpartition(":")[2].partition("/")[0])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("rate", [10, 0], ids=["quiet", "full-blast"])
def test_ctrl_c_and_sigterm_print_and_write_the_part_that_ran(
    server: str, tmp_path: Path, number: signal.Signals, rate: int
) -> None:
    arguments = [f"{server}/load?rate={rate}", "-n", "40", "-z", "60s", "--json", str(tmp_path / "run.json")]
    with subprocess.Popen(
        [*SSE, "bench", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for_streams(server, 40)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, without_progress(stderr)) == (130, "")
    assert "interrupted" in stdout
    document = json.loads((tmp_path / "run.json").read_text("utf-8"))
    validate(document)
    assert document["run"]["interrupted"]
    # At full blast the server may have opened a stream whose answer we have not read yet.
    assert document["streams"]["opened"] + document["streams"]["unfinished"] == 40
    assert document["streams"]["opened"] > 0
    wait_for_streams(server, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the child in /proc")
def test_a_bundled_server_that_dies_does_not_take_the_report_with_it() -> None:
    with subprocess.Popen(
        [*SSE, "bench", "demo", "-n", "5", "-z", "60s"], stdout=subprocess.PIPE, text=True
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (child := children.read_text("ascii").strip()):
            time.sleep(0.01)
        while sockets_of(process.pid) < 5:
            time.sleep(0.01)
        os.kill(int(child), signal.SIGKILL)
        stdout, _ = process.communicate(timeout=20)
    assert "connection-lost" in stdout
    assert "no stream was left" in stdout
    assert "The server counted" not in stdout


def sockets_of(pid: int) -> int:
    found = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found += os.readlink(descriptor).startswith("socket:")
    return found


def wait_for_streams(server: str, count: int) -> None:
    while streams_open(server) != count:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["http://127.0.0.1:1/"], 3, "nothing listens on 127.0.0.1:1", id="refused"),
        pytest.param(["http://no-such-host.invalid/"], 3, "has no address", id="no-such-host"),
        pytest.param(["http://this is invalid/"], 2, "names no valid host", id="bad-url"),
        pytest.param(["https://127.0.0.1:1/"], 3, "nothing listens on 127.0.0.1:1", id="refused-https"),
        pytest.param(
            ["http://h/", "-z", "1s", "--hold", "1s"],
            2,
            "--duration and --hold exclude each other: leave one out",
            id="hold-and-duration",
        ),
        pytest.param(["http://h/", "--rate", "fast"], 2, "'fast' is not a rate", id="no-rate"),
        pytest.param(["http://h/", "--on-end", "weep"], 2, "--on-end", id="no-such-end"),
        pytest.param(["http://h/", "--retry-status", "503"], 2, "add --on-end reconnect", id="retry-without-reconnect"),
        pytest.param(["http://h/", "--retry-status", "503;429"], 2, "write it like 503,429", id="no-statuses"),
        pytest.param(["http://h/", "--storm", "20s"], 2, "not within a run", id="late-storm"),
        pytest.param(["http://h/", "--warmup", "20s"], 2, "leaves nothing", id="long-warmup"),
        pytest.param(["ftp://127.0.0.1/"], 2, "ftp", id="ftp"),
        pytest.param(["http://h/", "-n", "0"], 2, "--connections: '0' is not a count above zero", id="no-connections"),
        pytest.param(["http://h/", "-z", "soon"], 2, "'soon' is not a time", id="no-duration"),
        pytest.param(["http://h/", "-z", "9" * 400], 2, "longer than a year", id="endless-duration"),
        pytest.param(["http://h/\udcff"], 2, "not a URL", id="url-bytes"),
        pytest.param(["http://h/", "-H", "A: \udcff"], 2, "not UTF-8", id="header-bytes"),
        pytest.param(["http://h/", "-z", "0"], 2, "duration", id="zero-duration"),
        pytest.param(["http://h/", "-z", "1s", "--ramp-up", "2s"], 2, "does not fit", id="long-ramp"),
        pytest.param(["http://h/", "--nonsense"], 2, "--nonsense", id="bad-option"),
        pytest.param(["http://h/", "-H", "novalue"], 2, "'Name: value'", id="bad-header"),
        pytest.param(["http://h/", "--timestamp", "a b"], 2, "not a field", id="bad-field"),
        pytest.param(["http://h/", "--json", "/no/such/folder/x"], 2, "cannot write", id="bad-file"),
        pytest.param(["http://h/", "-n", "99999999"], 2, "exceed the limit of", id="too-many"),
        pytest.param([], 2, "URL", id="no-url"),
    ],
)
def test_an_invalid_run_is_one_line_and_an_exit_code(
    arguments: list[str], code: int, words: str, sse_in_process: InProcess
) -> None:
    returned, out, err = sse_in_process("bench", *arguments)
    assert (returned, out) == (code, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("sse: ")
    assert words in err


@pytest.mark.parametrize(("path", "words"), [("/nope", "404"), ("/healthz", "application/json")])
def test_a_target_that_is_not_an_event_stream_is_one_clear_line(server: str, path: str, words: str) -> None:
    done = sse("bench", server + path)
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_the_soft_limit_of_open_files_is_raised_by_itself(server: str) -> None:
    limited = f"ulimit -Sn 80 && exec {' '.join(SSE)} bench {server}/load -n 200 -z 1s --json -"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, timeout=40, check=False)
    streams = json.loads(done.stdout)["streams"]
    # A busy machine opens fewer than 200 in a second.
    assert (streams["planned"], streams["failed"]) == (200, 0), done.stderr
    assert streams["peak_open"] > 80


def test_secrets_of_the_request_are_not_in_the_report(server: str) -> None:
    target = server.replace("http://", "http://me:hush@") + "/load"
    done = sse("bench", target, "-n", "1", "-z", "300ms", "-H", "Cookie: hush=1", "--json", "-")
    assert done.returncode == 0
    assert "hush" not in done.stdout + done.stderr
    assert base64_of("me:hush") not in done.stdout


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_an_ipv6_server_is_loaded(server_on_ipv6: str) -> None:
    assert document_of(f"{server_on_ipv6}/load", "-n", "2", "-z", "500ms")["streams"]["opened"] == 2


def test_a_command_is_needed_and_the_help_says_which_there_are() -> None:
    done = sse()
    assert (done.returncode, done.stdout) == (2, "")
    listed = [line.split()[0] for line in done.stderr.partition("Commands:")[2].splitlines() if line.strip()]
    assert listed == ["watch", "bench", "check", "report", "compare", "replay", "demo"]


def test_a_run_without_a_result_keeps_the_previous_report(tmp_path: Path) -> None:
    kept, new = tmp_path / "kept.json", tmp_path / "new.json"
    kept.write_text("the last run", "utf-8")
    for path in (kept, new):
        assert sse("bench", "http://127.0.0.1:1/", "--json", str(path)).returncode == 3
    assert kept.read_text("utf-8") == "the last run"
    assert not new.exists()


def test_a_report_replaces_the_last_one_even_if_the_summary_has_no_reader(server: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("x" * 100_000, "utf-8")
    command = f"{' '.join(SSE)} bench {server}/load -n 2 -z 300ms --json {path} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=40, check=False)
    assert done.stderr == ""
    validate(json.loads(path.read_text("utf-8")))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_closed_standard_streams_are_no_crash(server: str) -> None:
    command = f"{' '.join(SSE)} bench {server}/load -n 2 -z 300ms --json /dev/stdout"

    def run(closed: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["bash", "-c", f"{command} {closed}"], capture_output=True, timeout=40, check=False)

    with ThreadPoolExecutor() as pool:
        no_input, no_errors, neither, no_output = pool.map(run, ("<&-", "2>&-", "<&- 2>&-", ">&-"))
    # stdout is the document's then, and the summary goes to stderr where there is one.
    for done, shows in ((no_input, True), (no_errors, False), (neither, False)):
        assert (done.returncode, b"2 opened" in done.stderr, bool(done.stderr)) == (0, shows, shows)
        assert json.loads(done.stdout)["streams"]["opened"] == 2
    assert (no_output.returncode, no_output.stdout, b"Traceback" in no_output.stderr) == (0, b"", False)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_a_full_disk_is_one_line(server: str) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [*SSE, "bench", f"{server}/load", "-n", "1", "-z", "300ms"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, "sse: cannot write the output: no space left on device\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_if_the_report_cannot_be_written_the_summary_is_shown_and_the_report_saved(server: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*SSE, "bench", f"{server}/load", "-n", "1", "-z", "300ms", "--json", "/dev/full"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    (saved,) = tmp_path.iterdir()
    message = f"sse: could not write /dev/full (no space left on device); saved as {saved}\n"
    assert (done.returncode, done.stderr) == (2, message)
    validate(json.loads(saved.read_text("utf-8")))
    assert "1 opened  0 failed" in done.stdout
