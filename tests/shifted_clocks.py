"""Processes whose clocks differ from those of this machine, as on another host."""

from __future__ import annotations

import os
from pathlib import Path

from namespaces import can_unshare

FOLDER = Path(__file__).parent / "shifted_clock"


def with_shifted_wall_clock(shift_s: float) -> dict[str, str]:
    """Return the environment of a Python process, and of its children, whose wall clock is ahead by ``shift_s``."""
    path = os.pathsep.join([str(FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "SHIFT_S": str(shift_s)}


def can_shift_monotonic_clock() -> bool:
    """Return whether ``with_shifted_monotonic_clock`` works here: it requires root and time namespaces."""
    return can_unshare("-T")


def with_shifted_monotonic_clock(shift_s: int) -> list[str]:
    """Return a command prefix: the monotonic clock of the command is ahead by ``shift_s``, as if booted earlier."""
    return ["unshare", "-T", "--monotonic", str(shift_s)]
