"""The publisher's process: what it reports, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
from real_processes import until

from sseclient_cli.errors import UsageError
from sseclient_cli.run.publish_plan import PublishPlan
from sseclient_cli.run.publisher import Publisher


def plan(*command: str, rate_per_s: float = 20.0, last_s: float = 60.0) -> PublishPlan:
    return PublishPlan(
        run_id="0a1b2c3d", template="{token}", rate_per_s=rate_per_s, first_s=0.0, last_s=last_s, grace_s=0.1,
        command=command,
    )  # fmt: skip


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_command_that_does_not_exist_is_an_error_before_the_run() -> None:
    with (
        pytest.raises(UsageError, match="cannot run the publish command 'no-such-program'"),
        Publisher(plan("no-such-program")),
    ):
        pass


def test_a_run_that_never_starts_publishes_nothing_and_leaves_no_process() -> None:
    with Publisher(plan(sys.executable, "-c", "import sys; sys.stdin.read()")) as publisher:
        pid = publisher.pid
        found = publisher.finish(None)
    assert (found.published, found.failed) == (0, 0)
    assert not alive(pid)


def test_the_events_of_a_publisher_that_is_killed_have_failed() -> None:
    with Publisher(plan(sys.executable, "-c", "import sys; sys.stdin.read()", last_s=5.0)) as publisher:
        publisher.begin(time.monotonic_ns())
        until(lambda: publisher.attempts > 2, timeout_s=30)
        os.kill(publisher.pid, signal.SIGKILL)
        until(lambda: not publisher.is_connected, timeout_s=30)
        found = publisher.finish(None)
    assert found.published > 2
    assert found.published + found.failed == found.planned == 100
    assert found.errors["worker-lost"] == found.failed
    assert "was killed by signal 9" in found.examples["worker-lost"]
