"""What all tests share stays out of the garbage collection, and the garbage of tests does not."""

import gc
import weakref

import pytest
from garbage import SharedObjects


class Node:
    def __init__(self) -> None:
        self.itself = self


def test_objects_are_frozen_again_after_a_run_has_released_them() -> None:
    shared = SharedObjects()
    gc.collect()
    gc.unfreeze()  # as a worker at its end
    shared.pytest_runtest_setup()
    assert gc.get_freeze_count() > 10_000


def test_frozen_garbage_of_a_test_is_collected_at_the_end_of_its_module(request: pytest.FixtureRequest) -> None:
    shared = SharedObjects()
    node = Node()
    found = weakref.ref(node)
    gc.collect()
    gc.unfreeze()
    shared.pytest_runtest_setup()
    del node
    gc.collect()
    assert found() is not None
    shared.pytest_runtest_teardown(request.node, request.node)
    assert found() is not None
    shared.pytest_runtest_teardown(request.node, None)
    assert found() is None
