"""Namespaces of Linux: files of /etc and a network that only one process sees."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path


def can_unshare(flags: str) -> bool:
    """Return whether a test may start a process in namespaces of its own: that takes root and `unshare`."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", flags, "true"], check=False, capture_output=True).returncode == 0


def with_file(own: Path, file: str) -> list[str]:
    """Return the words before a command that sees ``own`` as ``file``, and a network of its own."""
    return ["unshare", "-mn", "sh", "-c", f'mount --bind {own} {file} && ip link set lo up && exec "$0" "$@"']


def printed_with(file: str, content: str, script: str, folder: Path) -> list[str]:
    """Run Python code where a file has this content, in a network that has nothing but a loopback of its own."""
    own = folder / "own"
    own.write_text(content, "ascii")
    command = [*with_file(own, file), sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
