"""Runs `sse` in the process of the tests, for options that are refused: a process takes half a second of CPU each."""

from __future__ import annotations

import signal
import sys
from typing import Protocol

import pytest


class InProcess(Protocol):
    """Runs `sse` with these arguments; returns its exit code, stdout and stderr."""

    def __call__(self, *arguments: str) -> tuple[int, str, str]: ...


def runner(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> InProcess:
    from sseclient_cli import cli

    def run(*arguments: str) -> tuple[int, str, str]:
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, getattr(sys, name))  # to have it back: main() replaces it
        monkeypatch.setattr(sys, "argv", ["sse", *arguments])
        interrupt = signal.getsignal(signal.SIGINT)
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            signal.signal(signal.SIGINT, interrupt)
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run
