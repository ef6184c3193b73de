"""The tutorial works: its endpoint is served, and its commands end as the page says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from real_processes import until
from real_servers import answers, free_port

PAGE = (Path(__file__).parents[2] / "docs/tutorial.md").read_text("utf-8")
STEP = re.compile(r"^\$ (?P<command>.+)\n(?P<output>(?:(?!\$ |```).*\n)*)", re.MULTILINE)
STEPS = [(step["command"], step["output"]) for step in STEP.finditer(PAGE)]


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@contextmanager
def serving(command: str, port: int, folder: Path) -> Iterator[None]:
    words = command.replace("8000", str(port)).split()
    with subprocess.Popen([sys.executable, "-m", *words], cwd=folder) as process:
        try:
            until(lambda: answers(port), timeout_s=30)
            yield
        finally:
            process.kill()  # the endpoint ends no stream, so uvicorn would wait for its clients


def checked(command: str, output: str, code: int, folder: Path, port: int) -> None:
    """Run a command in a shorter time; its exit code and the names in its output are those of the page."""
    command = command.replace("8000", str(port)).replace("-z 10s", "-z 2s")
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, timeout=50, check=False, cwd=folder, env=environment()
    )
    said = (done.stdout + done.stderr).replace(str(port), "8000")
    if "--strict" in command and json.loads((folder / "run.json").read_bytes())["generator"]["saturated"]:
        code = 4  # a machine that runs other tests may be too busy
    assert done.returncode == code, said
    if code != 4:
        # The first lines; further ones depend on how busy the machine is.
        assert [words(line) for line in said.splitlines() if words(line)][:5] == [
            words(line) for line in output.splitlines() if words(line)
        ][:5]


def words(line: str) -> str:
    """Return the words at the begin of a line, behind its time of day: what does not differ between two runs."""
    found = re.match(r"(?:[\d:.]+ )?([^\d]*)", line)
    return found[1].strip() if found else ""


def test_the_endpoint_of_the_tutorial_passes_and_fails_as_the_page_says(tmp_path: Path) -> None:
    (code_block,) = re.findall(r"^```python\n(.*?)^```\n", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "ticks.py").write_text(code_block)
    port = free_port()
    servers = [index for index, (command, _) in enumerate(STEPS) if command.startswith("uvicorn")]
    assert len(servers) == 2
    run = 0
    for start, end in zip(servers, [*servers[1:], len(STEPS)], strict=True):
        with serving(STEPS[start][0], port, tmp_path):
            for index in range(start + 1, end):
                command, output = STEPS[index]
                if command.startswith("sse "):
                    shown = STEPS[index + 1] if index + 1 < len(STEPS) else ("", "")
                    code = int(shown[1]) if shown[0] == "echo $?" else 0
                    checked(command, output, code, tmp_path, port)
                    run += 1
    assert run == sum(command.startswith("sse ") for command, _ in STEPS) == 6
