"""The commands of a page of the documentation, with the output below each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^( *)```console\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\$ (?P<command>.+)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A command, the output below it, and the exit code if `echo $?` follows."""

    command: str
    output: str
    code: int


def steps_of(page: str) -> list[Step]:
    """Return the commands of all console blocks of a page."""
    text = (DOCS / page).read_text("utf-8")
    blocks = [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in BLOCK.findall(text)]
    found = [(step["command"], step["output"]) for block in blocks for step in STEP.finditer(block)]
    steps: list[Step] = []
    for (command, output), (following, code) in zip(found, [*found[1:], ("", "")], strict=True):
        if command != "echo $?":
            steps.append(Step(command, output, int(code) if following == "echo $?" else 0))
    return steps


def run(command: str, folder: Path) -> tuple[int, str]:
    """Run a command in a shell with `sse` in its path; return its exit code and its output."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        cwd=folder,
        env={**os.environ, "PATH": path},
    )
    return done.returncode, done.stdout + done.stderr
