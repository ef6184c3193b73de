"""Finds the leftovers of asynchronous code: sockets, tasks, generators, warnings."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


def open_sockets() -> int:
    """Count the sockets of this process."""
    if not os.path.isdir("/proc/self/fd"):
        return 0  # not Linux: sockets are not checked
    count = 0
    for number in os.listdir("/proc/self/fd"):
        try:
            count += os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
        except FileNotFoundError:
            continue  # the descriptor of the directory itself
    return count


@asynccontextmanager
async def nothing_left_behind(what: str) -> AsyncIterator[None]:
    """Fail if the block leaves something behind. Warnings must be configured as errors."""
    loop = asyncio.get_running_loop()
    found: list[object] = []
    unraisable_hook, hooks = sys.unraisablehook, sys.get_asyncgen_hooks()
    sockets = open_sockets()

    def finalize(generator: object) -> None:
        # The loop would create a task to close the generator later.
        found.append(f"half-way: {generator}")
        if hooks.finalizer is not None:
            hooks.finalizer(generator)  # type: ignore[arg-type]  # typeshed expects a generator of any type

    # A warning that becomes an error where no code can catch it: "never closed", "never awaited".
    sys.unraisablehook = lambda unraisable: found.append(unraisable.exc_value)
    sys.set_asyncgen_hooks(finalizer=finalize)
    loop.set_exception_handler(lambda _, context: found.append(context))
    try:
        yield
        gc.collect()
        # A closed transport closes its socket in one of the next iterations of the loop.
        for _ in range(100):
            if asyncio.all_tasks() == {asyncio.current_task()} and open_sockets() == sockets:
                break
            await asyncio.sleep(0)
        else:
            found += [f"{open_sockets() - sockets} more sockets", *asyncio.all_tasks()]
        gc.collect()
        await asyncio.sleep(0)
    finally:
        sys.unraisablehook = unraisable_hook
        sys.set_asyncgen_hooks(*hooks)
        loop.set_exception_handler(None)
    assert not found, (what, found)
