"""The results of the tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator

import pytest
from browser import missing_programs

from conformance.clients import Client
from conformance.left_out import LEFT_OUT, OVER_HTTP2
from conformance.table import LEVELS, PAGE, Shown, with_table

shown: dict[tuple[str, Client], list[Shown]] = defaultdict(list)
"""The results of the passed tests."""


@pytest.fixture(autouse=True)
def browser_first(request: pytest.FixtureRequest) -> None:
    """Skip a test that needs a browser before it starts a server, if there is no browser."""
    callspec = getattr(request.node, "callspec", None)
    if callspec is not None and callspec.params.get("client") is Client.CHROMIUM:
        request.getfixturevalue("browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out HTTP/2 for the clients that do not run over it."""
    params = {
        item: item.callspec.params for item in items if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    left_out = {item for item, given in params.items() if given.get("http2") and given["client"] not in OVER_HTTP2}
    items[:] = [item for item in items if item not in left_out]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-conformance", action="store_true", help="write the tables of docs/explanation/conformance.md"
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    missing = missing_programs()
    if missing and session.config.getoption("--update-conformance", False):
        pytest.exit(f"the tables need a browser: {missing}", returncode=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    for mark in item.iter_markers("shows"):
        if report.when == "call" and report.passed:
            name, client, what = mark.args
            shown[name, client].append(what)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    # pytest knows the option of this conftest only if the folder is given on the command line.
    if not session.config.getoption("--update-conformance", False) or session.testsfailed:
        return
    missing = {(name, client) for name in LEVELS for client in Client} - set(shown) - set(LEFT_OUT)
    if missing:
        names = ", ".join(sorted({f"{name} ({client.value})" for name, client in missing}))
        pytest.exit(f"docs/explanation/conformance.md is as it was: these were not shown: {names}", returncode=1)
    PAGE.write_text(with_table(PAGE.read_text("utf-8"), shown), "utf-8")
