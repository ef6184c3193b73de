"""Keeps the garbage collector away from what all tests share: the modules and the 8,000 tests.

A full collection of them takes 0.26 s of CPU, and each run of a worker begins with one. They are frozen for that, and
again after the worker has released all objects at its end.
"""

from __future__ import annotations

import gc

import pytest


class SharedObjects:
    """A plugin of pytest that freezes the objects that exist before the tests."""

    def __init__(self) -> None:
        self._collections = 0
        self._froze_objects_of_tests = False

    def pytest_collection_finish(self) -> None:
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


def _full_collections() -> int:
    """Return the number of full collections. A worker begins with one; counting the frozen objects takes longer."""
    count: int = gc.get_stats()[2]["collections"]
    return count
