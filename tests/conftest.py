from __future__ import annotations

import signal

import pytest
import trustme
from certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(trustme.CA(), tmp_path_factory.mktemp("certificates"))


def pytest_sessionstart() -> None:
    # A shell starts what it runs in the background with SIGINT ignored, and children inherit that: no Ctrl-C for them.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
