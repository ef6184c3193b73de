"""docs/explanation/conformance.md lists the results of these tests, and no others."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from conformance.clients import Client
from conformance.left_out import LEFT_OUT
from conformance.table import LEVELS, PAGE, with_table


def test_the_page_equals_the_results_of_these_tests(request: pytest.FixtureRequest) -> None:
    """The page is compared with all tests, also failed and skipped ones: `make conformance` writes it if all pass."""
    if request.config.getoption("--update-conformance", False):
        pytest.skip("the page is being written")
    option, files = request.config.option, set(Path(__file__).parent.glob("test_*.py"))
    is_chosen = (
        option.keyword or option.markexpr or option.deselect or any("::" in path for path in request.config.args)
    )
    if is_chosen or not files <= {item.path for item in request.session.items}:
        pytest.skip("only a part of tests/conformance runs: what it would make is a part of the page")
    expected = defaultdict(list)
    for item in request.session.items:
        for mark in item.iter_markers("shows"):
            name, client, what = mark.args
            expected[name, client].append(what)
    assert set(expected) | set(LEFT_OUT) == {(name, client) for name in LEVELS for client in Client}
    assert not set(expected) & set(LEFT_OUT), "left out, and yet there is a test"
    assert PAGE.read_text("utf-8") == with_table(PAGE.read_text("utf-8"), expected), "run `make conformance`"
