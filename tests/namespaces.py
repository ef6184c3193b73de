"""Namespaces of Linux: files of /etc and a network that only one process sees."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def can_unshare(flags: str) -> bool:
    """Return whether a test may start a process in namespaces of its own: that takes root and `unshare`."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", flags, "true"], check=False, capture_output=True).returncode == 0


def with_file(own: object, file: str) -> list[str]:
    """Return the words before a command that sees ``own`` as ``file``, and a network of its own."""
    return ["unshare", "-mn", "sh", "-c", f'mount --bind {own} {file} && ip link set lo up && exec "$0" "$@"']
