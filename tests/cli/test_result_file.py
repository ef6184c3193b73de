"""The document of a run is never lost, and neither is the one of the last run."""

import contextlib
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from demo_server_processes import demo_server_process
from namespaces import can_unshare
from progress_lines import without_progress
from real_processes import SSE, streams_open, until
from report_json import validate

from sseclient_cli.cli.result_file import ResultFile
from sseclient_cli.errors import LimitError, UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files of Unix")

NEEDS_NAMESPACES = pytest.mark.skipif(not can_unshare("-m"), reason="needs root and unshare")


@pytest.fixture(name="server", scope="module")
def demo_server() -> Iterator[str]:
    with demo_server_process("127.0.0.1") as url:
        yield url


@pytest.fixture(name="elsewhere")
def another_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that saves a result after a write error."""
    folder = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def document_at(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    validate(document)
    return document


# The content of the file after a run.


def test_a_new_file_has_the_mode_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        ResultFile(tmp_path / "run.json").write("new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_an_existing_file_is_replaced_as_a_whole_and_keeps_its_mode_and_owner(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("old " * 1000)
    path.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(path, 1234, 2345)
    with path.open() as reader:  # of the last document, say a viewer
        ResultFile(path).write("new")
        assert reader.read() == "old " * 1000
    after = path.stat()
    assert (path.read_text(), stat.S_IMODE(after.st_mode)) == ("new", 0o604)
    if os.geteuid() == 0:
        assert (after.st_uid, after.st_gid) == (1234, 2345)
    assert list(tmp_path.iterdir()) == [path]


def test_a_symlink_stays_one_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("there", "nothing yet"):
        link = tmp_path / f"to {name}"
        link.symlink_to(Path("folder") / name)
    (tmp_path / "folder/there").write_text("old")
    for name in ("there", "nothing yet"):
        ResultFile(tmp_path / f"to {name}").write("new")
        assert (tmp_path / f"to {name}").is_symlink()
        assert (tmp_path / "folder" / name).read_text() == "new"


def test_before_the_run_the_place_is_checked_and_nothing_is_left_or_changed(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    ResultFile(path).close()
    assert list(tmp_path.iterdir()) == []
    path.write_text("old")
    ResultFile(path).close()
    assert path.read_text() == "old"
    for bad in (tmp_path / "no" / "run.json", tmp_path, Path("")):
        with pytest.raises(UsageError, match="cannot write"):
            ResultFile(bad)


def test_a_fifo_is_written_directly(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_text()))
    reader.start()
    with contextlib.closing(ResultFile(fifo)) as file:
        file.write("new")
    reader.join(10)
    assert read == ["new"]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_folder_that_is_removed_meanwhile_does_not_lose_the_report(tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "folder").mkdir()
    file = ResultFile(tmp_path / "folder/run.json")
    (tmp_path / "folder").rmdir()
    with pytest.raises(LimitError, match=r"run\.json \(no such file .*\); saved as") as caught:
        file.write("new")
    (saved,) = elsewhere.iterdir()
    assert saved.read_text() == "new"
    assert str(caught.value).endswith(f"saved as {saved}")
    assert saved.name.startswith("sse-bench-")


def in_namespace(script: str) -> str:
    """Run a shell script in a namespace of mounts of its own."""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", script], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


WRITE = f"""{sys.executable} -c 'import sys
from pathlib import Path
from sseclient_cli.cli.result_file import ResultFile
file = ResultFile(Path(sys.argv[1]))
try: file.write("new " * int(sys.argv[2]))
except Exception as exc: print(exc)
' """


