"""Linux namespaces: files of /etc and a network for one process only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path


def can_unshare(flags: str) -> bool:
    """Return whether a test can start a process in its own namespaces: this requires root and `unshare`."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", flags, "true"], check=False, capture_output=True).returncode == 0


def with_file(own: Path, file: str) -> list[str]:
    """Return a command prefix: the command then sees ``own`` as ``file``, in its own network."""
    return ["unshare", "-mn", "sh", "-c", f'mount --bind {own} {file} && ip link set lo up && exec "$0" "$@"']


def printed_with(file: str, content: str, script: str, folder: Path) -> list[str]:
    """Run Python code that sees a file with this content, in its own network with only a loopback interface."""
    own = folder / "own"
    own.write_text(content, "ascii")
    command = [*with_file(own, file), sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
