"""The tutorial works: its endpoint is served, and its commands end as the page says."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from documented_steps import DOCS, Step, run, steps_of
from real_processes import until
from real_servers import answers, free_port

STEPS = steps_of("tutorial.md")


@contextmanager
def serving(command: str, port: int, folder: Path) -> Iterator[None]:
    words = command.replace("8000", str(port)).split()
    with subprocess.Popen([sys.executable, "-m", *words], cwd=folder) as process:
        try:
            until(lambda: answers(port), timeout_s=30)
            yield
        finally:
            process.kill()  # the endpoint ends no stream, so uvicorn would wait for its clients


def check(step: Step, folder: Path, port: int) -> None:
    """Run a step in a shorter time; its exit code and the first words of its output are those of the page."""
    code, said = run(step.command.replace("8000", str(port)).replace("-z 10s", "-z 2s"), folder)
    if "--strict" in step.command and json.loads((folder / "run.json").read_bytes())["generator"]["saturated"]:
        assert code == 4, said  # a machine that runs other tests may be too busy
    else:
        assert code == step.code, said
        assert first_words(said) == first_words(step.output)


def first_words(output: str) -> list[str]:
    """Return the words before the first figure of the first lines; further lines depend on how busy the machine is."""
    begins = [re.match(r"(?:\d+:[\d:.]+ )?([^\d]*)", line) for line in output.splitlines()]
    return [begin[1].strip() for begin in begins if begin and begin[1].strip()][:5]


@pytest.mark.timeout(180)  # eight programs, one after the other
def test_the_endpoint_of_the_tutorial_passes_and_fails_as_the_page_says(tmp_path: Path) -> None:
    (code_block,) = re.findall(r"^```python\n(.*?)^```\n", (DOCS / "tutorial.md").read_text("utf-8"), re.M | re.S)
    (tmp_path / "ticks.py").write_text(code_block)
    port = free_port()
    servers = [index for index, step in enumerate(STEPS) if step.command.startswith("uvicorn")]
    assert len(servers) == 2
    for start, end in zip(servers, [*servers[1:], len(STEPS)], strict=True):
        commands = [step for step in STEPS[start + 1 : end] if step.command.startswith("sse ")]
        assert commands
        with serving(STEPS[start].command, port, tmp_path):
            for step in commands:
                check(step, tmp_path, port)
