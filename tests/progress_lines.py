"""The progress lines of `sse bench` on stderr. A busy machine may make any run long enough for one."""

from __future__ import annotations

import re

_LINE = re.compile(r"^\d+ of \d+ s: .*\n", re.MULTILINE)


def without_progress(stderr: str) -> str:
    return _LINE.sub("", stderr)


def progress_lines(stderr: str) -> list[str]:
    return [line.rstrip("\n") for line in _LINE.findall(stderr)]
