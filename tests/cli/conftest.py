from __future__ import annotations

import pytest
from in_process import InProcess, runner


@pytest.fixture
def sse_in_process(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> InProcess:
    return runner(capfd, monkeypatch)