@NEEDS_NAMESPACES
def test_a_full_disk_destroys_nothing_and_the_new_report_is_saved(tmp_path: Path) -> None:
    disk, other = tmp_path / "disk", tmp_path / "other"
    disk.mkdir()
    other.mkdir()
    said = in_namespace(
        f"mount -t tmpfs -o size=64k none {disk}; printf old > {disk}/run.json; TMPDIR={other} "
        f"{WRITE} {disk}/run.json 100000; cat {disk}/run.json; echo; ls -A {disk}"
    )
    (saved,) = other.iterdir()
    assert saved.read_text() == "new " * 100000
    message = f"could not write {disk}/run.json (no space left on device); saved as {saved}"
    assert said.splitlines() == [message, "old", "run.json"]


@NEEDS_NAMESPACES
@pytest.mark.parametrize("size", [1, 100_000])
def test_a_file_that_cannot_be_replaced_is_overwritten_or_restored(tmp_path: Path, size: int) -> None:
    # A file that is mounted, as `docker run -v file:file` does, has a place of its own that nothing can be renamed to.
    disk, mounted, other = tmp_path / "disk", tmp_path / "run.json", tmp_path / "other"
    disk.mkdir()
    other.mkdir()
    mounted.touch()
    said = in_namespace(
        f"mount -t tmpfs -o size=64k none {disk}; printf old-and-long > {disk}/run.json; "
        f"mount --bind {disk}/run.json {mounted}; TMPDIR={other} {WRITE} {mounted} {size}; cat {mounted}"
    )
    if size == 1:
        assert said == "new "
    else:
        (saved,) = other.iterdir()
        assert said.splitlines() == [
            f"could not write {mounted} (no space left on device); saved as {saved}",
            "old-and-long",
        ]


# A run whose terminal goes away.


def test_stdout_by_another_name_holds_only_the_report(server: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("/dev/stdout", str(out)):
        with out.open("wb") as stdout:
            subprocess.run(
                [*SSE, "bench", f"{server}/load", "-n", "1", "-z", "300ms", "--json", name],
                stdout=stdout, stderr=subprocess.DEVNULL, check=True, timeout=40,
            )  # fmt: skip
        assert document_at(out)["streams"]["opened"] == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sighup_ends_the_run_with_a_saved_report_however_often_it_comes(
    server: str, tmp_path: Path, workers: str
) -> None:
    path = tmp_path / "run.json"
    command = [*SSE, "bench", f"{server}/load", "-n", "4", "-z", "60s", "--workers", workers, "--json", str(path)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until(lambda: streams_open(server) == 4)
    for _ in range(3):
        os.killpg(process.pid, signal.SIGHUP)
        time.sleep(0.01)
    _, stderr = process.communicate(timeout=20)
    assert (process.returncode, without_progress(stderr)) == (130, "")
    document = document_at(path)
    assert (document["run"]["interrupted"], document["run"]["incomplete"]) == (True, False)
    # The server counts a stream before a busy generator has read its response head.
    assert (document["streams"]["planned"], document["streams"]["failed"]) == (4, 0)
    assert document["streams"]["opened"] > 0


def test_sighup_before_the_run_ends_the_command(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        command = [*SSE, "bench", f"http://127.0.0.1:{silent.getsockname()[1]}/", "--json", str(tmp_path / "run.json")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        connection, _ = silent.accept()
        with connection:
            connection.recv(65_536)  # it has connected, and waits for an answer
            process.send_signal(signal.SIGHUP)
            assert (*process.communicate(timeout=10), process.returncode) == ("", "", 130)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ignores", [True, False], ids=["nohup", "hangup"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_closed_terminal_does_not_lose_the_report(server: str, tmp_path: Path, workers: str, ignores: bool) -> None:
    path = tmp_path / "run.json"
    arguments = ["bench", f"{server}/load", "-n", "4", "-z", "4s", "--workers", workers, "--json", str(path)]
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignores else signal.SIG_DFL)
        os.execv(sys.executable, [*SSE, *arguments])
    try:
        until(lambda: streams_open(server) == 4)
        os.read(terminal, 1000)
    finally:
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 2  # the summary could not be printed
    document = document_at(path)
    assert (document["run"]["interrupted"], document["errors"]) == (not ignores, [])
    assert document["streams"]["opened"] == 4
