"""A Dask cluster on this machine, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster_processes import Cluster, dask_cluster
from demo_server_processes import demo_server_process


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Four Dask workers on this machine."""
    with dask_cluster(tmp_path_factory.mktemp("dask"), workers=4) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with demo_server_process() as url:
        yield url
