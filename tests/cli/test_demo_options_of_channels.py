"""Options of `sse demo` that contradict each other."""

from __future__ import annotations

import pytest
from in_process import InProcess


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--redis", "redis://h", "--workers", "2"), "--separate-channels cannot be used with --redis"),
        ((), "--separate-channels needs --workers 2 or more"),
    ],
)
def test_separate_channels_need_workers_and_no_redis(
    sse_in_process: InProcess, options: tuple[str, ...], words: str
) -> None:
    code, out, err = sse_in_process("demo", "--port", "0", "--separate-channels", *options)
    assert (code, out) == (2, "")
    assert words in err
