"""Keeps the garbage collector away from what all tests share: the modules and the 8,000 tests.

A full collection of them takes 0.26 s of CPU, and ``sseclient_cli.run.worker.Worker`` begins with one and ends with
``gc.unfreeze()``. They are frozen when all tests are collected, and again before the test that follows a worker's run.
"""

from __future__ import annotations

import gc

import pytest
from hypothesis import given, settings
from hypothesis.strategies import none


class SharedObjects:
    """A plugin of pytest that freezes the objects that exist before the tests."""

    def __init__(self) -> None:
        self._collections = 0
        self._froze_objects_of_tests = False

    def pytest_collection_finish(self) -> None:
        _let_hypothesis_register_its_random()
        self._collect_and_freeze()

    def pytest_runtest_setup(self) -> None:
        if _full_collections() != self._collections and not gc.get_freeze_count():
            gc.freeze()
            self._froze_objects_of_tests = True
        self._collections = _full_collections()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Collect the garbage of the tests of a module: its resource warnings are errors."""
        if self._froze_objects_of_tests and (nextitem is None or nextitem.path != item.path):
            self._collect_and_freeze()
            self._froze_objects_of_tests = False

    def pytest_sessionfinish(self) -> None:
        gc.unfreeze()

    def _collect_and_freeze(self) -> None:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._collections = _full_collections()


@settings(max_examples=1, database=None)
@given(none())
def _let_hypothesis_register_its_random(_: None) -> None:
    """Do nothing. Hypothesis (6) registers a generator in its first test, and looks for references to it.

    On Python 3.14 it finds none that is frozen, and warns.
    """


def _full_collections() -> int:
    """Return the number of full collections. A worker begins with one; counting the frozen objects takes longer."""
    count: int = gc.get_stats()[2]["collections"]
    return count
