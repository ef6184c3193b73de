import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.run.executors.choice import executor_of, worker_count
from sseclient_cli.run.executors.local import LocalExecutor
from sseclient_cli.run.executors.processes import ProcessesExecutor
from sseclient_cli.run.hosts.host import usable_cores


def test_auto_is_one_worker_per_thousand_streams_and_at_most_one_per_core() -> None:
    assert worker_count("auto", 1) == worker_count("auto", 1999) == 1
    assert worker_count("auto", 2000) == min(2, usable_cores())
    assert worker_count("auto", 10_000_000) == min(usable_cores(), 64)


def test_number_is_used_unless_there_are_fewer_streams() -> None:
    assert worker_count("3", 100) == 3
    assert worker_count("64", 5) == 5


@pytest.mark.parametrize("asked", ["0", "65", "-1", "2.0", "", "many", "9" * 5000, "٣"])
def test_invalid_number_of_workers_is_a_usage_error(asked: str) -> None:
    with pytest.raises(UsageError, match="write auto, or 1 to 64"):
        worker_count(asked, 100)


def test_single_worker_uses_the_local_executor() -> None:
    assert isinstance(executor_of(1), LocalExecutor)
    assert isinstance(executor_of(2), ProcessesExecutor)
