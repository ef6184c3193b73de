"""Compiles the yardstick where its sources are newer than the binary."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).with_name("yardstick")
BUILD = Path(__file__).with_name("build")  # git-ignored
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")
PROGRAMS = {
    "source": ("source.c", "stream.c", "event.c", "form.c", "request.c", "wheel.c", "common.c"),
    "reader": ("reader.c", "common.c"),
}


def compiler() -> str | None:
    """Return the C compiler, if there is one."""
    return shutil.which("gcc")


def build(folder: Path = BUILD) -> None:
    """Build the programs that are out of date. Raise SystemExit with a clear message when gcc is missing."""
    gcc = compiler()
    if gcc is None:
        raise SystemExit("make bench: gcc is needed for the yardstick (on Debian: apt install gcc libc6-dev)")
    folder.mkdir(exist_ok=True)
    changed_s = max(path.stat().st_mtime for path in SOURCES.iterdir())
    for program, sources in PROGRAMS.items():
        built = folder / program
        if built.exists() and built.stat().st_mtime > changed_s:
            continue
        subprocess.run([gcc, *FLAGS, "-o", str(built), *(str(SOURCES / name) for name in sources)], check=True)
