from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import forked_programs
import pytest
import trustme
from browser import Browser, chromium, missing_programs
from certificates import Authority
from demo_page import DESKTOP, Page
from demo_server_processes import demo_server_process
from garbage import SharedObjects
from golden import Golden
from hypothesis import settings
from in_process import InProcess, runner
from running_demo import WITHOUT_GC, Demo, running_demo

# The time of one example depends on the machine, which may be busy.
settings.register_profile("busy", deadline=None)
# For another version of Python: the examples have been searched already (.ci/other-pythons).
settings.register_profile("few", deadline=None, max_examples=20)
settings.load_profile("busy")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SharedObjects())


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files from the output of this run")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(request.path.parent / "golden", update=request.config.getoption("--update-golden"))


@pytest.fixture
def sse_in_process(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> InProcess:
    return runner(capfd, monkeypatch)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(trustme.CA(), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    missing = missing_programs()
    if missing and os.environ.get("CI"):
        pytest.fail(missing)  # .ci/run installs the browser, so a missing one is an error there
    if missing:
        pytest.skip(missing)
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module", name="shared_demo")
def start_demo() -> Iterator[Demo]:
    with running_demo("--access-log", "none", code=WITHOUT_GC) as demo:
        yield demo
        assert demo.end() == ""  # the tests caused no output on stderr


@pytest.fixture(name="demo")
def wait_until_demo_is_idle(shared_demo: Demo) -> Demo:
    """A demo server that has closed the streams of the previous test."""
    shared_demo.wait_until_idle(10)
    return shared_demo


@pytest.fixture(scope="module")
def page_server() -> Iterator[str]:
    with demo_server_process() as url:
        yield url


@pytest.fixture
def page(browser: Browser, page_server: str) -> Iterator[Page]:
    driver = browser.driver
    first = driver.current_window_handle
    others = set(driver.window_handles)
    driver.switch_to.new_window("tab")
    page = Page(driver, page_server)
    page.emulate("Emulation.setDeviceMetricsOverride", **DESKTOP)
    page.errors()
    yield page
    for tab in set(driver.window_handles) - others:
        driver.switch_to.window(tab)
        driver.close()
    driver.switch_to.window(first)
    assert page.errors() == []


STARTERS = {
    "subprocess", "demo_server_processes", "plain_server", "raw_client", "real_processes", "real_servers",
    "running_demo", "scripted_server", "terminal", "silent_port", "http_proxy", "socks_proxy", "namespaces",
    "redis_process", "machines", "cluster_processes", "cluster_runs", "host_cluster",
}  # fmt: skip
"""Modules that start servers or processes. Tests that import one mostly wait."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that start a server, a process or a browser as slow."""
    for item in items:
        names = {getattr(value, "__module__", None) or getattr(value, "__name__", "") for value in _globals_of(item)}
        if names & STARTERS or _has_browser(item):
            item.add_marker("slow")


def _globals_of(item: pytest.Item) -> list[object]:
    module = item.getparent(pytest.Module)
    return [] if module is None else list(vars(module.obj).values())


def _has_browser(item: pytest.Item) -> bool:
    return bool({"browser", "page", "demo", "shared_demo", "page_server"} & set(getattr(item, "fixturenames", ())))


def pytest_sessionstart() -> None:
    # A shell starts background processes with SIGINT ignored, and children inherit that: no Ctrl-C for them.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Proxies configured on this machine would be used for the names of other hosts.
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    forked_programs.install()


def pytest_sessionfinish() -> None:
    forked_programs.uninstall()
